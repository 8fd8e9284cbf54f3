"""What was seen of each of the two runs, and what a comparison of them says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.records.events import Failure


class Status(StrEnum):
    """What came of a comparison; `failed` if both runs failed alike."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    UNDETERMINED = "undetermined"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


class What(StrEnum):
    """In what two runs differ."""

    VALUE = "value"
    OUTPUT = "output"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A variable that is compared as a step left it.

    Attributes:
        step: The step.
        name: The variable.
        cell: The step's last cell that binds or changes it.
        line: The line there, from 1; None where the text does not tell.
        after: The cell after which the straight run looks at it: the last one of the step before another step begins.
        given: The step is not known to change it; it was given it.
    """

    step: str
    name: str
    cell: int
    line: int | None
    after: int
    given: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A variable as a step left it.

    Attributes:
        digest: Of its content; None if it has none.
        problem: Why it has none; empty where it is not bound.
        shown: A short text of it, where one was asked for.
        copy: The digest of the group that a copy of it is, where one was asked for.
    """

    digest: str | None = None
    problem: str = ""
    shown: str = ""
    copy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a cell showed, without what differs between any two runs.

    Attributes:
        texts: What it printed, by stream.
        rich: What it displayed, as texts.
        error: What it raised where it may.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    rich: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What was seen of a run.

    Attributes:
        outputs: Of the cells that ran, by step and position.
        values: By step and name.
        failures: By step.
        interrupted: It was stopped.
    """

    outputs: Mapping[tuple[str, int], Output] = field(default_factory=dict)
    values: Mapping[tuple[str, str], Value] = field(default_factory=dict)
    failures: Mapping[str, Failure] = field(default_factory=dict)
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A place where two runs differ.

    Attributes:
        name: The variable; None for an output or a failure.
        path: Where in the variable, as Python would write it, or in which output; None where that is not known.
        straight: What the straight run has there, as a short text.
        pipeline: What the pipeline has there.
    """

    what: What
    step: str
    cell: int | None
    line: int | None
    name: str | None
    straight: str
    pipeline: str
    path: str | None = None

    @property
    def place(self) -> tuple[What, str, int | None, str | None]:
        """What tells it apart from other differences of the same runs."""
        return self.what, self.step, self.cell, self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What was compared of a step.

    Attributes:
        status: `identical`, `different`, `undetermined`; `failed` if it failed on both sides; None where nothing of it
            could be compared.
        values: How many variables were compared.
        cells: How many cells' outputs were.
        left_out: The variables that were not compared, each with the reason.
    """

    step: str
    status: Status | None
    values: int = 0
    cells: int = 0
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What `verify` found.

    Attributes:
        run: The id of the pipeline run.
        folder: The folder of that run.
        steps: In notebook order.
        first_difference: The first place where the two differ, if they do.
        certificate: The file that says that they are identical, if they are.
        failure: What both sides failed with.
    """

    status: Status
    run: str
    folder: Path
    steps: tuple[Compared, ...] = ()
    first_difference: Difference | None = None
    certificate: Path | None = None
    failure: Failure | None = None
