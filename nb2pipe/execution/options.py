"""What a user may say of a run, as the command line and the Python interface hand it on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.records.index import is_relative

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.execution.model import Package

REUSE, FORCED, NO_CACHE = "reuse", "force", "no cache"
"""What the record of a run says of its `--force` and `--no-cache`."""

SEEDS = 2**32
"""NumPy takes seeds below this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is to be made; every field has the default of the command line.

    Attributes:
        parameters: The values given, by name.
        jobs: How many places there are for steps at the same time; None for as many as there are processors.
        kernel: The kernel's name; None for the notebook's.
        folder: Working directory of the steps; None for the notebook's folder.
        home: The folder `.nb2pipe`; None to search for it.
        seed: The initial random state; None for the one kept in the home.
        fresh_random: Draws the initial random state anew, for this run only.
        executor: The executor's name, for the record.
        package: The package that is to run, for a converted directory; None to run the notebook's cells.
        name: The run's name.
        output: Where a copy of the executed notebook is wanted.
        keep_going: A failed step stops only what depends on it.
        force: Runs all steps, and keeps what they make for later runs.
        no_cache: Takes nothing of earlier runs, and leaves nothing for later ones.
        first: Only this step and what follows from it runs; what it follows from is taken from earlier runs.
        last: Only this step and what it follows from runs.
        only: Only this step runs.
        store: The URL of a store that others use too; None for the home's alone.
        trackers: The names of those that the run is sent to.
    """

    parameters: Mapping[str, object] = field(default_factory=dict)
    jobs: int | None = None
    kernel: str | None = None
    folder: Path | None = None
    home: Path | None = None
    seed: int | None = None
    fresh_random: bool = False
    executor: str = "papermill"
    package: Package | None = None
    name: str | None = None
    tags: tuple[str, ...] = ()
    note: str | None = None
    output: Path | None = None
    keep_going: bool = False
    force: bool = False
    no_cache: bool = False
    first: str | None = None
    last: str | None = None
    only: str | None = None
    store: str | None = None
    trackers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"{self.jobs} steps at a time: there has to be one at least", hint="-j 1")
        if self.seed is not None and not 0 <= self.seed < SEEDS:
            raise UsageError(
                f"the seed {self.seed} is not between 0 and {SEEDS - 1}", hint="NumPy takes no other seeds"
            )
        if self.seed is not None and self.fresh_random:
            raise UsageError("a seed and a fresh random state exclude each other", hint="give one of the two")
        if self.name is not None and (not self.name.strip() or is_relative(self.name)):
            raise UsageError(
                f"a run cannot be named `{self.name}`",
                hint="`latest` and `latest~1` mean runs by their age; `--name` takes any other words",
            )
