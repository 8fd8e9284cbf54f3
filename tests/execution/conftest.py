"""An executor that runs steps in this process, and pipelines written down without a notebook file."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.analysis.model import CellFacts, Dataflow, FlowKind
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.execution.drive import Context, DriveEnd, drive
from nb2pipe.execution.model import Cancelled, Completed, Failed, Outcome, StepCall, Surroundings
from nb2pipe.execution.schedule import schedule_of
from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.model import Cell, CellKind, GateTag, Kernel, Notebook, Settings
from nb2pipe.pipeline.model import Block, Edge, Parameter, Pipeline, Port, Resources, Step
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.events import Event, Failure, StepStatus
from nb2pipe.serializers import groups
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from nb2pipe.serializers.groups import Group


class Stopped(Exception):  # noqa: N818
    """The step was cancelled."""


@dataclass
class InProcess:
    """Runs the code of a step with `exec`; variables that share objects travel together.

    The code may call `draw()` (a random generator), `metric(name, value)`, `tell(word)` and `hear(word)` to wait for
    another step, and `wait(seconds)`, which ends early when the step is cancelled.
    """

    store: LocalStore
    name: str = "in-process"
    ran: list[str] = field(default_factory=list)
    calls: list[StepCall] = field(default_factory=list)
    words: dict[str, threading.Event] = field(default_factory=dict)
    prepare: Mapping[str, Any] = field(default_factory=dict)
    sets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unchanged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    seen: Mapping[str, Any] = field(default_factory=dict)

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:  # noqa: ARG002
        self.ran.append(call.step.name)
        self.calls.append(call)
        drawn = int(self.store.get(Digest(call.state["random"]))) if "random" in call.state else call.surroundings.seed
        state = {"random": drawn}
        metrics: dict[str, float] = {}
        namespace = self._namespace(cancel, state, metrics)
        tools = frozenset(namespace)
        for group in call.inputs:
            namespace |= groups.load(group, store=self.store, namespace=namespace)
        namespace |= call.parameters
        try:
            for block in call.step.blocks:
                exec(call.notebook.cell(block.cell).python, namespace)
        except Stopped:
            return Cancelled()
        except Exception as error:  # noqa: BLE001  # whatever the code of a step raises
            failure = Failure(
                step=call.step.name, cell=call.step.cells[0], line=1, kind=type(error).__name__, message=str(error)
            )
            return Failed(failure=failure)
        kept = {"random": str(self.store.put(str(state["random"]).encode()))} if state["random"] != drawn else {}
        kept |= self.sets.get(call.step.name, {})
        return Completed(
            outputs=self._groups(call, namespace, tools),
            state=kept,
            metrics=metrics,
            unchanged=self.unchanged.get(call.step.name, frozenset()),
            seen=self.seen,
        )

    def word(self, name: str) -> threading.Event:
        return self.words.setdefault(name, threading.Event())

    def _namespace(self, cancel: threading.Event, state: dict[str, int], metrics: dict[str, float]) -> dict[str, Any]:
        def draw() -> int:
            state["random"] += 1
            return state["random"]

        def wait(seconds: float) -> None:
            if cancel.wait(seconds):
                raise Stopped

        def hear(name: str) -> None:
            end = time.monotonic() + 20
            while not self.word(name).wait(0.01):
                if cancel.is_set():
                    raise Stopped
                assert time.monotonic() < end, name

        tools = {"draw": draw, "wait": wait, "hear": hear, "tell": lambda name: self.word(name).set()}
        return {**tools, "metric": metrics.__setitem__, **self.prepare}

    def _groups(self, call: StepCall, namespace: dict[str, Any], tools: Collection[str]) -> tuple[Group, ...]:
        """The outputs, and all else that shares objects with them."""
        values = {name: value for name, value in namespace.items() if name not in tools and name[0] != "_"}
        outputs = {port.name for port in call.step.outputs}
        tied = [names for names in groups.partition(values, namespace=namespace) if outputs & set(names)]
        stored = {name: values[name] for names in tied for name in names}
        return groups.dump(stored, store=self.store, namespace=namespace)


@dataclass(frozen=True)
class Spec:
    """A step in short: one cell of code; `takes` says from which step each name is, None for one around."""

    code: str
    takes: Mapping[str, str | None] = field(default_factory=dict)
    gives: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    after_random: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    draws: bool = False
    retry: int = 0
    gate: str | None = None
    writes: bool = False
    nested: Pipeline | None = None
    metrics: bool = False
    resources: Resources = field(default_factory=Resources)


def make_pipeline(
    specs: Mapping[str, Spec],
    *,
    path: str = "trial.ipynb",
    parameters: Mapping[str, object] | None = None,
    kernel: str | None = None,
) -> Pipeline:
    cells = tuple(
        Cell(id=name, position=index, kind=CellKind.CODE, source=spec.code, python=spec.code)
        for index, (name, spec) in enumerate(specs.items(), 1)
    )
    digest = Digest.of("test", [spec.code for spec in specs.values()])
    notebook = Notebook(path=path, cells=cells, kernel=Kernel(name=kernel), settings=Settings(), digest=digest)
    files = {True: frozenset({"out.txt"}), False: frozenset[str]()}
    facts = tuple(
        CellFacts(cell=index, files_written=files[spec.writes]) for index, spec in enumerate(specs.values(), 1)
    )
    return Pipeline(
        name="trial",
        notebook=notebook,
        settings=Settings(),
        parameters=tuple(
            Parameter(name=name, type=type(value).__name__, default=value, cell=1, line=1)
            for name, value in (parameters or {}).items()
        ),
        steps=tuple(_step(name, index, spec) for index, (name, spec) in enumerate(specs.items(), 1)),
        edges=tuple(edge for name, spec in specs.items() for edge in _edges(name, spec)),
        report=Report(),
        dataflow=Dataflow(notebook=notebook, facts=facts),
    )


def _step(name: str, cell: int, spec: Spec) -> Step:
    return Step(
        name=name,
        cells=(cell,),
        blocks=() if spec.nested else (Block(cell=cell),),
        inputs=tuple(Port(name=each, origin=spec.takes[each]) for each in sorted(spec.takes)),
        outputs=tuple(Port(name=each) for each in sorted(spec.gives)),
        parameters=spec.parameters,
        draws=frozenset({"random"} if spec.draws else ()),
        retry=spec.retry,
        gate=GateTag(parse_gate(spec.gate), spec.gate) if spec.gate else None,
        nested=spec.nested,
        metrics=(cell,) if spec.metrics else (),
        resources=spec.resources,
    )


def _edges(name: str, spec: Spec) -> list[Edge]:
    edges = {source: Edge(source=source, target=name, kinds=(FlowKind.RANDOM,)) for source in spec.after_random}
    edges |= {source: Edge(source=source, target=name, declared=True) for source in spec.after}
    inside = {variable: source for variable, source in spec.takes.items() if source is not None}
    for variable, source in inside.items():
        before = edges.get(source, Edge(source=source, target=name))
        edges[source] = replace(before, names=(*before.names, variable), kinds=(FlowKind.VALUE,))
    return list(edges.values())


@dataclass
class Trial:
    """A run of a pipeline with the driver alone."""

    executor: InProcess
    context: Context
    events: list[Event]
    end: DriveEnd | None = None

    def run(self, pipeline: Pipeline, **changes: Any) -> DriveEnd:
        self.context = replace(self.context, **changes)
        work = make_work(pipeline, self.context.surroundings.folder)
        self.end = drive(work, schedule_of(work), self.context)
        return self.end

    def value(self, name: str) -> Any:
        """The last version of a variable."""
        assert self.end is not None
        for step in reversed(self.end.steps):
            for group in step.outputs:
                if name in group.names:
                    return groups.load(group, store=self.executor.store, namespace={})[name]
        raise KeyError(name)

    @property
    def statuses(self) -> dict[str, StepStatus]:
        assert self.end is not None
        return {step.name: step.status for step in self.end.steps}

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


@pytest.fixture
def trial(tmp_path: Path, store: LocalStore) -> Trial:
    executor = InProcess(store)
    events: list[Event] = []
    surroundings = Surroundings(folder=tmp_path, home=tmp_path, run_folder=tmp_path / "run", kernel="python3", seed=100)
    context = Context(
        executor=executor,
        store=store,
        publish=events.append,
        surroundings=surroundings,
        cancel=threading.Event(),
        jobs=2,
    )
    return Trial(executor, context, events)


@pytest.fixture
def pipeline() -> Callable[..., Pipeline]:
    return make_pipeline


@pytest.fixture
def spec() -> type[Spec]:
    return Spec
