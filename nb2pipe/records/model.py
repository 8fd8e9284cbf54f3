"""What is kept of a run: the record of the run, and of each of its steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.records.events import RunStatus, StepStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.records.events import Failure, Noted, SkipReason


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRecord:
    """Variables of one artifact.

    Attributes:
        names: Sorted.
        digest: SHA-256 of the artifact in the store.
    """

    names: tuple[str, ...]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file that a step left.

    Attributes:
        sha256: Of its content.
        size: In bytes.
        kept: Its content is in the store.
    """

    sha256: str
    size: int
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTrace:
    """What a step was seen to depend on beside what its key covers, and what it left outside of its variables.

    Attributes:
        reads: SHA-256 of the files that it read as they were before it, by absolute path; None: there was none.
        brought: SHA-256 of the files with data that libraries brought along or fetched, and that it read.
        listed: Digests of the names in folders that it listed, by absolute path.
        writes: The files that it left, by absolute path.
        folders: The folders that it made.
        variables: Digests of the environment variables that its code read; None: it was not set.
        packages: Versions of the distributions whose modules it imported.
        libraries: The folders in which those are installed.
        reasons: Why a second run need not give the same, whatever else is equal; empty where nothing speaks for that.
    """

    reads: Mapping[str, str | None] = field(default_factory=dict)
    brought: Mapping[str, str] = field(default_factory=dict)
    listed: Mapping[str, str] = field(default_factory=dict)
    writes: Mapping[str, WrittenFile] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    variables: Mapping[str, str | None] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A version of a data set: what was read, by its content.

    Attributes:
        path: The file, absolute where it is one; of data that code only named, what it said.
        sha256: Of the content, as `sha256sum` prints it.
        name: The name that code gave it.
    """

    path: str
    sha256: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A file that training saved.

    Attributes:
        path: Where it was saved, absolute.
        sha256: Of what was saved then.
        step: How many steps the optimizer had made, where one had.
        epoch: The pass over the data loader, from 1, where there was one.
    """

    path: str
    sha256: str
    step: int | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """What is kept of a step.

    Attributes:
        name: The step; `OUTER/INNER` for a step of a nested pipeline.
        reason: Why it was skipped.
        message: More on why it was skipped.
        cells: Positions of the author's cells that it runs.
        key: Digest of the call; a finished step whose key still holds need not run again.
        parts: What the key is made of, each part with its digest or, where it is short, its text.
        attempt: The number of the last attempt, from 1; 0 if it never began.
        started: When the last attempt began, in seconds since 1970.
        seconds: How long it took.
        source: The run whose results it took, where it was reused.
        inputs: What it took out of the store.
        outputs: What it put there.
        types: The types of its outputs as the public path that imports them, by name, as far as they have one.
        summaries: What is told of each output, by name: `type`, and as it has them `shape`, `dtype`, `rows`, `nulls`,
            `mean`.
        state: Hidden state that it left: digest by kind.
        state_used: Hidden state that it took: digest by kind.
        metrics: Single numbers.
        series: Number of points of each series.
        checkpoints: The files that its training saved.
        parameters: What its code noted by `track.params`; secrets are masked.
        data: The versions of data sets that its code declared by `track.data`; what it was seen to read, `trace` tells.
        code: SHA-256 of the texts of the cells that its code stands in, definitions included, by their positions.
        user: Who ran it, and `host` where, as far as these are not the run's.
        trace: What it was seen to depend on and to leave; None where nobody looked, or it did not finish.
        failure: Why it failed.
        retries: Why its earlier attempts failed.
    """

    name: str
    status: StepStatus = StepStatus.PENDING
    reason: SkipReason | None = None
    message: str = ""
    cells: tuple[int, ...] = ()
    key: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    attempt: int = 0
    started: float | None = None
    seconds: float | None = None
    source: str | None = None
    description: str | None = None
    inputs: tuple[GroupRecord, ...] = ()
    outputs: tuple[GroupRecord, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)
    state_used: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, int] = field(default_factory=dict)
    checkpoints: tuple[Checkpoint, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    data: tuple[DataFile, ...] = ()
    code: Mapping[int, str] = field(default_factory=dict)
    user: str = ""
    host: str = ""
    trace: StepTrace | None = None
    failure: Failure | None = None
    retries: tuple[Failure, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether its results are there."""
        return self.status in {StepStatus.RAN, StepStatus.REUSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRecord:
    """From which commit a run was made.

    Attributes:
        commit: The commit, or None before the first one.
        dirty: What ran is not what the commit holds; the difference stands in `difference.patch`.
        branch: The branch, or None where none is checked out.
        truncated: The difference was too long and is cut.
        untracked: Code of the run that git does not follow: the notebook, and modules, which the difference adds.
    """

    commit: str | None
    dirty: bool
    branch: str | None = None
    truncated: bool = False
    untracked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """On what a run was made.

    Attributes:
        memory: In bytes.
        gpu: The models, each once.
        gpus: Their number.
        driver: Version of the driver.
        cuda: The newest version of CUDA that the driver knows.
    """

    host: str = ""
    system: str = ""
    processor: str = ""
    processors: int = 1
    memory: int | None = None
    gpu: str | None = None
    gpus: int = 0
    driver: str | None = None
    cuda: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """The process that makes a run; if it is gone, a run that still says `running` was interrupted.

    Attributes:
        birth: When the operating system says that it began, so that a number given anew is not mistaken for it.
    """

    host: str
    pid: int
    birth: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is kept of a run.

    Attributes:
        run: The id, `YYYYMMDD-HHMMSS-xxxx`.
        notebook: The notebook's path, absolute.
        notebook_digest: Of the content that counts.
        parameters: Those of the notebook, then those that its code noted; secret ones are masked.
        given: The names of those that the user gave.
        masked: The names of those whose values were not kept.
        metrics: Single numbers, the last of each name.
        series: Number of points by name; `files.read_series` reads them.
        started: In seconds since 1970.
        finished: In seconds since 1970, or None.
        seconds: How long it took, resumed parts summed.
        surroundings: What else decides on values: `hash_seed`, `threads`, `wait_policy`, ...
        resumed: How often it was gone on with.
        failure: Why it failed.
        notes: What it told the user.
    """

    run: str
    status: RunStatus
    pipeline: str
    notebook: str
    notebook_digest: str
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    user: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[StepRecord, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    data: tuple[DataFile, ...] = ()
    started: float = 0.0
    finished: float | None = None
    seconds: float = 0.0
    seed: int = 0
    executor: str = ""
    kernel: str = ""
    python: str = ""
    version: str = ""
    surroundings: Mapping[str, object] = field(default_factory=dict)
    git: GitRecord | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    machine: Machine = field(default_factory=Machine)
    process: ProcessRecord | None = None
    resumed: int = 0
    failure: Failure | None = None
    notes: tuple[Noted, ...] = ()

    @property
    def series(self) -> dict[str, int]:
        """Number of points of each series, over all steps."""
        counts: dict[str, int] = {}
        for step in self.steps:
            for name, count in step.series.items():
                counts[name] = counts.get(name, 0) + count
        return counts

    def step(self, name: str) -> StepRecord:
        """The record of a step.

        Raises:
            KeyError: There is no step of that name.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """What the index keeps of a run: a row of `runs list`.

    Attributes:
        problem: Why the record cannot be read, or None; then only `run` counts.
    """

    run: str
    status: RunStatus
    pipeline: str = ""
    notebook: str = ""
    name: str | None = None
    tags: tuple[str, ...] = ()
    user: str = ""
    parameters: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    started: float = 0.0
    seconds: float = 0.0
    problem: str | None = None
