"""What happens in a run, as values. Whoever wants to know reads these: records, console, trackers."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.records.model import Checkpoint, GroupRecord, StepRecord, StepTrace


class RunStatus(StrEnum):
    """How a run ended; `running` while it has not."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class StepStatus(StrEnum):
    """How a step ended; `pending` and `running` while it has not."""

    PENDING = "pending"
    RUNNING = "running"
    RAN = "ran"
    REUSED = "reused"
    FAILED = "failed"
    SKIPPED = "skipped"
    INTERRUPTED = "interrupted"


class SkipReason(StrEnum):
    """Why a step did not run."""

    NOT_SELECTED = "not selected"
    GATE = "gate"
    UPSTREAM_FAILED = "upstream failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error in the user's code, or the end of the kernel that ran it.

    Attributes:
        step: The step, or None where it is not known.
        cell: Position of the cell in the notebook, or None where no cell of the author's is to blame.
        line: The line within the cell, from 1.
        kind: The exception's class, `KernelDied`, `ProcessDied` or `Timeout`.
        message: Its text.
        traceback: The author's own frames, without colors, outermost first.
        source_line: The text of the line.
        hint: What the user can do about it, where we know.
    """

    step: str | None
    cell: int | None
    line: int | None
    kind: str
    message: str
    traceback: str = ""
    source_line: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """A run begins, or goes on (`resumed`).

    Attributes:
        run: The run's id, `YYYYMMDD-HHMMSS-xxxx`.
        pipeline: The pipeline's name.
        notebook: The notebook's path, absolute.
        notebook_digest: The notebook's digest.
        steps: In notebook order.
        parameters: All of them with the values that hold; a default that is no literal as its source text.
        given: The names of those that the user gave.
        seed: The initial random state.
        executor: The executor's name.
        kernel: The kernel's name.
        name: The name that the user gave the run.
        tags: The user's.
        note: The user's.
        surroundings: What else decides on values: `hash_seed`, `threads`, `wait_policy`, ...
    """

    run: str
    pipeline: str
    notebook: str
    notebook_digest: str
    steps: tuple[str, ...]
    time: float
    parameters: Mapping[str, object] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    seed: int = 0
    executor: str = "papermill"
    kernel: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    surroundings: Mapping[str, object] = field(default_factory=dict)
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted:
    """A step begins.

    Attributes:
        cells: Those of the author's that it will run.
        attempt: From 1.
        key: Digest of the call: code, inputs, parameters, surroundings. `resume` takes a finished step whose key holds.
        parts: What the key is made of, as `records.model.StepRecord` has it.
        description: What progress shows beside the name.
        code: SHA-256 of the cells' texts, as `records.model.StepRecord` has it.
        inputs: What it takes out of the store; each is told by `ArtifactUsed`, too.
        state: Hidden state that it takes: digest by kind; each is told by `ArtifactUsed`, too.
    """

    step: str
    time: float
    cells: tuple[int, ...]
    attempt: int = 1
    key: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    description: str | None = None
    code: Mapping[int, str] = field(default_factory=dict)
    inputs: tuple[GroupRecord, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted:
    """A cell of a step begins."""

    step: str
    cell: int
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputWritten:
    """The author's code printed: `stream` is `stdout` or `stderr`."""

    step: str
    cell: int
    stream: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFinished:
    """A cell of a step ended; `outputs` are those of nbformat 4."""

    step: str
    cell: int
    time: float
    outputs: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReused:
    """A step was not run, since an earlier run's results hold.

    Attributes:
        source: The run that made them.
        record: The step's record there, with the cells that it has now.
    """

    step: str
    time: float
    source: str
    record: StepRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class StepObserved:
    """What a step that ran to its end was seen to depend on and to leave outside of its variables."""

    step: str
    time: float
    trace: StepTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSkipped:
    """A step was not run, and has no results."""

    step: str
    time: float
    reason: SkipReason
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRetried:
    """A step failed and is tried again; `attempt` is the one that failed."""

    step: str
    time: float
    attempt: int
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFinished:
    """A step ran to its end."""

    step: str
    time: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed:
    """A step failed for good."""

    step: str
    time: float
    seconds: float
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricLogged:
    """A number of the run; `index` is the position in a series, None for a single value."""

    step: str
    name: str
    value: float
    time: float
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterSet:
    """The author's code noted a parameter that is none of the notebook's."""

    step: str
    name: str
    value: object
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DataUsed:
    """The author's code declared data that it uses, as `records.model.DataFile` has it."""

    step: str
    path: str
    sha256: str
    time: float
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureLogged:
    """The author's code kept a figure.

    Attributes:
        path: The picture or page, in the folder of the run.
        index: Its place in a series of figures of this name, or None.
    """

    step: str
    name: str
    path: str
    time: float
    index: int | None = None


class ArtifactKind(StrEnum):
    """What an artifact of a step is."""

    GROUP = "group"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactUsed:
    """A step took something out of the store: `names` are the variables, or the hidden state."""

    step: str
    names: tuple[str, ...]
    digest: str
    time: float
    kind: ArtifactKind = ArtifactKind.GROUP


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactMade:
    """A step put something into the store: `names` are the variables, or the hidden state.

    Attributes:
        types: The types of variables, as `execution.model.Completed` has them; so `summaries`.
    """

    step: str
    names: tuple[str, ...]
    digest: str
    time: float
    kind: ArtifactKind = ArtifactKind.GROUP
    types: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecorded:
    """What a step's training loops did was recorded without its code saying so.

    Attributes:
        series: The number of points by name.
        folder: Holds the points; `records.series.recorded` reads them.
    """

    step: str
    series: Mapping[str, int]
    folder: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointSaved:
    """A step saved a model, or the state of a training, in a file."""

    step: str
    checkpoint: Checkpoint
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something worth telling the user of a run that is no error; `code` is a diagnostic's."""

    code: str
    message: str
    time: float
    step: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """An artifact is on its way to or from a store that others use too; told now and then, where it takes long.

    Attributes:
        pulls: It is on its way here.
        done: Bytes that have arrived.
        total: Bytes in all.
    """

    url: str
    pulls: bool
    digest: str
    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunInterrupted:
    """Ctrl-C, or a signal to end."""

    run: str
    time: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """A run ended."""

    run: str
    status: RunStatus
    time: float
    seconds: float
    failure: Failure | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


Event = (
    RunStarted
    | StepStarted
    | CellStarted
    | OutputWritten
    | CellFinished
    | StepReused
    | StepSkipped
    | StepRetried
    | StepFinished
    | StepFailed
    | MetricLogged
    | ParameterSet
    | DataUsed
    | FigureLogged
    | StepObserved
    | ArtifactUsed
    | ArtifactMade
    | SeriesRecorded
    | CheckpointSaved
    | Noted
    | Transfer
    | RunInterrupted
    | RunFinished
)
