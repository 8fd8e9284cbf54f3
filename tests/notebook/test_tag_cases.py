"""Each row of the README's table of tags has a case in `tests/cases/tags/`, and each case holds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nb2pipe.diagnostics import Severity
from nb2pipe.notebook.model import ForeignTag, StepTag
from nb2pipe.notebook.read import read_notebook
from nb2pipe.notebook.sections import sections

ROOT = Path(__file__).parents[2]
CASES = {
    path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((ROOT / "tests/cases/tags").glob("*.toml"))
}
MALFORMED = [(tag, says) for case in CASES.values() for tag, says in case.get("malformed", {}).items()]
MISSPELLED = [(tag, meant) for case in CASES.values() for tag, meant in case.get("misspelled", {}).items()]


def code(source: str, tags: list[str], path: str | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": tags} | ({"notebook_path": path} if path else {})
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def write(path: Path, cells: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}), encoding="utf-8")
    return path


def write_case(case: dict[str, Any], folder: Path) -> Path:
    for name, tag in case.get("files", {}).items():
        write(folder / name, [code("inner = 1", [tag])])
    cells = [code(cell["source"], cell.get("tags", []), cell.get("notebook_path")) for cell in case["cells"]]
    return write(folder / "case.ipynb", cells)


def rows_of_the_readme() -> set[tuple[str, ...]]:
    """The first column of the table whose header begins `| tag | meaning |`."""
    lines = iter((ROOT / "README.md").read_text("utf-8").splitlines())
    assert any(line.startswith("| tag | meaning |") for line in lines)
    rows = set()
    for line in lines:
        if not line.startswith("|"):
            break
        tags = tuple(re.findall(r"`([^`]+)`", line.split("|")[1]))
        rows |= {tags} if tags else set()
    return rows


def test_each_row_of_the_readme_has_a_case() -> None:
    rows = rows_of_the_readme()
    assert len(rows) > 10
    assert rows - {tuple(case["row"]) for case in CASES.values()} == set()


def test_each_case_stands_in_the_readme() -> None:
    assert {tuple(case["row"]) for case in CASES.values() if case["row"]} - rows_of_the_readme() == set()


@pytest.mark.parametrize("name", CASES)
def test_tags_mean_what_the_case_says(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    notebook, _ = read_notebook(write_case(case, tmp_path))
    assert [[repr(tag) for tag in cell.tags] for cell in notebook.cells] == [
        cell.get("means", []) for cell in case["cells"]
    ]


@pytest.mark.parametrize("name", CASES)
def test_cells_are_in_the_sections_that_the_case_says(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    notebook, _ = read_notebook(write_case(case, tmp_path))
    found = [f"{section.role} {section.step or ''}".strip() for section in sections(notebook)]
    assert found == [cell["section"] for cell in case["cells"]]


@pytest.mark.parametrize("name", CASES)
def test_a_case_has_the_diagnostics_that_it_says(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    _, report = read_notebook(write_case(case, tmp_path))
    wanted = [
        (position, text) for position, cell in enumerate(case["cells"], start=1) for text in cell.get("diagnostics", [])
    ]
    assert [(item.location.position, f"{item.severity} {item.code}") for item in report] == wanted


@pytest.mark.parametrize(("tag", "says"), MALFORMED)
def test_a_malformed_tag_is_an_error_with_place_and_hint(tag: str, says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "case.ipynb", [code("", ["step:other"]), code("x = 1", [tag])])
    notebook, report = read_notebook(path)
    errors = [item for item in report if item.code == "NB101"]
    assert [item.location.position for item in errors] == [2]
    assert says in errors[0].message
    assert errors[0].severity is Severity.ERROR
    assert errors[0].hint
    assert notebook.cells[1].tags == (ForeignTag(tag),)


@pytest.mark.parametrize(("tag", "meant"), MISSPELLED)
def test_a_misspelled_tag_is_a_warning_with_a_suggestion(tag: str, meant: str, tmp_path: Path) -> None:
    path = write(tmp_path / "case.ipynb", [code("x = 1", ["step:other", tag])])
    notebook, report = read_notebook(path)
    assert [(item.code, item.severity, item.location.position) for item in report] == [("NB102", Severity.WARNING, 1)]
    assert report.diagnostics[0].hint == f"did you mean `{meant}`?"
    assert notebook.cells[0].tags[1] == ForeignTag(tag)
    assert notebook.cells[0].has(StepTag)
