"""What a step runs, once all that can be made early is taken out of it, and what that does to names."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.names import query_names
from nb2pipe.codegen.plan.flow import NameFlow, name_flow
from nb2pipe.codegen.plan.hoist import Kind
from nb2pipe.codegen.plan.imported import is_future

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.codegen.plan.hoist import Hoisted, Place
    from nb2pipe.codegen.plan.parameters import Defaults
    from nb2pipe.codegen.plan.source import Part, Piece, StepSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What a step runs.

    Attributes:
        step: The step.
        parts: For each part, the statements that are left.
        given: The names that the step's function is given.
        taken: The names of its outputs that later steps take.
        outputs: The names of its outputs, without those that stand in `definitions`.
        flow: What the statements do to names, where what is given is bound.
        futures: The places of `from __future__ import ...` among the statements, which a function leaves out.
    """

    step: StepSource
    parts: tuple[tuple[Part, tuple[Piece, ...]], ...]
    given: frozenset[str]
    taken: frozenset[str]
    outputs: tuple[str, ...]
    flow: NameFlow
    futures: frozenset[Place] = frozenset()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The statements, in order."""
        return tuple(piece for _, pieces in self.parts for piece in pieces if piece.place not in self.futures)

    @property
    def local(self) -> frozenset[str]:
        """The names that are the function's own."""
        return self.given | frozenset(self.flow.bound)

    @property
    def mentioned(self) -> frozenset[str]:
        """All names that the statements read, in whatever scope and in the text of queries."""
        queried = (query_names(call) for piece in self.pieces for call in piece.parts.of(ast.Call))
        return frozenset(self.flow.reads | self.flow.late_reads).union(*queried)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """What goes from step to step.

    Attributes:
        still: Names of functions and classes that stand in `definitions`, and are not handed on.
        origins: For each step, by its name, the step that gives each of its inputs.
        taken: For each step, by its name, the outputs that later steps take.
    """

    still: frozenset[str]
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    taken: Mapping[str, frozenset[str]] = field(default_factory=dict)


def bodies(
    steps: Sequence[StepSource], hoisted: Hoisted, passing: Passing, defaults: Mapping[str, Defaults]
) -> tuple[Body, ...]:
    """What each step runs."""
    return tuple(_body(step, hoisted, passing, defaults[step.name]) for step in steps)


def _body(step: StepSource, hoisted: Hoisted, passing: Passing, defaults: Defaults) -> Body:
    inside = {part.block.cell for part, _ in defaults.inside}
    parts = tuple((part, _left(part, hoisted, with_defaults=part.block.cell in inside)) for part in step.parts)
    given = {port.name for port in step.unit.step.inputs} - passing.still
    given |= set(step.unit.step.parameters)
    pieces = [piece for _, left in parts for piece in left]
    futures = frozenset(piece.place for piece in pieces if is_future(piece.node))
    return Body(
        step=step,
        parts=parts,
        given=frozenset(given),
        taken=passing.taken.get(step.name, frozenset()),
        outputs=tuple(port.name for port in step.unit.step.outputs if port.name not in passing.still),
        flow=name_flow(_nodes(parts, futures), given, step.book.own),
        futures=futures,
    )


def _nodes(parts: Sequence[tuple[Part, tuple[Piece, ...]]], futures: frozenset[Place]) -> list[ast.stmt]:
    """The statements, for what they do to names: those of a cell that may raise may end anywhere."""
    found: list[ast.stmt] = []
    for part, pieces in parts:
        nodes = [piece.node for piece in pieces if piece.place not in futures]
        if part.is_own and part.block.may_raise and nodes:
            passed = ast.ExceptHandler(type=None, name=None, body=[ast.Pass()])
            nodes = [ast.Try(body=nodes, handlers=[passed], orelse=[], finalbody=[])]
        found += nodes
    return found


def _left(part: Part, hoisted: Hoisted, *, with_defaults: bool) -> tuple[Piece, ...]:
    kept = [piece for piece in part.pieces if not hoisted.has(piece)]
    if with_defaults:
        kept += part.defaults
    return tuple(sorted(kept, key=lambda piece: piece.place))


def still_names(steps: Sequence[StepSource], hoisted: Hoisted, stateless: frozenset[Place]) -> frozenset[str]:
    """The functions and classes of steps that need not be handed on, since nothing can have changed them.

    Args:
        steps: All steps of the run.
        hoisted: What can be made before any step runs.
        stateless: The places of functions and classes that hold nothing.
    """
    changed: set[str] = set()
    for book in {id(step.book): step.book for step in steps}.values():
        for fact in book.pipeline.dataflow.facts if book.pipeline.dataflow is not None else ():
            changed |= fact.mutations | fact.deletions
    givers: dict[str, int] = {}
    for step in steps:
        for port in step.unit.step.outputs:
            givers[port.name] = givers.get(port.name, 0) + 1
    return frozenset(
        name
        for name, each in hoisted.by_name.items()
        if each.kind in {Kind.FUNCTION, Kind.CLASS}
        and each.step is not None
        and each.piece.place in stateless
        and name not in changed
        and givers.get(name, 0) <= 1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Certainty:
    """What is there for certain.

    Attributes:
        optional: For each step, by its name, the inputs that may be missing when it begins, and that it may never read.
        always: For each step, by its name, the outputs that are bound whenever it ends.
    """

    optional: Mapping[str, frozenset[str]]
    always: Mapping[str, frozenset[str]]


def certainty(found: Sequence[Body], hoisted: Hoisted, passing: Passing) -> Certainty:
    """What is there for certain, in notebook order: what a step may not leave may be missing in a later one."""
    optional: dict[str, frozenset[str]] = {}
    always: dict[str, frozenset[str]] = {}
    for body in found:
        name = body.step.name
        makers = passing.origins.get(name, {})
        uncertain = frozenset(each for each, maker in makers.items() if each not in always[maker]) & body.given
        flow = body.flow
        if uncertain:
            nodes = _nodes(body.parts, body.futures)
            uncertain -= name_flow(nodes, body.given - uncertain, body.step.book.own).sure
            flow = name_flow(nodes, body.given - uncertain, body.step.book.own)
        optional[name] = uncertain
        own = flow.bound | body.given
        still = {each for each in body.outputs if each not in own and each in hoisted.by_name}
        always[name] = frozenset(still | passing.still | ((flow.end & own) if flow.end is not None else set()))
    return Certainty(optional=optional, always=always)
