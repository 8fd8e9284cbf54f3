"""Nested notebooks: read with the outer one, or a diagnostic that says why not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nb2pipe.diagnostics import Severity
from nb2pipe.notebook.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]


def step(source: str = "x = 1", *tags: str) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {"tags": list(tags)}, "source": source}


def nested(path: object, source: str = "", name: str = "n") -> dict[str, object]:
    metadata = {"tags": [f"notebook:{name}"]} | ({} if path is None else {"notebook_path": path})
    return {"cell_type": "code", "metadata": metadata, "source": source}


def test_a_nested_notebook_is_read_relative_to_the_outer_one(write: Write) -> None:
    write(step("y = 2", "step:b"), name="sub/inner.ipynb")
    notebook, report = read_notebook(write(step("x = 1", "step:a"), nested("sub/inner.ipynb")))
    assert len(report) == 0
    inner = notebook.nested["sub/inner.ipynb"]
    assert inner.cells[0].source == "y = 2"
    assert inner.path.endswith("sub/inner.ipynb")


def test_a_nested_notebook_may_nest_and_go_up_within_the_outer_folder(write: Write) -> None:
    write(step("z = 3", "step:c"), name="last.ipynb")
    write(nested("../last.ipynb"), name="sub/inner.ipynb")
    notebook, report = read_notebook(write(nested("./sub/inner.ipynb")))
    assert len(report) == 0
    assert notebook.nested["./sub/inner.ipynb"].nested["../last.ipynb"].cells[0].source == "z = 3"


def test_a_jupytext_script_may_be_nested(write: Write, tmp_path: Path) -> None:
    (tmp_path / "inner.py").write_text('# %% tags=["step:b"]\ny = 2\n')
    notebook, report = read_notebook(write(nested("inner.py")))
    assert len(report) == 0
    assert notebook.nested["inner.py"].cells[0].raw_tags == ("step:b",)


def test_one_notebook_may_be_nested_twice(write: Write) -> None:
    write(step("y = 2", "step:b"), name="inner.ipynb")
    notebook, report = read_notebook(write(nested("inner.ipynb", name="one"), nested("inner.ipynb", name="two")))
    assert len(report) == 0
    assert list(notebook.nested) == ["inner.ipynb"]


def test_a_change_of_a_nested_notebook_changes_the_digest(write: Write) -> None:
    write(step("y = 2", "step:b"), name="inner.ipynb")
    outer = write(nested("inner.ipynb"))
    before = read_notebook(outer)[0].digest
    write(step("y = 3", "step:b"), name="inner.ipynb")
    assert read_notebook(outer)[0].digest != before


def test_the_diagnostics_of_a_nested_notebook_are_in_the_report(write: Write) -> None:
    write(step("y = (", "step:b"), name="inner.ipynb")
    _, report = read_notebook(write(nested("inner.ipynb")))
    (item,) = report
    assert (item.code, item.location.step) == ("NB110", "b")
    assert item.location.notebook.endswith("inner.ipynb")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (None, "have no `notebook_path`"),
        ("", "have no `notebook_path`"),
        (3, "have no `notebook_path`"),
        ("missing.ipynb", "there is no notebook"),
        ("/etc/passwd", "absolute path"),
        ("C:\\a.ipynb", "absolute path"),
        ("~/a.ipynb", "absolute path"),
        ("../outside.ipynb", "outside the notebook's folder"),
        ("sub/../../outside.ipynb", "outside the notebook's folder"),
        ("..\\outside.ipynb", "outside the notebook's folder"),
        ("a\0b.ipynb", "is no path"),
        (".", "is a folder"),
        ("broken.ipynb", "broken JSON"),
        ("other.txt", "its ending"),
        ("link.ipynb", "outside the notebook's folder"),
    ],
)
def test_a_nested_notebook_that_cannot_be_read_is_an_error(path: object, says: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "outside.ipynb").write_text("{}")
    (folder / "broken.ipynb").write_text("{")
    (folder / "other.txt").write_text("x")
    (folder / "link.ipynb").symlink_to(tmp_path / "outside.ipynb")
    outer = folder / "outer.ipynb"
    cells = [step("x = 1", "step:a"), nested(path)]
    outer.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    notebook, report = read_notebook(outer)
    (item,) = report
    assert (item.code, item.severity, item.location.position) == ("NB107", Severity.ERROR, 2)
    assert says in item.message
    assert item.hint or path == "missing.ipynb"
    assert notebook.nested == {}


def test_a_circle_of_notebooks_is_an_error(write: Write) -> None:
    write(nested("c.ipynb"), name="b.ipynb")
    write(nested("a.ipynb"), name="c.ipynb")
    _, report = read_notebook(write(nested("b.ipynb"), name="a.ipynb"))
    (item,) = report
    assert item.code == "NB107"
    assert "a.ipynb -> b.ipynb -> c.ipynb -> a.ipynb" in item.message


def test_a_notebook_that_nests_itself_is_an_error(write: Write) -> None:
    _, report = read_notebook(write(nested("nb.ipynb")))
    assert [item.code for item in report] == ["NB107"]


def test_notebooks_that_nest_without_end_are_an_error(write: Write) -> None:
    for number in range(1, 60):
        write(nested(f"{number + 1}.ipynb"), name=f"{number}.ipynb")
    _, report = read_notebook(write(nested("1.ipynb")))
    assert [(item.code, "too deeply" in item.message) for item in report] == [("NB107", True)]


def test_code_in_a_nested_cell_is_an_error(write: Write) -> None:
    write(step("y = 2", "step:b"), name="inner.ipynb")
    _, report = read_notebook(write(nested("inner.ipynb", source="important = 42")))
    assert [(item.code, item.severity, item.location.position) for item in report] == [("NB108", Severity.ERROR, 1)]


@pytest.mark.parametrize("source", ["", "# a comment\n\n", "# runs it in Jupyter too\n%run inner.ipynb"])
def test_a_nested_cell_may_hold_comments_or_run_the_same_notebook(source: str, write: Write) -> None:
    write(step("y = 2", "step:b"), name="inner.ipynb")
    assert len(read_notebook(write(nested("inner.ipynb", source=source)))[1]) == 0


def test_a_skipped_nested_cell_is_not_followed(write: Write) -> None:
    cell = {"cell_type": "code", "metadata": {"tags": ["notebook:n", "skip"]}, "source": "x"}
    notebook, report = read_notebook(write(cell, step()))
    assert len(report) == 0
    assert notebook.nested == {}
