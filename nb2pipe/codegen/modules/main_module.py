"""`__main__.py`: the steps in notebook order, in one process."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import Import, SourceKind
from nb2pipe.codegen.modules.imports import import_text
from nb2pipe.codegen.modules.indent import INDENT
from nb2pipe.codegen.modules.lines import bracketed, exit_call
from nb2pipe.codegen.modules.parameters import fresh_defaults, needs_any, signature_item, with_any
from nb2pipe.codegen.modules.values import is_literal
from nb2pipe.codegen.modules.words import docstring, quoted
from nb2pipe.codegen.templates import Code

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nb2pipe.codegen.model import Argument, PackagePlan, StepPlan

_OWN = {
    "sys": Import(module="sys", name=None, bound="sys"),
    "Any": Import(module="typing", name="Any", bound="Any"),
    "TYPE_CHECKING": Import(module="typing", name="TYPE_CHECKING", bound="TYPE_CHECKING"),
    "UNBOUND": Import(module="nb2pipe.runtime.modules", name="UNBOUND", bound="UNBOUND"),
    "run_pipeline": Import(module="nb2pipe.runtime.program", name="run_pipeline", bound="run_pipeline"),
    "Run": Import(module="nb2pipe.runtime.program", name="Run", bound="Run"),
}


def main_values(plan: PackagePlan) -> dict[str, object]:
    """What the template of `__main__.py` prints."""
    names = _names(plan)
    imported = {"sys", "TYPE_CHECKING", "run_pipeline"}
    imported |= {"Any"} if needs_any(plan.parameters) else set()
    imported |= {"UNBOUND"} if not all(is_literal(one.default) for one in plan.parameters) else set()
    own = frozenset({plan.name})
    imports = (replace(_OWN[name], bound=names[name]) for name in imported)
    typed = replace(_OWN["Run"], bound=names["Run"])
    return {
        "own": {name: Code(known) for name, known in names.items()},
        "imports": Code(import_text(imports, own=own)),
        "typed": Code(import_text([typed], own=own, indent=INDENT)),
        "signature": Code(_signature(plan, names)),
        "docstring": Code(docstring(plan.description.strip() or "The steps in notebook order.", indent=INDENT)),
        "fresh": Code(fresh_defaults(plan.parameters)),
        "calls": Code("\n".join(_calls(plan, names))),
        "exit": Code(exit_call(names["sys"], names["run_pipeline"], [quoted(plan.name), names["pipeline"]])),
    }


def _names(plan: PackagePlan) -> dict[str, str]:
    """What our names are called beside the pipeline's parameters."""
    taken = {one.name for one in plan.parameters}
    names: dict[str, str] = {}
    for name in (*_OWN, "pipeline", "run"):
        names[name] = _free(name, taken)
        taken.add(names[name])
    return names


def _free(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _signature(plan: PackagePlan, names: Mapping[str, str]) -> str:
    parameters = (with_any(one, names["Any"]) for one in plan.parameters)
    given = [signature_item(one, names["UNBOUND"]) for one in parameters]
    first = f"{names['run']}: {names['Run']}"
    return bracketed(f"def {names['pipeline']}", [first, *(["*", *given] if given else [])], " -> None:")


def _calls(plan: PackagePlan, names: Mapping[str, str]) -> Iterator[str]:
    results = _results(plan, names)
    for gates, steps in groupby(plan.steps, key=lambda step: step.gates):
        if gates:
            yield _condition(gates, names["run"])
        for step in steps:
            yield _call(step, results, names["run"], INDENT * (2 if gates else 1))


def _results(plan: PackagePlan, names: Mapping[str, str]) -> dict[str, str]:
    """The variable that keeps the result of each step that another one takes from."""
    taken = {*names.values(), *(one.name for one in plan.parameters)}
    used = {one.step for step in plan.steps for one in step.arguments if one.kind is SourceKind.OUTPUT}
    results: dict[str, str] = {}
    for step in plan.steps:
        if step.name in used:
            results[step.name] = _free(step.function, taken)
            taken.add(results[step.name])
    return results


def _condition(gates: tuple[str, ...], run: str) -> str:
    return bracketed(f"if {run}.passes", [quoted(gate) for gate in gates], ":", indent=INDENT)


def _call(step: StepPlan, results: Mapping[str, str], run: str, indent: str) -> str:
    given = [_given(one, results) for one in step.arguments if one.kind is not SourceKind.DEFAULT]
    kept = f"{results[step.name]} = " if step.name in results else ""
    return bracketed(f"{kept}{run}", [quoted(step.name), *given], "", indent=indent)


def _given(one: Argument, results: Mapping[str, str]) -> str:
    source = f"{results[one.step]}.{one.source}" if one.step is not None else one.source
    return f"{one.name}={source}"
