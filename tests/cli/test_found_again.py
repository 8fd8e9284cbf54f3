"""Runs that are found again: listed, shown, run once more, compared."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.cli.curves import curve_rows, sparkline

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, list[tuple[list[str], str]]], Path]


def program(*words: object, code: int = 0) -> str:
    command = [sys.executable, "-m", "nb2pipe", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def listed(*words: str) -> list[Any]:
    return [row["name"] for row in json.loads(program("runs", "list", "--json", *words))]


def cells(shift: int) -> list[tuple[list[str], str]]:
    return [
        (["parameters"], "lr = 0.1"),
        (["step:load"], "rows = list(range(5))"),
        (
            ["step:fit"],
            f"""from nb2pipe import track
for epoch in range(3):
    track.log(loss=lr / (epoch + 1), step=epoch)
total = sum(rows) * lr + {shift}""",
        ),
        (["pipeline-metrics"], "print(total)"),
    ]


def test_runs_are_chosen_sorted_shown_run_again_and_compared(write: Write) -> None:
    notebook = write("small.ipynb", cells(0))
    program("run", "-q", notebook, "--name", "small", "--tag", "base")
    program("run", "-q", notebook, "-p", "lr", "0.5", "--name", "large")
    write("small.ipynb", cells(1))
    program("runs", "rerun", "-q", "large", "--name", "again")

    assert listed("--sort", "total") == ["again", "large", "small"]
    assert listed("--sort", "total", "--reverse") == ["small", "large", "again"]
    assert listed("--where", "lr < 0.2 and 'base' in tags") == ["small"]
    assert "did you mean `lr`" in program("runs", "list", "--where", "lrr < 1", code=2)

    shown = program("runs", "show", "small")
    assert re.search(r"loss +0\.1 to 0\.0333333 +min 0\.0333333, max 0\.1 +3 points", shown)

    found = json.loads(program("runs", "compare", "--json"))
    assert found["first_difference"]["step"] == "fit"
    assert found["parameters"] == []
    assert found["code"] == [
        {
            "cells": [3, 3],
            "lines": [
                "     track.log(loss=lr / (epoch + 1), step=epoch)",
                "-total = sum(rows) * lr + 0",
                "+total = sum(rows) * lr + 1",
            ],
        }
    ]
    text = program("runs", "compare", "small", "large")
    assert text.index("left something else is `fit`") < text.index("parameters:") < text.index("metrics:")
    assert "code:" in text or "0.1  ->  0.5" in text
    assert "all steps left the same values" in program("runs", "compare", "large", "large")


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ([], ""),
        ([5.0], "▁"),
        ([float("nan")] * 3, "   "),
        ([0.0, float("inf"), 1.0], "▁ █"),
        ([1e308, -1e308], "█▁"),
        ([0.0] * 200 + [1.0] * 200, "▁" * 20 + "█" * 20),
    ],
)
def test_a_curve_is_drawn_of_what_is_finite(values: list[float], drawn: str) -> None:
    assert sparkline(values) == drawn


def test_a_curve_stands_in_its_row_only_where_it_is_to_be_drawn() -> None:
    points = {"a\x1b[2J": [(0, 1.0), (1, 2.0)], "none": []}
    assert curve_rows(points, drawn=True) == [("a\\x1b[2J", "▁█", "1 to 2", "min 1, max 2", "2 points")]
    assert curve_rows(points, drawn=False) == [("a\\x1b[2J", "1 to 2", "min 1, max 2", "2 points")]
