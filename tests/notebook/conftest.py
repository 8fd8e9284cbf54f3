"""Notebooks for the tests of stage 1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class WriteNotebook(Protocol):
    """Writes a notebook of code cells and returns its path."""

    def __call__(
        self, *cells: str | dict[str, object], metadata: dict[str, object] | None = None, name: str = "nb.ipynb"
    ) -> Path: ...


def code(source: str, *tags: str, **metadata: object) -> dict[str, object]:
    return {
        "cell_type": "code",
        "metadata": {**({"tags": list(tags)} if tags else {}), **metadata},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def document(cells: Sequence[str | dict[str, object]], metadata: dict[str, object] | None = None) -> dict[str, object]:
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata or {},
        "cells": [code(cell) if isinstance(cell, str) else cell for cell in cells],
    }


@pytest.fixture
def write(tmp_path: Path) -> WriteNotebook:
    def write_notebook(
        *cells: str | dict[str, object], metadata: dict[str, object] | None = None, name: str = "nb.ipynb"
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document(cells, metadata)), encoding="utf-8")
        return path

    return write_notebook
