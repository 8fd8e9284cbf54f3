"""Parameters of steps: where their defaults are made, and how they stand in a signature."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.model import ParameterPlan
from nb2pipe.codegen.plan.hoist import BUILTINS
from nb2pipe.pipeline.statements import binds, reads

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.codegen.plan.hoist import Hoisted
    from nb2pipe.codegen.plan.source import Part, Piece, StepSource
    from nb2pipe.pipeline.model import Parameter, Pipeline

UNBOUND = "UNBOUND"
"""What stands for a default that the signature cannot say."""

_ANNOTATIONS = {
    "int": "int",
    "float": "float",
    "str": "str",
    "bool": "bool",
    "list": "list[Any]",
    "dict": "dict[Any, Any]",
    "tuple": "tuple[Any, ...]",
    "set": "set[Any]",
    "bytes": "bytes",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """Where the defaults of a step's parameters are made.

    Attributes:
        above: Statements that stand above the function, by their part.
        inside: For each part of the step that makes defaults itself, the parameters whose given values come after it.
        names: Those that statements above the function make, for the signature.
    """

    above: tuple[tuple[Part, tuple[Piece, ...]], ...] = ()
    inside: tuple[tuple[Part, tuple[str, ...]], ...] = ()
    names: frozenset[str] = frozenset()

    @property
    def late(self) -> frozenset[str]:
        """The parameters whose given values come after a part of the step."""
        return frozenset(name for _, names in self.inside for name in names)


def defaults_of(step: StepSource, hoisted: Hoisted) -> Defaults:
    """Where the defaults of a step's parameters are made.

    Args:
        step: The step.
        hoisted: What can be made before any step runs.
    """
    literals = {parameter.name for parameter in step.book.pipeline.parameters if parameter.is_literal}
    above: list[tuple[Part, tuple[Piece, ...]]] = []
    inside: list[tuple[Part, tuple[str, ...]]] = []
    names: set[str] = set()
    for part in step.parts:
        injects = tuple(name for name in part.block.injects if name in step.unit.step.parameters)
        if part.is_own and (injects or part.defaults):
            inside.append((part, injects))
            continue
        derived = [name for name in injects if name not in literals]
        kept, outside = _slice(part.defaults, derived)
        if all(name in hoisted.by_name or name in BUILTINS for name in outside):
            above += [(part, kept)] if kept else []
            names |= set(derived)
        else:
            inside.append((part, injects))
    return Defaults(above=tuple(above), inside=tuple(inside), names=frozenset(names))


def _slice(pieces: Iterable[Piece], wanted: Iterable[str]) -> tuple[tuple[Piece, ...], frozenset[str]]:
    """The statements that names come from, and what these read from elsewhere."""
    open_names = set(wanted)
    kept: list[Piece] = []
    for piece in reversed(tuple(pieces)):
        bound = binds(piece.node) & open_names
        if bound:
            kept.append(piece)
            if isinstance(piece.node, ast.Assign | ast.AnnAssign):
                open_names -= bound
            open_names |= reads(piece.node)
    return tuple(reversed(kept)), frozenset(open_names)


def step_parameters(step: StepSource, defaults: Defaults) -> tuple[ParameterPlan, ...]:
    """The parameters of a step's function."""
    known = {parameter.name: parameter for parameter in step.book.pipeline.parameters}
    sources = _sources(step.book.pipeline)
    return tuple(
        ParameterPlan(
            name=name,
            annotation=_annotation(known[name]),
            default=_default(known[name], sources.get(name, ""), defaults),
        )
        for name in step.unit.step.parameters
        if name in known
    )


def pipeline_parameters(pipeline: Pipeline) -> tuple[ParameterPlan, ...]:
    """The parameters of a pipeline."""
    sources = _sources(pipeline)
    return tuple(
        ParameterPlan(
            name=parameter.name,
            annotation=_annotation(parameter),
            default=_literal(parameter, sources.get(parameter.name, ""))
            if parameter.is_literal
            else str(parameter.default),
        )
        for parameter in pipeline.parameters
    )


def _sources(pipeline: Pipeline) -> dict[str, str]:
    return {fact.name: fact.source for fact in pipeline.dataflow.parameters} if pipeline.dataflow is not None else {}


def _annotation(parameter: Parameter) -> str:
    return _ANNOTATIONS.get(parameter.type or "", "Any")


def _default(parameter: Parameter, source: str, defaults: Defaults) -> str:
    if parameter.is_literal:
        return _literal(parameter, source)
    return parameter.name if parameter.name in defaults.names else UNBOUND


def _literal(parameter: Parameter, source: str) -> str:
    """The notebook's own text where it is one line, else the value."""
    if source and "\n" not in source:
        return source
    return ast.unparse(ast.parse(f"({source}\n)", mode="eval")) if source else literal(parameter.default)
