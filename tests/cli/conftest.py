"""What tests of the command line share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _write_notebook(path: Path, cells: list[tuple[list[str], str]]) -> Path:
    content: dict[str, Any] = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{place}",
                "execution_count": None,
                "metadata": {"tags": tags},
                "outputs": [],
                "source": source.splitlines(keepends=True),
            }
            for place, (tags, source) in enumerate(cells, 1)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content, indent=1), "utf-8")
    return path


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's environment speaks into the tests."""
    for name in ("NO_COLOR", "FORCE_COLOR", "NB2PIPE_HOME", "NB2PIPE_COLOR", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the working directory."""
    (tmp_path / "pyproject.toml").write_text("", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[[str, list[tuple[list[str], str]]], Path]:
    """Writes a notebook of code cells, each with its tags and its source, into the folder."""

    def call(name: str, cells: list[tuple[list[str], str]]) -> Path:
        return _write_notebook(folder / name, cells)

    return call


@pytest.fixture
def notebook(folder: Path) -> Path:
    """A small notebook of two steps with a parameter and a metric."""
    return _write_notebook(
        folder / "small.ipynb",
        [
            (["parameters"], "lr = 0.5\nepochs = 2"),
            (["step:load"], "data = [1, 2, 3]\nprint('loading')"),
            (["step:train"], "total = sum(data) * lr\nfor epoch in range(epochs):\n    print('epoch', epoch)"),
            (["pipeline-metrics"], "print(total)"),
        ],
    )
