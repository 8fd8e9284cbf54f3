from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nb2pipe.diagnostics import Severity
from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.model import (
    AfterTag,
    FunctionsTag,
    GateTag,
    ImageTag,
    MetricsTag,
    ParametersTag,
    SkipTag,
    TimeoutTag,
)
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline

    Make = Callable[..., Pipeline]


def only(pipeline: Pipeline) -> Diagnostic:
    (diagnostic,) = pipeline.report
    return diagnostic


def test_a_step_that_appears_again_may_not_need_what_lies_between(made: Make) -> None:
    pipeline = made(
        ("x = 1", "a"),
        ("y = x + 1", "b"),
        ("print(y)", "a"),
        facts={1: {"definitions": "x"}, 2: {"definitions": "y"}},
        flows=[("x", 1, 2), ("y", 2, 3)],
    )
    found = only(pipeline)
    assert (found.code, found.severity, found.location.position, found.location.step) == (
        "NB301",
        Severity.ERROR,
        3,
        "a",
    )
    assert found.message == "the step `a` appears again here, but cell 2 (step `b`) lies between and gives it `y`"
    assert [place.position for _, place in found.related] == [2]


def test_a_step_that_appears_again_may_not_make_what_lies_between_makes_too(made: Make) -> None:
    cells = [("x = 1", "a"), ("x = 2", "b"), ("x = 3", "a"), ("print(x)", "c")]
    facts = {number: {"definitions": "x"} for number in (1, 2, 3)}
    found = only(made(*cells, facts=facts, flows=[("x", 3, 4)]))
    assert (found.code, found.location.position) == ("NB301", 3)
    assert found.message.endswith("but cell 2 (step `b`) lies between and makes `x` before it")
    assert not made(*cells, facts=facts, flows=[]).report.errors  # nobody takes it


def test_a_step_that_appears_again_may_not_change_what_lies_between_has_from_it(made: Make) -> None:
    pipeline = made(
        ("x = [1]", "a"),
        ("y = sum(x)", "b"),
        ("x.append(2)", "a"),
        facts={1: {"definitions": "x"}, 2: {"definitions": "y"}, 3: {"mutations": "x"}},
        flows=[("x", 1, 2), ("x", 1, 3)],
    )
    assert "needs `x` as it is before" in only(pipeline).message


def test_a_step_that_appears_again_may_not_cross_the_random_generator(made: Make) -> None:
    pipeline = made(("1", "a"), ("2", "b"), ("3", "a"), flows=[("numpy", 1, 2, "random"), ("numpy", 2, 3, "random")])
    assert "random generator of numpy" in only(pipeline).message


def test_a_step_that_appears_again_and_crosses_nothing_is_fine(made: Make) -> None:
    pipeline = made(
        ("x = 1", "a"),
        ("y = 2", "b"),
        ("z = x", "a"),
        ("print(y, z)", "b"),
        facts={1: {"definitions": "x"}, 2: {"definitions": "y"}, 3: {"definitions": "z"}},
        flows=[("x", 1, 3), ("y", 2, 4), ("z", 3, 4)],
    )
    assert len(pipeline.report) == 0
    assert [(step.name, step.cells) for step in pipeline.steps] == [("a", (1, 3)), ("b", (2, 4))]
    assert [(edge.source, edge.target) for edge in pipeline.edges] == [("a", "b")]


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [("a-b", "a_b", "NB302"), ("Train", "train", "NB302"), ("ok", "import", "NB309"), ("ok", "definitions", "NB309")],
)
def test_names_of_steps_that_cannot_be_modules_are_errors(made: Make, first: str, second: str, code: str) -> None:
    found = only(made(("1", first), ("2", second)))
    assert (found.code, found.severity, found.location.position) == (code, Severity.ERROR, 2)
    assert found.hint


def test_an_own_step_setup_is_fine_until_code_outside_of_steps_needs_ours(made: Make) -> None:
    assert len(made(("1", "setup"), ("2", "b")).report) == 0
    pipeline = made(("x = 1",), ("1", "setup"), ("2", "b"))
    assert only(pipeline).code == "NB309"
    assert len({step.name for step in pipeline.steps}) == 3


def test_prev_of_an_unknown_step_gets_a_suggestion(made: Make) -> None:
    found = only(made(("1", "load"), ("2", "train", AfterTag("laod"))))
    assert (found.code, found.hint) == ("NB303", "did you mean `prev:load`?")


@pytest.mark.parametrize("name", ["train", "later"])
def test_prev_of_a_later_step_or_itself_closes_a_cycle(made: Make, name: str) -> None:
    pipeline = made(("1", "load"), ("2", "train", AfterTag(name)), ("3", "later", AfterTag("train")))
    found = only(pipeline)
    assert (found.code, found.severity, found.location.position) == ("NB304", Severity.ERROR, 2)
    assert [(edge.source, edge.target) for edge in pipeline.edges] == [("train", "later")]


