"""What flows between cells, by the tables of small cases in `tests/cases/flows/`.

A case begins with `# == what it shows`; a cell with `# %% NAME [TAGS]`, where a cell without tags is a step of that
name; lines with `#>` are what is expected. `a -> b: x, ~y, ?z, f()` says that `b` takes from `a` the variable `x` that
`a` bound, `y` that it changed, `z` that it may have changed, and the function `f`; `random numpy`, `file x.csv` and
`order cwd` are flows outside of variables. All flows are named: what is not expected fails. Lines with `#!` below the
title concern running the case, see `tests/meaning/test_flow_values.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nb2pipe.analysis.analyze import analyze
from nb2pipe.analysis.model import Dataflow, Flow, FlowKind
from nb2pipe.digest import Digest
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.interpolation import bound_names
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import (
    Cell,
    CellKind,
    FunctionsTag,
    ImportsTag,
    InjectedParametersTag,
    Kernel,
    Notebook,
    ParametersTag,
    RaisesExceptionTag,
    Settings,
    SkipTag,
    StepTag,
    Tag,
)

if TYPE_CHECKING:
    from nb2pipe.diagnostics import Report

CASES = Path(__file__).parent.parent / "cases" / "flows"

HELPERS = """
import math

def put(items, x):
    items.append(x)

def area(r):
    return math.pi * r
"""

HELPERS = """
import math

def put(items, x):
    items.append(x)

def area(r):
    return math.pi * r
"""

ENVIRONMENT = Environment(star_exports={"known": ("something", "other")}, local_sources={"helpers": HELPERS})

TAGS: dict[str, Tag] = {
    "imports": ImportsTag(),
    "functions": FunctionsTag(),
    "parameters": ParametersTag(),
    "injected": InjectedParametersTag(),
    "skip": SkipTag(),
    "raises-exception": RaisesExceptionTag(),
}


@dataclass
class Case:
    file: str
    title: str
    cells: list[tuple[str, tuple[str, ...], list[str]]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def read_cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted(CASES.glob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# == "):
                found.append(Case(path.stem, line[5:]))
            elif line.startswith("#! "):
                found[-1].said.append(line[3:])
            elif match := re.fullmatch(r"# %%\s*(\w*)\s*(?:\[(.*)\])?", line):
                name, tags = match[1], tuple((match[2] or "").split())
                found[-1].cells.append((name or tags[0], tags, []))
            elif line.startswith("#> "):
                found[-1].expected.append(line[3:])
            elif found and not found[-1].expected and found[-1].cells:
                found[-1].cells[-1][2].append(line)
    return found


def notebook_of(case: Case) -> Notebook:
    cells = []
    sources = ["\n".join(lines).rstrip("\n") for _, _, lines in case.cells]
    bound = bound_names(translate(source).python for source in sources)
    for position, (name, tags, _) in enumerate(case.cells, start=1):
        source = sources[position - 1]
        read = translate(source, bound)
        meant = tuple(StepTag(tag[5:]) if tag.startswith("step:") else TAGS[tag] for tag in tags) or (StepTag(name),)
        cells.append(
            Cell(
                id=f"cell-{position}",
                position=position,
                kind=CellKind.CODE,
                source=source,
                python=read.python,
                tags=meant,
                raw_tags=tags or (f"step:{name}",),
                magics=read.magics,
            )
        )
    return Notebook(
        path="case.ipynb",
        cells=tuple(cells),
        kernel=Kernel(),
        settings=Settings(),
        digest=Digest.of("case", case.title),
    )


def shown(flow: Flow) -> str:
    match flow.kind:
        case FlowKind.VALUE | FlowKind.CHANGE:
            mark = "" if flow.kind is FlowKind.VALUE else ("~" if flow.certain else "?")
            return f"{mark}{flow.name}{'()' if flow.function else ''}"
        case _:
            return f"{flow.kind} {flow.name}"


def found_lines(case: Case, dataflow: Dataflow, report: Report) -> list[str]:
    names = {position: name for position, (name, _, _) in enumerate(case.cells, start=1)}
    edges: dict[tuple[int, int], set[str]] = {}
    for flow in dataflow.flows:
        edges.setdefault((flow.source, flow.target), set()).add(shown(flow))
    lines = [
        f"{names[source]} -> {names[target]}: {', '.join(sorted(flows))}" for (source, target), flows in edges.items()
    ]
    lines += [
        f"{problem.severity} {problem.code} {names[problem.location.position or 0]}"
        for problem in report
        if problem.code < "NB250"
    ]
    if any(line.startswith("needs ") for line in case.expected):
        wanted = {line.split(":")[0].removeprefix("needs ") for line in case.expected if line.startswith("needs ")}
        lines += [
            _needs(names[fact.cell], dataflow, fact.needs) for fact in dataflow.facts if names[fact.cell] in wanted
        ]
    if any(line.startswith("parameter ") for line in case.expected):
        lines += [
            f"parameter {name}: {', '.join(names[cell] for cell in sorted(cells))}"
            for name, cells in dataflow.parameter_uses.items()
        ]
    return lines


def _needs(name: str, dataflow: Dataflow, needs: tuple[int, ...]) -> str:
    bound = sorted({one for index in needs for one in dataflow.definitions[index].names})
    return f"needs {name}: {', '.join(bound)}"


def normal(line: str) -> str:
    """A line with its names in order."""
    head, separator, names = line.partition(":")
    if not separator:
        return line
    return f"{head}: {', '.join(sorted(part.strip() for part in names.split(',')))}"


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_flows_are_those_of_the_case(case: Case) -> None:
    dataflow, report = analyze(notebook_of(case), ENVIRONMENT)
    expected = [] if case.expected == ["nothing"] else case.expected
    found = found_lines(case, dataflow, report)
    assert sorted(map(normal, found)) == sorted(map(normal, expected))


def test_every_case_expects_something() -> None:
    cases = read_cases()
    assert all(case.expected for case in cases)
    assert len({(case.file, case.title) for case in cases}) == len(cases)
