"""Notebooks, calls and runs for the tests of executors: real kernels, a store in a temporary folder."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.digest import Digest
from nb2pipe.execution.lasting import opened
from nb2pipe.execution.model import Completed, Failed, Outcome, StepCall, Surroundings
from nb2pipe.executors.kernels.pool import VARIABLE
from nb2pipe.executors.papermill import PapermillExecutor
from nb2pipe.notebook.model import Cell, CellKind, Kernel, Notebook, ParametersTag, Settings
from nb2pipe.pipeline.model import Block, BlockRole, Port, Step
from nb2pipe.records.events import Event, Failure, Noted, OutputWritten
from nb2pipe.serializers.groups import Group, load
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SEED = 7


def make_notebook(*cells: str | tuple[str, str]) -> Notebook:
    """A notebook of code cells; a cell may be a source and a tag."""
    pairs = [cell if isinstance(cell, tuple) else (cell, "") for cell in cells]
    made = tuple(
        Cell(
            id=f"cell-{position}",
            position=position,
            kind=CellKind.CODE,
            source=source,
            python="" if source.startswith(("%", "!")) else source,
            raw_tags=(tag,) if tag else (),
            tags=(ParametersTag(),) if tag == "parameters" else (),
        )
        for position, (source, tag) in enumerate(pairs, 1)
    )
    return Notebook(
        path="n.ipynb", cells=made, kernel=Kernel(name="python3"), settings=Settings(), digest=Digest.of("test", "n")
    )


@dataclass
class Ran:
    """What came of a step, with all that it told, and what the run said of its kernels."""

    outcome: Outcome
    events: list[Event]
    kernels: list[str] = field(default_factory=list)

    @property
    def completed(self) -> Completed:
        assert isinstance(self.outcome, Completed), self.outcome
        return self.outcome

    @property
    def failure(self) -> Failure:
        assert isinstance(self.outcome, Failed), self.outcome
        return self.outcome.failure

    @property
    def printed(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, OutputWritten))

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@dataclass
class Bench:
    """Runs steps in one home; what one leaves, the next may be given. Kernels are forked, unless told `cold`."""

    root: Path
    kernels: str = ""
    home: Path = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.root / ".nb2pipe"

    notebook = staticmethod(make_notebook)

    def call(
        self,
        notebook: Notebook,
        *,
        cells: Sequence[int] | None = None,
        repeated: Sequence[int] = (),
        takes: str = "",
        gives: str = "",
        groups: Sequence[Group] = (),
        **more: Any,
    ) -> StepCall:
        own = tuple(cells or (cell.position for cell in notebook.cells if cell.position not in repeated))
        blocks = tuple(
            Block(cell=place, role=BlockRole.CODE if place in own else BlockRole.DEFINITIONS)
            for place in sorted({*own, *repeated})
        )
        on_call = {key: more.pop(key) for key in ("parameters", "state", "taken") if key in more}
        step = Step(
            name=more.pop("name", "fit"),
            cells=own,
            blocks=more.pop("blocks", blocks),
            inputs=tuple(Port(name=name) for name in takes.split()),
            outputs=tuple(Port(name=name) for name in gives.split()),
            **more,
        )
        around = Surroundings(
            folder=self.root, home=self.home, run_folder=self.home / "runs" / "r", kernel="python3", seed=SEED
        )
        return StepCall(step=step, notebook=notebook, surroundings=around, inputs=tuple(groups), **on_call)

    def run(self, *cells: str | tuple[str, str], cancel: threading.Event | None = None, **more: Any) -> Ran:
        """Runs cells as one step; the keyword arguments are those of `call`."""
        return self.run_call(self.call(make_notebook(*cells), **more), cancel)

    def run_call(self, call: StepCall, cancel: threading.Event | None = None) -> Ran:
        events: list[Event] = []
        executor = PapermillExecutor()
        with pytest.MonkeyPatch.context() as patch, opened(executor, steps=1, jobs=1):
            patch.setenv(VARIABLE, self.kernels)
            # With it, ipykernel leaves file descriptors alone; another thread may have taken it away.
            patch.delenv("PYTEST_CURRENT_TEST", raising=False)
            outcome = executor.run_step(call, events.append, cancel or threading.Event())
        noted = [event for event in events if isinstance(event, Noted) and event.code in {"NB518", "NB519"}]
        return Ran(outcome, [event for event in events if event not in noted], [note.message for note in noted])

    def on(self, call: StepCall, **changes: Any) -> StepCall:
        """The call with other surroundings."""
        return replace(call, surroundings=replace(call.surroundings, **changes))

    def values(self, outcome: Completed) -> dict[str, Any]:
        store = LocalStore(self.home / "store")
        namespace: dict[str, object] = {"__name__": "__main__"}
        values: dict[str, Any] = {}
        for group in outcome.outputs:
            values |= load(group, store=store, namespace=namespace)
        return values

    def step_notebook(self, name: str = "fit") -> Path:
        return self.home / "runs" / "r" / "steps" / f"{name}.ipynb"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(params=["forked", "cold"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Bench:
    """A bench whose kernels are forked, and one whose are not."""
    return Bench(tmp_path, kernels=request.param)


@pytest.fixture
def one_cell() -> Notebook:
    return make_notebook("x = 1")
