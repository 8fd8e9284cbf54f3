"""A cell as the text of a module: the table in `cases/magics/texts.txt`, and what holds for each of it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.codegen.magics.installs import installs
from nb2pipe.codegen.magics.text import ModuleText, module_text
from nb2pipe.notebook.interpolation import BoundNames
from nb2pipe.notebook.model import Cell, CellKind
from nb2pipe.notebook.syntax import syntax_problem
from nb2pipe.runtime import magics

BOUND = BoundNames(frozenset({"path", "src", "dst", "cfg", "d", "x", "f"}))
TABLE = Path(__file__).parents[2] / "cases" / "magics" / "texts.txt"


@dataclass(frozen=True)
class Case:
    name: str
    source: str
    text: str
    codes: tuple[str, ...]
    requirements: tuple[str, ...]


def cases() -> list[Case]:
    return [case(block) for block in TABLE.read_text("utf-8").split("\n== ")[1:]]


def case(block: str) -> Case:
    name, _, rest = block.partition("\n")
    source, _, expected = rest.partition("\n=>\n")
    lines = expected.rstrip("\n").split("\n")
    notes = [line for line in lines if line.startswith(("!NB", "+"))]
    text = lines[: len(lines) - len(notes)]
    text += [""] * (source.count("\n") + 1 - len(text))
    codes = tuple(line[1:] for line in notes if line[0] == "!")
    return Case(name, source, "\n".join(text), codes, tuple(line[1:] for line in notes if line[0] == "+"))


def read(cell_source: str, **options: object) -> ModuleText:
    cell = Cell(id="a", position=4, kind=CellKind.CODE, source=cell_source)
    return module_text(cell, BOUND, notebook="n.ipynb", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_table_of_texts(case: Case) -> None:
    found = read(case.source)
    assert found.text == case.text
    assert tuple(f"{each.code} {each.location.line}" for each in found.problems) == case.codes
    assert found.requirements == case.requirements


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_lines_stand_where_they_stood_and_are_python(case: Case) -> None:
    found = read(case.source)
    assert found.text.count("\n") == case.source.count("\n")
    assert syntax_problem(found.text) is None


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_helpers_are_those_that_the_text_calls(case: Case) -> None:
    found = read(case.source)
    names = {node.id for node in ast.walk(ast.parse(found.text)) if isinstance(node, ast.Name)}
    assert set(found.helpers) == {name for name in magics.__all__ if name in names}


def test_a_problem_has_its_place_and_a_hint() -> None:
    (problem,) = read("x = 1\n%run a.py", step="train").problems
    assert problem.location.notebook == "n.ipynb"
    assert (problem.location.cell, problem.location.position, problem.location.line) == ("a", 4, 2)
    assert problem.location.source_line == "%run a.py"
    assert problem.location.step == "train"
    assert problem.message == "modules cannot hold `%run`"
    assert problem.hint == "import what it defines, as from a module"


def test_a_part_of_a_cell_is_read_as_the_cell() -> None:
    found = read("%%time\nimport a\ny = !ls", source="\nimport a\n")
    assert found.text == "\nimport a\n"
    assert read("%%time\nimport a\ny = !ls", source="%%time\nimport a\n").text == "with timed():\n    import a\n"


def test_a_helper_gives_way_to_a_name_of_the_author() -> None:
    found = read("!ls\ny = !ls", taken=frozenset({"run_shell", "run_shell_"}))
    assert found.text == 'run_shell__("ls")\ny = shell_lines("ls")'
    assert found.helpers == ("run_shell as run_shell__", "shell_lines")


def test_the_authors_own_display_is_left_alone() -> None:
    cell = Cell(id="a", position=1, kind=CellKind.CODE, source="display(x)")
    assert not module_text(cell, BoundNames(frozenset({"display"})), notebook="n.ipynb").helpers


@pytest.mark.parametrize(
    "command",
    ["make install", "pip", "echo pip install a", "pip install a; make", "npm install a", "pip download a", ""],
)
def test_a_command_that_does_not_only_install_is_no_install(command: str) -> None:
    assert installs(command) is None


def test_of_what_is_editable_only_a_repository_is_a_requirement() -> None:
    place = "git+https://host/a.git@1.0"
    found = installs(f"pip install -e {place} b --editable . -e folder")
    assert found is not None
    assert (found.requirements, found.other) == ((place, "b"), (".", "folder"))


def test_what_may_break_out_of_a_list_of_requirements_is_none() -> None:
    found = installs("pip install 'a\n--index-url http://evil' '; rm' './a' 'a b'")
    assert found is None or not found.requirements


COMMANDS = st.text(st.sampled_from("ab{}$'\"\\ x!:r#\n\t\u202e[]=%;"), max_size=20)


@given(COMMANDS)
def test_any_command_is_python_of_one_line(command: str) -> None:
    source = f"!a{command}".replace("\n", " ").rstrip("\\?")
    found = read(source)
    assert syntax_problem(found.text) is None
    assert found.text.count("\n") == source.count("\n")


@given(st.text(st.sampled_from("ab'\"\\\n{}\u2028\x00$"), max_size=20))
def test_any_body_of_a_script_comes_out_as_it_went_in(text: str) -> None:
    body = f"a{text}"
    found = read(f"%%bash\n{body}")
    (call,) = [node for node in ast.walk(ast.parse(found.text)) if isinstance(node, ast.Call)]
    assert ast.literal_eval(call.args[1]) == f"\n{body}"
    assert found.text.count("\n") == 1 + body.count("\n")
