"""In which form steps are written and what stands in definitions, by the tables of small cases in `tests/cases/forms/`.

A case begins with `# == what it shows`; a cell with `# %% NAME [TAGS]`, where a cell without tags is a step of that
name; lines with `#>` are what is expected: of each step its form, and of the rest what is named there.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from nb2pipe.analysis.analyze import analyze
from nb2pipe.codegen.model import Chunk, Form, PackagePlan, StepPlan
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import (
    Cell,
    CellKind,
    FunctionsTag,
    ImportsTag,
    Kernel,
    Notebook,
    ParametersTag,
    RaisesExceptionTag,
    Settings,
    StepTag,
    Tag,
)
from nb2pipe.pipeline.build import build

CASES = Path(__file__).parents[2] / "cases" / "forms"
ENVIRONMENT = Environment(star_exports={"known": ("something", "other")})
TAGS: dict[str, Tag] = {
    "imports": ImportsTag(),
    "functions": FunctionsTag(),
    "parameters": ParametersTag(),
    "raises-exception": RaisesExceptionTag(),
}


@dataclass
class Case:
    file: str
    title: str
    cells: list[tuple[str, tuple[str, ...], list[str]]] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)


def read_cases() -> list[Case]:
    found: list[Case] = []
    for path in sorted(CASES.glob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("# == "):
                found.append(Case(path.stem, line[5:]))
            elif match := re.fullmatch(r"# %%\s*(\w*)\s*(?:\[(.*)\])?", line):
                found[-1].cells.append((match[1], tuple((match[2] or "").split()), []))
            elif line.startswith("#>"):
                found[-1].expected.append(line[3:])
            elif not found[-1].expected:
                found[-1].cells[-1][2].append(line)
    return found


def notebook_of(case: Case) -> Notebook:
    cells = []
    for position, (name, tags, lines) in enumerate(case.cells, start=1):
        source = "\n".join(lines).rstrip("\n")
        read = translate(source)
        meant = tuple(StepTag(tag[5:]) if tag.startswith("step:") else TAGS[tag] for tag in tags) or (StepTag(name),)
        cells.append(
            Cell(
                id=f"cell-{position}",
                position=position,
                kind=CellKind.CODE,
                source=source,
                python=read.python,
                tags=meant,
                magics=read.magics,
            )
        )
    digest = Digest.of("case", case.title)
    return Notebook(path="case.ipynb", cells=tuple(cells), kernel=Kernel(), settings=Settings(), digest=digest)


def plan_of(case: Case) -> PackagePlan:
    dataflow, report = analyze(notebook_of(case), ENVIRONMENT)
    return make_plan(build(dataflow, Report.of(report)), ENVIRONMENT)


def shown(chunks: tuple[Chunk, ...]) -> str:
    return " || ".join(f"{chunk.line}: {chunk.text.replace(chr(10), ' | ')}" for chunk in chunks)


def bound(plan: PackagePlan) -> str:
    names: set[str] = set()
    for statement in (one for chunk in plan.definitions.chunks for one in ast.parse(chunk.text).body):
        if isinstance(statement, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in statement.names}
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(statement.name)
    if "*" in names:
        names |= {name for each in ENVIRONMENT.star_exports.values() for name in each}
    return ", ".join(sorted(names))


def facts_of(step: StepPlan) -> dict[str, str]:
    """What a line of a case may say of a step."""
    form = "function" if step.form is Form.FUNCTION else f"namespace: {step.reason}"
    return {
        "": form + (" async" if step.is_async else ""),
        "imports": "; ".join(map(str, step.imports)),
        "from definitions": ", ".join(step.from_definitions),
        "inputs": ", ".join(step.inputs),
        "outputs": ", ".join(output.name for output in step.outputs),
        "perhaps": ", ".join(output.name for output in step.outputs if not output.always),
        "optional": ", ".join(step.optional),
        "shared": ", ".join(step.shared),
        "stores": ", ".join(name for chunk in step.chunks for name in chunk.stores),
        "injects": "; ".join(f"{chunk.cell}: {', '.join(chunk.injects)}" for chunk in step.chunks if chunk.injects),
        "parameters": ", ".join(f"{one.name}={one.default}" for one in step.parameters),
        "defaults": "; ".join(
            f"{chunk.line + number}: {row}"
            for chunk in step.defaults
            for number, row in enumerate(chunk.text.split("\n"))
        ),
        "text": shown(step.chunks),
        "function": step.function,
        "reserved": ", ".join(sorted(step.reserved)),
    }


def found_lines(case: Case, plan: PackagePlan) -> list[str]:
    """What is so, in as many words as the case expects."""
    facts = {"definitions": {"": bound(plan), "text": shown(plan.definitions.chunks)}}
    facts |= {step.name: facts_of(step) for step in plan.steps}
    lines = []
    for line in case.expected:
        head, _, _ = line.partition(":")
        name, _, what = head.partition(" ")
        if line == "comes first":
            lines.append(line if plan.definitions.comes_first else f"not {line}")
        else:
            lines.append(f"{head}: {facts[name][what]}".rstrip())
    return lines


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_a_step_is_written_as_the_case_says(case: Case) -> None:
    plan = plan_of(case)
    told = {line.partition(":")[0] for line in case.expected}
    assert told >= {"definitions", *(step.name for step in plan.steps)}, "a case says the form of each step"
    for wanted, found in zip(case.expected, found_lines(case, plan), strict=True):
        exact = not re.match(r"\w+: namespace", wanted)
        assert found == wanted.rstrip() if exact else found.startswith(wanted), found


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_a_plan_becomes_modules(case: Case) -> None:
    for file in package_files(plan_of(case), {}):
        ast.parse(file.text)


def test_namespace_form_is_told_with_its_place() -> None:
    case = next(case for case in read_cases() if case.title == "names reached by their text")
    told = [item for item in plan_of(case).report if item.code == "NB402"]
    assert [(item.location.position, item.location.line, item.location.step) for item in told] == [
        (1, 2, "a"),
        (2, 1, "b"),
        (3, 1, "c"),
        (5, 1, "e"),
    ]
    assert told[0].location.source_line == 'exec("y = x")'
