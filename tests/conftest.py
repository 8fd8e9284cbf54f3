"""What all tests share."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

GOLDEN = "--update-golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(GOLDEN, action="store_true", help="write the golden files anew, to be reviewed and committed")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(GOLDEN) and is_ci(os.environ.items()):
        raise pytest.UsageError(f"{GOLDEN} is refused where CI is set: golden files are reviewed, not made, there")


def is_ci(variables: Iterable[tuple[str, str]]) -> bool:
    """Whether the environment says that this is CI."""
    return dict(variables).get("CI", "").lower() not in {"", "0", "false"}


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption(GOLDEN))


@pytest.fixture
def write_notebook() -> Callable[[Path, list[tuple[list[str], str]]], Path]:
    """Writes a notebook of code cells, each with its tags and its source, to a path."""
    return _write_notebook


def _write_notebook(path: Path, cells: list[tuple[list[str], str]]) -> Path:
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{place}",
                "execution_count": None,
                "metadata": {"tags": tags},
                "outputs": [],
                "source": source,
            }
            for place, (tags, source) in enumerate(cells, 1)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content), "utf-8")
    return path
