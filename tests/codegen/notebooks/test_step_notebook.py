"""The notebook that runs a step: whose cells stand in it, in which order, with which text."""

from __future__ import annotations

import ast
import datetime as dt
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.metric_names import metric_names
from nb2pipe.codegen.notebooks.step_notebook import step_notebook
from nb2pipe.digest import Digest
from nb2pipe.notebook.model import Cell, CellKind, Kernel, Notebook, ParametersTag, Settings
from nb2pipe.pipeline.model import Block, BlockRole, Step
from nb2pipe.runtime.spec import GroupSpec, StepSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFINITIONS = BlockRole.DEFINITIONS
PARAMETERS = BlockRole.PARAMETERS


@dataclass(frozen=True)
class Call:
    step: Step
    notebook: Notebook
    parameters: Mapping[str, object] = field(default_factory=dict)


def cell(position: int, source: str, *tags: str) -> Cell:
    typed = (ParametersTag(),) if "parameters" in tags else ()
    kind = CellKind.CODE
    return Cell(
        id=f"c{position}", position=position, kind=kind, source=source, python=source, raw_tags=tags, tags=typed
    )


def made(sources: list[Cell], blocks: list[Block], *groups: GroupSpec, **parameters: object) -> list[Any]:
    notebook = Notebook(
        path="n.ipynb", cells=tuple(sources), kernel=Kernel(), settings=Settings(), digest=Digest.of("test", 1)
    )
    own = tuple(block.cell for block in blocks if block.role is BlockRole.CODE)
    call = Call(Step(name="fit", cells=own, blocks=tuple(blocks)), notebook, parameters)
    spec = StepSpec(step="fit", folder="/f", store="/s", result="/r", seed=1, inputs=groups)
    found = step_notebook(call, spec, kernel="python3")
    nbformat.validate(found)
    return list(found.cells)


def roles(cells: list[Any]) -> list[str]:
    return [one.metadata.nb2pipe.role + str(one.metadata.nb2pipe.get("cell", "")) for one in cells]


def test_lines_that_are_not_kept_are_blank_and_tags_and_ids_are_kept() -> None:
    source = "import os\nx = 1\n\ndef f():\n    return os"
    cells = made(
        [cell(1, source, "imports", "hide-input"), cell(2, "f()")],
        [Block(cell=1, role=DEFINITIONS, lines=frozenset({1, 4, 5})), Block(cell=2)],
    )
    assert roles(cells) == ["enter", "definitions1", "enter", "code2", "leave"]
    assert cells[1].source == "import os\n\n\ndef f():\n    return os"
    assert (cells[1].id, cells[1].metadata.tags) == ("c1", ["imports", "hide-input"])


def test_neighboring_blocks_of_one_cell_are_one_cell() -> None:
    cells = made(
        [cell(1, "import os\nx = 1\ny = 2")],
        [Block(cell=1, role=DEFINITIONS, lines=frozenset({1})), Block(cell=1, lines=frozenset({3}))],
    )
    assert roles(cells) == ["enter", "code1", "leave"]
    assert cells[1].source == "import os\n\ny = 2"


def test_a_cell_that_stands_twice_has_two_ids() -> None:
    cells = made(
        [cell(1, "import os"), cell(2, "x")],
        [Block(cell=1, role=DEFINITIONS), Block(cell=2), Block(cell=1)],
    )
    assert len({one.id for one in cells}) == len(cells)


def test_inputs_are_loaded_before_the_definition_that_reads_them_at_once() -> None:
    group = GroupSpec(names=("base", "far"), digest="0" * 64, take=("base",))
    late = GroupSpec(names=("late",), digest="1" * 64, take=("late",))
    cells = made(
        [
            cell(1, "class A:\n    def f(self):\n        return late"),
            cell(2, "class B(base):\n    pass"),
            cell(3, "late"),
        ],
        [Block(cell=1, role=DEFINITIONS), Block(cell=2, role=DEFINITIONS), Block(cell=3)],
        group,
        late,
    )
    assert roles(cells) == ["enter", "definitions1", "enter", "definitions2", "enter", "code3", "leave"]
    assert "load(['base', 'far'])" in cells[2].source
    assert "load(['late'])" in cells[4].source


def test_a_value_is_assigned_after_its_own_cell() -> None:
    sources = [cell(1, "a = 1", "parameters"), cell(2, "b = 2", "parameters"), cell(3, "print(a, b)")]
    for named in (True, False):  # blocks that name what they inject, and blocks that do not
        first, second = (("a",), ("b",)) if named else ((), ())
        blocks = [
            Block(cell=1, role=PARAMETERS, injects=first),
            Block(cell=2, role=PARAMETERS, injects=second),
            Block(cell=3),
        ]
        cells = made(sources, blocks, b=[1, "x"], a=None)
        assert roles(cells)[1:5] == ["parameters1", "injected", "parameters2", "injected"]
        assert (cells[2].source, cells[4].source) == ("# Parameters\na = None", "# Parameters\nb = [1, 'x']")
        assert cells[2].metadata.tags == ["injected-parameters"]


def test_a_value_whose_default_the_step_does_not_hold_is_assigned_all_the_same() -> None:
    cells = made([cell(1, "a = time()", "parameters"), cell(2, "a")], [Block(cell=2)], a=5)
    assert roles(cells) == ["enter", "injected", "code2", "leave"]


def test_names_and_texts_never_become_code_of_ours() -> None:
    cells = made([cell(1, "x")], [Block(cell=1)], a="'''\"\"\"\n# {x} \\")
    ((assignment),) = ast.parse(cells[1].source).body
    assert isinstance(assignment, ast.Assign)
    assert ast.literal_eval(assignment.value) == "'''\"\"\"\n# {x} \\"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        -3,
        10**30,
        0.1,
        1e-300,
        'it\'s "quoted" \\ \n \x00 é 😀 {x}',
        b"\x00'",
        [],
        (1,),
        {"a": [1, {2: None}]},
        {1, 2},
        set(),
        2j,
        dt.date(2026, 1, 2),
        dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC),
        math.inf,
        [-math.inf],
    ],
    ids=repr,
)
def test_a_literal_means_the_value(value: object) -> None:
    assert eval(literal(value), {}) == value
    assert type(eval(literal(value), {})) is type(value)


def test_nan_has_a_text_and_objects_have_none() -> None:
    assert math.isnan(eval(literal(math.nan), {}))
    with pytest.raises(ValueError, match="object"):
        literal([object()])


def test_a_string_that_lies_about_its_text_is_written_as_what_it_is() -> None:
    class Liar(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return "__import__('os').abort()"

    assert literal(Liar("x")) == "'x'"


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = b = 1\nc: int = 2\nd += 1", ("a", "b", "c", "d")),
        ("for i in range(3):\n    e = i", ("e",)),
        ("print(f, 'text', g)\nprint(*h)", ("f", "g", "h")),
        ("print(f'{j:.3f} {k.x}')", ("j",)),
        ("def f():\n    inner = 1\n_hidden = 2\nx.y = 3\nz[0] = 4", ()),
        ("(m, n) = 1, 2\nprint(len(o))", ("m", "n")),
        ("not python", ()),
    ],
)
def test_metrics_are_what_a_cell_assigns_or_prints(source: str, names: tuple[str, ...]) -> None:
    assert metric_names(source) == names