def test_a_flow_without_its_prev_is_an_info_where_a_step_has_some(made: Make) -> None:
    pipeline = made(
        ("x = 1", "one"),
        ("y = 2", "two"),
        ("print(x, y)", "three", AfterTag("two")),
        ("print(x)", "four"),
        flows=[("x", 1, 3), ("y", 2, 3), ("x", 1, 4)],
    )
    found = only(pipeline)
    assert (found.code, found.severity, found.location.step) == ("NB305", Severity.INFO, "three")
    assert "`x` from `one`" in found.message


def test_two_tags_that_contradict_each_other_are_an_error(made: Make) -> None:
    pipeline = made(("1", "a", TimeoutTag(1.0), ImageTag("x")), ("2", "a", TimeoutTag(2.0), ImageTag("x")))
    found = only(pipeline)
    assert (found.code, found.location.position) == ("NB306", 2)
    assert "`timeout`" in found.message
    assert [place.position for _, place in found.related] == [1]


@pytest.mark.parametrize(
    "cells", [(), (("x = 1", SkipTag()),), (("  \n",),), (("a = 1", ParametersTag()),), (("", "step"),)]
)
def test_a_notebook_without_code_is_an_error(made: Make, cells: tuple[tuple[object, ...], ...]) -> None:
    parameters = [{"name": "a", "cell": 1, "line": 1}] if cells and ParametersTag() in cells[0] else []
    found = only(made(*cells, parameters=parameters))
    assert (found.code, found.severity, found.location.position) == ("NB307", Severity.ERROR, None)


def gate(text: str) -> GateTag:
    return GateTag(parse_gate(text), text)


def test_a_gate_whose_metric_nobody_prints_is_a_warning(made: Make) -> None:
    pipeline = made(
        ("accuracy = 1", "a"), ("print(accuracy)", MetricsTag()), ("3", "b", gate("acuracy > 0.9 and accuracy < 2"))
    )
    found = only(pipeline)
    assert (found.code, found.severity, found.location.position) == ("NB308", Severity.WARNING, 3)
    assert found.hint == "did you mean `accuracy`?"


def test_a_gate_for_an_unlike_metric_is_told_what_there_is(made: Make) -> None:
    found = only(made(("acc = 1", "a"), ("print(acc)", MetricsTag()), ("3", "b", gate("f1 > 0.9"))))
    assert found.hint is not None
    assert found.hint.endswith("mention `acc`")


def test_a_gate_without_any_metrics_is_a_warning(made: Make) -> None:
    assert only(made(("accuracy = 1", "a", gate("accuracy > 0.9")))).code == "NB308"


@pytest.mark.parametrize(
    "source",
    ["print(metrics)", "scores = {'accuracy': 1}", "dict(accuracy=2)", "metrics['accuracy'] = 2\nprint(metrics)"],
)
def test_a_gate_whose_metric_may_be_in_a_dictionary_is_fine(made: Make, source: str) -> None:
    pipeline = made(("metrics = {'accuracy': 1}", "a"), (source, MetricsTag(), "a"), ("3", "b", gate("accuracy > 0")))
    assert len(pipeline.report) == 0


def test_a_definition_cell_between_the_cells_of_a_step_ends_nothing(made: Make) -> None:
    pipeline = made(
        ("x = 1", "a"),
        ("def f(): return 2", FunctionsTag()),
        ("y = f() + x", "a"),
        definitions=[(2, (1, 1), "f", "", "function")],
        facts={1: {"definitions": "x"}, 3: {"definitions": "y", "needs": (0,)}},
        flows=[("x", 1, 3)],
    )
    assert len(pipeline.report) == 0
    assert [block.cell for block in pipeline.step("a").blocks] == [1, 2, 3]


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("days", "`run_date` names `days`, which is no parameter"),
        ("count", "`run_date` names the parameter `count`, whose default is no text"),
        ("day", None),
    ],
)
def test_the_date_of_a_run_goes_to_a_parameter_that_is_a_text(tmp_path: Path, named: str, message: str | None) -> None:
    cells = [
        {"tags": ["parameters"], "source": 'day = "2026-01-01"\ncount = 3'},
        {"tags": ["step:a"], "source": "x = day"},
    ]
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"nb2pipe": {"run_date": named}},
        "cells": [
            {"cell_type": "code", "id": f"c{place}", "metadata": {"tags": cell["tags"]}, "source": cell["source"]}
            | {"execution_count": None, "outputs": []}
            for place, cell in enumerate(cells)
        ],
    }
    (tmp_path / "n.ipynb").write_text(json.dumps(content), "utf-8")
    found = [(each.code, each.message) for each in compile_notebook(tmp_path / "n.ipynb").report.errors]
    assert found == ([("NB310", message)] if message else [])
