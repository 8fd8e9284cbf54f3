"""Which step each cell belongs to: one test a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.notebook.read import read_notebook
from nb2pipe.notebook.sections import Role, Section, sections

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]


def cell(*tags: str, source: str = "x = 1", kind: str = "code", path: str | None = None) -> dict[str, object]:
    metadata: dict[str, object] = {"tags": list(tags)} | ({"notebook_path": path} if path else {})
    return {"cell_type": kind, "metadata": metadata, "source": source}


def parts(path: Path) -> list[str]:
    return [f"{part.role} {part.step or ''}".strip() for part in sections(read_notebook(path)[0])]


def found(path: Path) -> list[tuple[str, str, int | None]]:
    return [(item.code, item.severity.value, item.location.position) for item in read_notebook(path)[1]]


def test_an_untagged_cell_continues_the_section_before_it(write: Write) -> None:
    path = write(cell("step:a"), cell(), cell("imports"), cell(), cell("step:b"), cell())
    assert parts(path) == ["step a", "step a", "definitions", "definitions", "step b", "step b"]


def test_only_code_cells_have_a_part_and_positions_count_all_cells(write: Write) -> None:
    notebook, _ = read_notebook(write(cell(kind="markdown"), cell("step:a"), cell("step:b", kind="raw"), cell()))
    assert sections(notebook) == (Section(2, Role.STEP, "a"), Section(4, Role.STEP, "a"))


def test_skipped_cells_end_no_section(write: Write) -> None:
    assert parts(write(cell("step:a"), cell("skip"), cell())) == ["step a", "skipped", "step a"]


def test_a_skipped_step_cell_begins_no_section(write: Write) -> None:
    path = write(cell("step:a"), cell("skip", "step:b"), cell())
    assert parts(path) == ["step a", "skipped", "step a"]


def test_cells_of_parameters_end_no_section(write: Write) -> None:
    path = write(cell("parameters"), cell(), cell("step:a"), cell("injected-parameters"), cell("parameters"), cell())
    assert parts(path) == ["parameters", "definitions", "step a", "injected", "parameters", "step a"]


def test_cells_before_the_first_tag_hold_definitions(write: Write) -> None:
    assert parts(write(cell(), cell(), cell("step:a"))) == ["definitions", "definitions", "step a"]


def test_a_notebook_without_a_step_is_main(write: Write) -> None:
    path = write(cell(), cell("imports"), cell("functions"), cell("parameters"), cell("skip"), cell("pipeline-metrics"))
    assert parts(path) == ["step main", "step main", "step main", "parameters", "skipped", "step main"]
    assert found(path) == []


def test_tags_of_a_step_hold_for_main(write: Write) -> None:
    path = write(cell("limit:cpu:2"), cell("gate:accuracy > 0.5"))
    assert parts(path) == ["step main", "step main"]
    assert found(path) == []


def test_a_notebook_whose_steps_are_all_skipped_is_main(write: Write) -> None:
    assert parts(write(cell(), cell("skip", "step:a"))) == ["step main", "skipped"]


def test_a_notebook_without_cells_has_no_sections(write: Write) -> None:
    path = write()
    assert parts(path) == []
    assert found(path) == []


def test_metrics_belong_to_the_step_before_them_and_end_no_section(write: Write) -> None:
    path = write(cell("step:a"), cell("functions"), cell("pipeline-metrics"), cell())
    assert parts(path) == ["step a", "definitions", "step a", "definitions"]
    assert found(path) == []


def test_metrics_with_a_step_tag_belong_to_that_step(write: Write) -> None:
    path = write(cell("pipeline-metrics", "step:a"), cell())
    assert parts(path) == ["step a", "step a"]
    assert found(path) == []


def test_metrics_before_any_step_are_an_error(write: Write) -> None:
    path = write(cell("pipeline-metrics"), cell("step:a"))
    assert parts(path) == ["definitions", "step a"]
    assert found(path) == [("NB106", "error", 1)]


def test_metrics_after_a_nested_notebook_are_an_error(write: Write) -> None:
    write(cell("step:inner"), name="inner.ipynb")
    path = write(cell("step:a"), cell("notebook:n", source="", path="inner.ipynb"), cell("pipeline-metrics"))
    assert found(path) == [("NB106", "error", 3)]


def test_untagged_cells_after_a_nested_notebook_belong_to_the_next_step(write: Write) -> None:
    write(cell("step:inner"), name="inner.ipynb")
    nested = cell("notebook:n", source="", path="inner.ipynb")
    path = write(cell("step:a"), nested, cell(), cell("skip"), cell(), cell("step:b"))
    assert parts(path) == ["step a", "nested n", "step b", "skipped", "step b", "step b"]


def test_untagged_cells_after_a_nested_notebook_hold_definitions_where_no_step_follows(write: Write) -> None:
    write(cell("step:inner"), name="inner.ipynb")
    nested = cell("notebook:n", source="", path="inner.ipynb")
    assert parts(write(nested, cell())) == ["nested n", "definitions"]
    assert parts(write(nested, cell(), cell("imports"), cell("step:b"))) == [
        "nested n",
        "definitions",
        "definitions",
        "step b",
    ]


def test_a_nested_notebook_alone_is_a_step(write: Write) -> None:
    write(cell("step:inner"), name="inner.ipynb")
    path = write(cell(), cell("notebook:n", source="", path="inner.ipynb"))
    assert parts(path) == ["definitions", "nested n"]


def test_a_cell_of_two_steps_is_an_error(write: Write) -> None:
    assert found(write(cell("step:a", "block:b"))) == [("NB103", "error", 1)]
    assert found(write(cell("step:a", "block:a", "step:a"))) == []


def test_a_cell_that_is_two_things_is_an_error(write: Write) -> None:
    for tags in (("parameters", "step:a"), ("imports", "step:a"), ("parameters", "functions")):
        assert ("NB103", "error", 1) in found(write(cell(*tags), cell("step:other")))
    assert ("NB103", "error", 2) in found(write(cell("step:a"), cell("pipeline-metrics", "parameters")))


def test_a_tag_with_two_values_is_an_error(write: Write) -> None:
    for tags in (
        ("cache:enabled", "cache:disabled"),
        ("retry:1", "retry:2"),
        ("limit:cpu:1", "limit:cpu:2"),
        ("secret:a:b:C", "secret:d:e:C"),
        ("gate:a > 1", "gate:b > 1"),
    ):
        assert found(write(cell("step:a", *tags))) == [("NB103", "error", 1)]
    assert found(write(cell("step:a", "limit:cpu:1", "limit:memory:2", "label:a:1", "label:b:2"))) == []


def test_a_tag_of_a_step_outside_the_steps_is_a_warning(write: Write) -> None:
    for tag in ("limit:cpu:1", "prev:a", "retry:1", "gate:a > 1", "papermill_description=x", "cache:enabled"):
        assert found(write(cell("imports", tag), cell("step:a"))) == [("NB104", "warning", 1)]
        assert found(write(cell("step:a"), cell(tag))) == []
