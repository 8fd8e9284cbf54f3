"""Facts of cells, definitions and parameters, and how the work grows with the notebook."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nb2pipe.analysis.analyze import analyze
from nb2pipe.analysis.model import DefinitionKind
from nb2pipe.digest import Digest
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.model import (
    Cell,
    CellKind,
    FunctionsTag,
    Kernel,
    Notebook,
    ParametersTag,
    Settings,
    StepTag,
    Tag,
)

if TYPE_CHECKING:
    from nb2pipe.analysis.model import Dataflow, ParameterFact
    from nb2pipe.diagnostics import Report


def notebook_of(*cells: tuple[Tag, str]) -> Notebook:
    made = tuple(
        Cell(id=f"c{position}", position=position, kind=CellKind.CODE, source=text, python=text, tags=(tag,))
        for position, (tag, text) in enumerate(cells, start=1)
    )
    return Notebook(path="n.ipynb", cells=made, kernel=Kernel(), settings=Settings(), digest=Digest.of("n", 1))


def analyzed(*cells: tuple[Tag, str]) -> tuple[Dataflow, Report]:
    return analyze(notebook_of(*cells), Environment())


def parameters(text: str) -> dict[str, ParameterFact]:
    dataflow, _ = analyzed((ParametersTag(), text), (StepTag("a"), "print(1)"))
    return {fact.name: fact for fact in dataflow.parameters}


def test_literal_defaults_have_values() -> None:
    found = parameters("a = -1\nb = [1, {'x': None}]\nc: float = 1\nd, e = 'x', (1, 2)\n")
    assert {name: fact.value for name, fact in found.items()} == {
        "a": -1,
        "b": [1, {"x": None}],
        "c": 1,
        "d": "x",
        "e": (1, 2),
    }
    assert all(fact.is_literal and fact.repeatable for fact in found.values())
    assert found["c"].annotation == "float"
    assert (found["b"].line, found["b"].source) == (2, "[1, {'x': None}]")


def test_the_last_assignment_of_a_cell_counts() -> None:
    fact = parameters("a = 1\na = 2\n")["a"]
    assert (fact.value, fact.line) == (2, 2)


def test_an_expression_of_literals_is_repeatable_and_the_clock_is_not() -> None:
    found = parameters("import os, time\na = 2 * 3 + len('x')\nb = a + 1\nc = time.time()\nd = os.environ.get('X')\n")
    assert {name: (fact.is_literal, fact.repeatable) for name, fact in found.items()} == {
        "a": (False, True),
        "b": (False, True),
        "c": (False, False),
        "d": (False, False),
    }
    assert found["b"].reads == {"a"}


def test_definitions_have_their_lines_decorators_counted() -> None:
    text = "import math\n\n@staticmethod\ndef f(x):\n    return math.pi\n\nclass C:\n    pass\n"
    dataflow, _ = analyzed((FunctionsTag(), text), (StepTag("a"), "f(1)"))
    found = [(one.names, one.kind, one.first_line, one.last_line) for one in dataflow.definitions]
    assert found == [
        (("math",), DefinitionKind.IMPORT, 1, 1),
        (("f",), DefinitionKind.FUNCTION, 3, 5),
        (("C",), DefinitionKind.CLASS, 7, 8),
    ]
    assert dataflow.definitions[1].reads == {"math", "staticmethod"}


def test_code_of_a_definition_cell_has_its_lines() -> None:
    dataflow, _ = analyzed((FunctionsTag(), "import math\nx = [\n  1,\n]\ndef f():\n    pass\n"), (StepTag("a"), "x"))
    setup, step = dataflow.facts
    assert setup.code_lines == {2, 3, 4}
    assert step.code_lines is None
    assert setup.definitions == {"x"}


def test_facts_say_what_a_cell_does() -> None:
    dataflow, _ = analyzed(
        (StepTag("a"), "x = [1]\ny = 2\ndef f():\n    pass"),
        (StepTag("b"), "import random\nx.append(random.random())\ndel y\nopen('o.txt', 'w')\n"),
    )
    first, second = dataflow.facts
    assert first.definitions == {"x", "y", "f"}
    assert first.functions == {"f"}
    assert (second.uses, second.mutations, second.deletions) == ({"x", "y"}, {"x"}, {"y"})
    assert (second.draws, second.files_written) == ({"random"}, {"o.txt"})


def test_a_diagnostic_has_its_place_and_a_hint() -> None:
    _, report = analyzed((StepTag("a"), "scaler = 1"), (StepTag("b"), "x = 1\ny = 'ä' + scalar"))
    (problem,) = report
    place = problem.location
    assert (place.position, place.line, place.column, place.end_column, place.step) == (2, 2, 11, 17, "b")
    assert place.source_line == "y = 'ä' + scalar"
    assert problem.hint == "did you mean `scaler`?"


def chain(count: int) -> Notebook:
    text = (
        "x{0} = list(range(3))\nfor i in x{0}:\n    results.append(i)\nif x{0}:\n    y = len(results)\nprint(x{1}, y)\n"
    )
    cells = [text.format(number, max(number - 1, 0)) for number in range(count)]
    return notebook_of((StepTag("start"), "results = []\ny = 0"), *((StepTag(f"s{n}"), t) for n, t in enumerate(cells)))


def calls_of(notebook: Notebook) -> int:
    count = 0

    def profile(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        analyze(notebook, Environment())
    finally:
        sys.setprofile(before)
    return count


def test_the_work_grows_with_the_number_of_cells_and_no_faster() -> None:
    analyze(chain(2), Environment())
    assert calls_of(chain(200)) < 2.3 * calls_of(chain(100))


@pytest.mark.parametrize(
    "name", ["ast.py", "bdb.py", "contextlib.py", "dataclasses.py", "enum.py", "functools.py", "shelve.py", "shlex.py"]
)
def test_any_python_is_followed_to_its_end(name: str) -> None:
    text = (Path(sysconfig.get_paths()["stdlib"]) / name).read_text(encoding="utf-8")
    dataflow, report = analyzed((StepTag("a"), text), (StepTag("b"), "print(1)"))
    assert len(dataflow.facts) == 2
    assert not [problem for problem in report.errors if problem.code == "NB207"]


def test_a_cell_that_is_nested_too_deeply_is_an_error_with_a_place() -> None:
    text = "x = " + "-" * 80 + "1\n" + "y = " + "f(" * 60 + "1" + ")" * 60
    dataflow, report = analyzed((StepTag("a"), f"def f(v):\n    return v\n{text}"), (StepTag("b"), "print(y)"))
    assert [(flow.name, flow.source, flow.target) for flow in dataflow.flows] == [("y", 1, 2)]
    assert not report.errors
    deep = "x = " + "(" * 190 + "1" + ",)" * 190
    _, report = analyzed((StepTag("a"), deep))
    assert not [problem for problem in report.errors if problem.code != "NB207"]
