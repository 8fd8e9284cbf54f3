"""What an executor is given and gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from nb2pipe.records.masking import Masking

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nb2pipe.diagnostics import Report
    from nb2pipe.errors import StoreError
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.pipeline.model import Pipeline, Step
    from nb2pipe.records.events import Event, Failure, RunStatus, SkipReason, StepStatus
    from nb2pipe.records.model import StepTrace
    from nb2pipe.serializers.groups import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The package of a converted directory, whose modules run as they stand there.

    Attributes:
        folder: The converted directory, absolute.
        name: The package's name.
        modules: The path of each step's module below `steps`, by the step's name in the run.
    """

    folder: Path
    name: str
    modules: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where and with what the steps of a run run.

    Attributes:
        folder: Working directory of the steps.
        home: The folder `.nb2pipe`.
        run_folder: `runs/RUN` in the home.
        kernel: The kernel's name.
        seed: The initial random state, for random, NumPy and torch.
        variables: Environment variables that kernels get beside our own, such as `PYTHONHASHSEED`.
        pipeline: The pipeline of the notebook itself, for executors that run steps as modules of one package.
        own: Environment variables of one step alone: the GPUs that it has for itself.
        package: Where such a package exists already.
        executor: The executor's name: what cells show depends on it.
        continues: Steps may take what earlier runs left.
        masking: Replaces secret values in what is kept and told.
    """

    folder: Path
    home: Path
    run_folder: Path
    kernel: str
    seed: int
    variables: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    pipeline: Pipeline | None = None
    package: Package | None = None
    executor: str = ""
    continues: bool = True
    masking: Masking = field(default_factory=Masking)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """One step with all that it is given.

    Attributes:
        inputs: The groups that hold the step's inputs; a group may hold more names than the step takes.
        parameters: The values of `step.parameters` that are to be injected, by name.
        state: Hidden state that earlier steps left, such as random generators: digest in the store by kind.
        key: Digest of everything that the result depends on, as far as it is known before the run.
        parts: The digests of the parts of that, by name.
        taken: Those of the step's outputs that a later step takes; one of them that cannot be stored is a failure. The
            other outputs are stored where they can be. None: all outputs are taken.
    """

    step: Step
    notebook: Notebook
    surroundings: Surroundings
    inputs: tuple[Group, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    taken: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A step ran to its end.

    Attributes:
        outputs: The groups that hold its outputs, and all else that shares objects with them.
        state: Hidden state that it changed: digest in the store by kind.
        metrics: What its `pipeline-metrics` cells printed or assigned.
        unchanged: Variables in the groups that have the content that they were taken with: the step only tied them to
            others, as a fitted model that keeps its data does. Whoever took them before took nothing old.
        types: The types of the outputs as the public path that imports them, such as `pandas.DataFrame`, by name; only
            those that have one.
        summaries: What is told of each output, by name, as `runtime.summaries` makes it.
        seen: What the step was seen to read and write outside of its variables, as its process told it.
        trace: What is recorded of that; None where nobody looked.
    """

    outputs: tuple[Group, ...]
    state: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    unchanged: frozenset[str] = frozenset()
    types: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)
    trace: StepTrace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The user's code failed, or its kernel ended.

    Attributes:
        seen: As `Completed` has it, and so `trace`.
    """

    failure: Failure
    seen: Mapping[str, Any] = field(default_factory=dict)
    trace: StepTrace | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """The step was stopped because the run was interrupted.

    Attributes:
        seen: As `Completed` has it, and so `trace`.
    """

    seen: Mapping[str, Any] = field(default_factory=dict)
    trace: StepTrace | None = None


Outcome = Completed | Failed | Cancelled


class Executor(Protocol):
    """Runs one step. Order, retry and recording are the driver's.

    Attributes:
        name: As the user gives it.
        runs_packages: It can run the modules of a converted directory.
    """

    name: str
    runs_packages: bool

    def check(self, pipeline: Pipeline) -> Report:
        """What keeps it from running a pipeline; called before anything runs, which errors prevent."""

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
        """Runs a step.

        Args:
            call: The step, and what it is given.
            emit: Takes `CellStarted`, `OutputWritten` and `CellFinished`.
            cancel: Once set, the step stops within two seconds.

        Returns:
            What came of it; an error in the user's code is an outcome, not an exception.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """How a step of a run ended.

    Attributes:
        name: The step; `OUTER/INNER` for a step of a nested pipeline.
        seconds: How long its last attempt took; None where it never began.
        reason: Why it was skipped.
        message: More on why it was skipped.
        outputs: What it put into the store.
    """

    name: str
    status: StepStatus
    seconds: float | None = None
    reason: SkipReason | None = None
    message: str = ""
    outputs: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended.

    Attributes:
        run: The run's id.
        folder: `runs/RUN` in the home.
        steps: In notebook order.
        metrics: The last of each name, in notebook order.
        notebook: The executed notebook in the run's folder.
        failure: Of the first step that failed, in notebook order.
        unpushed: Why not all of it is in the store that others use too; None where it is, or where there is no such.
    """

    run: str
    folder: Path
    status: RunStatus
    steps: tuple[StepEnd, ...]
    metrics: Mapping[str, float]
    notebook: Path
    failure: Failure | None = None
    unpushed: StoreError | None = None
