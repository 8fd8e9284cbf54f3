"""Parameters in the signature of a function: their types and defaults."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import SourceKind
from nb2pipe.codegen.modules.indent import INDENT
from nb2pipe.codegen.modules.lines import skipped
from nb2pipe.codegen.modules.values import formatted, is_literal, is_mutable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.codegen.model import ParameterPlan, StepPlan

_ANY = re.compile(r"\bAny\b")


def needs_any(plans: Iterable[ParameterPlan]) -> bool:
    """Whether a type names `Any`."""
    return any(_ANY.search(one.annotation) for one in plans)


def with_any(plan: ParameterPlan, name: str) -> ParameterPlan:
    """A parameter whose type calls `Any` as the module does."""
    return replace(plan, annotation=_ANY.sub(name, plan.annotation))


def own_parameters(step: StepPlan, pipeline: Iterable[ParameterPlan]) -> tuple[ParameterPlan, ...]:
    """The parameters of a step, each with the default that it has in this pipeline.

    A parameter of a nested notebook that the notebook around it has too takes its value from there.

    Args:
        step: The step.
        pipeline: The parameters of the whole pipeline.
    """
    if "/" not in step.name:  # no step of a nested notebook
        return step.parameters
    known = {one.name: one for one in pipeline if is_literal(one.default)}
    sources = {one.name: one.source for one in step.arguments if one.kind is SourceKind.PARAMETER}
    return tuple(_around(one, known.get(sources.get(one.name, ""))) for one in step.parameters)


def _around(inner: ParameterPlan, outer: ParameterPlan | None) -> ParameterPlan:
    if outer is None:
        return inner
    fits = inner.annotation in {"Any", outer.annotation} or (inner.annotation, outer.annotation) == ("float", "int")
    return replace(inner, default=outer.default) if fits else inner


def signature_item(plan: ParameterPlan, other: str) -> str:
    """A parameter as it stands in a signature.

    The default of a list, dictionary or set is None, and the function makes a new one: it may change it.

    Args:
        plan: The parameter.
        other: What is its default where that is no literal.
    """
    if is_mutable(plan.default):
        return f"{plan.name}: {plan.annotation if _ANY.match(plan.annotation) else f'{plan.annotation} | None'} = None"
    head = f"{plan.name}: {plan.annotation} = "
    if not is_literal(plan.default):
        return head + other
    return head + formatted(plan.default, indent=INDENT, before=len(head), after=1)


def fresh_defaults(plans: Iterable[ParameterPlan]) -> str:
    """The statements that make the defaults which can be changed."""
    return "\n".join(_fresh(plan) for plan in plans if is_mutable(plan.default))


def _fresh(plan: ParameterPlan) -> str:
    inner = INDENT * 2
    head = f"{plan.name} = "
    value = formatted(plan.default, indent=inner, before=len(head))
    return skipped(f"{INDENT}if {plan.name} is None:") + "\n" + skipped(f"{inner}{head}{value}")
