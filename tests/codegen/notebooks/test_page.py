"""A notebook as an HTML page: what is hidden stays hidden, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from nb2pipe.codegen.notebooks.page import html
from nb2pipe.errors import RecordsError

if TYPE_CHECKING:
    from pathlib import Path


def page(folder: Path, *cells: Any, **metadata: Any) -> str:
    path = folder / "note <b>.ipynb"
    path.write_text(nbformat.writes(new_notebook(cells=list(cells), metadata=metadata)))
    return html(path)


def cell(**metadata: Any) -> Any:
    shown = new_output("stream", name="stdout", text="OUT")
    return new_code_cell("IN", metadata=metadata, outputs=[shown], execution_count=1)


def body(text: str) -> str:
    return re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL).partition("<body")[2]


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        ({}, {"IN", "OUT"}),
        ({"tags": ["remove-cell"]}, set()),
        ({"tags": ["hide-cell"]}, set()),
        ({"tags": ["remove-input"]}, {"OUT"}),
        ({"tags": ["hide-input"]}, {"OUT"}),
        ({"tags": ["hide_input"]}, {"OUT"}),
        ({"hide_input": True}, {"OUT"}),
        ({"jupyter": {"source_hidden": True}}, {"OUT"}),
        ({"tags": ["remove-output"]}, {"IN"}),
        ({"tags": ["hide-output"]}, {"IN"}),
        ({"jupyter": {"outputs_hidden": True}}, {"IN"}),
        ({"nb2pipe": {"role": "enter"}}, set()),
        ({"nb2pipe": {"role": "leave"}}, set()),
        ({"nb2pipe": {"role": "code", "cell": 1}}, {"IN", "OUT"}),
    ],
)
def test_what_tags_and_metadata_hide_is_not_in_the_page(
    metadata: dict[str, Any], shown: set[str], tmp_path: Path
) -> None:
    text = body(page(tmp_path, cell(**metadata)))
    assert {word for word in ("IN", "OUT") if f">{word}<" in text or f"{word}\n" in text} == shown


def test_the_page_asks_nothing_of_the_network(tmp_path: Path) -> None:
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}, "text/plain": "PROGRESS"}
    state = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}, "version_major": 2, "version_minor": 0}}
    text = page(
        tmp_path,
        new_markdown_cell("Formula $x^2$"),
        new_code_cell("x", outputs=[new_output("display_data", data=widget)]),
        widgets=state,
    )
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert "@import" not in text
    assert "cdnjs" not in text
    assert "jsdelivr" not in text
    assert "PROGRESS" in text


def test_pictures_tables_and_attachments_are_in_the_page(tmp_path: Path) -> None:
    outputs = [
        new_output("display_data", data={"image/png": "aGVsbG8="}),
        new_output("display_data", data={"text/html": "<table class='dataframe'><tr><td>7</td></tr></table>"}),
    ]
    note = new_markdown_cell("![x](attachment:a.png)", attachments={"a.png": {"image/png": "d29ybGQ="}})
    text = page(tmp_path, new_code_cell("x", outputs=outputs), note)
    assert "data:image/png;base64,aGVsbG8=" in text
    assert "dataframe" in text
    assert "data:image/png;base64,d29ybGQ=" in text


def test_the_author_s_code_and_the_file_s_name_are_escaped(tmp_path: Path) -> None:
    text = page(tmp_path, new_code_cell("'<script>alert(1)</script>'"), title="</title><script>alert(2)</script>")
    assert "<script>alert" not in text
    text = page(tmp_path, new_code_cell("x"))
    assert "<title>note <b>" not in text


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": [3], "metadata": {}}'])
def test_a_file_that_is_no_notebook_is_an_error(content: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text(content)
    with pytest.raises(RecordsError):
        html(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="cannot read"):
        html(tmp_path / "none.ipynb")
