"""Where two runs part."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from nb2pipe.records.compare import CellDifference, Change, RunComparison, compare_runs, comparison_json
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.model import DataFile, GroupRecord, RunRecord, StepRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def step(
    name: str, status: StepStatus = StepStatus.RAN, told: dict[str, object] | None = None, **left: str
) -> StepRecord:
    outputs = tuple(GroupRecord(names=(each,), digest=digest) for each, digest in left.items())
    return StepRecord(name=name, status=status, outputs=outputs, summaries={each: told or {} for each in left})


def record(name: str, *steps: StepRecord, **more: object) -> RunRecord:
    return RunRecord(
        run=name, status=RunStatus.SUCCEEDED, pipeline="p", notebook="n", notebook_digest="d", steps=steps, **more
    )  # type: ignore[arg-type]  # fields of a record


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., RunComparison]:
    def call(one: RunRecord, two: RunRecord, *cells: list[str]) -> RunComparison:
        folders = tmp_path / "one", tmp_path / "two"
        for folder, sources in zip(folders, cells, strict=False):
            folder.mkdir()
            code = [{"id": "injected-parameters-1", "cell_type": "code", "source": "lr = 1"}]
            code += [{"id": f"c{place}", "cell_type": "code", "source": text} for place, text in enumerate(sources)]
            (folder / "notebook.ipynb").write_text(json.dumps({"cells": code}), "utf-8")
        return compare_runs(one, two, folders)

    return call


def test_runs_that_left_the_same_have_no_first_difference(compare: Callable[..., RunComparison]) -> None:
    found = compare(record("a", step("load", x="1")), record("b", step("load", StepStatus.REUSED, x="1")))
    assert found == RunComparison(runs=("a", "b"))


def test_the_first_step_whose_values_differ_is_told_with_what_is_recorded_of_them(
    compare: Callable[..., RunComparison],
) -> None:
    one = record("a", step("load", x="1", y="1"), step("fit", told={"rows": 3}, z="1", same="0"), step("end", q="1"))
    two = record("b", step("load", x="1", y="1"), step("fit", told={"rows": 4}, z="2", same="0"), step("end", q="2"))
    first = compare(one, two).first
    assert first is not None
    assert (first.step, first.values) == ("fit", (Change(name="z", one={"rows": 3}, two={"rows": 4}),))


def test_a_step_that_one_run_did_not_finish_is_a_difference(compare: Callable[..., RunComparison]) -> None:
    found = compare(record("a", step("load", x="1")), record("b", step("load", StepStatus.FAILED)))
    assert comparison_json(found)["first_difference"] == {
        "step": "load",
        "one": "finished",
        "two": "failed",
        "values": [],
    }


def test_parameters_data_packages_and_metrics_that_differ_are_told(compare: Callable[..., RunComparison]) -> None:
    one = record(
        "a",
        parameters={"lr": 1, "n": 1},
        metrics={"m": 1.0, "nan": float("nan")},
        packages={"numpy": "1"},
        data=(DataFile(path="/d.csv", sha256="x"),),
    )
    two = record(
        "b",
        parameters={"lr": 1.0, "n": 1},
        metrics={"m": 2.0, "nan": float("nan")},
        packages={"numpy": "2", "torch": "1"},
        data=(DataFile(path="/d.csv", sha256="y"),),
    )
    found = compare(one, two)
    assert found.parameters == (Change(name="lr", one=1, two=1.0),)
    assert found.metrics == (Change(name="m", one=1.0, two=2.0),)
    assert [each.name for each in found.packages] == ["numpy", "torch"]
    assert found.data == (Change(name="/d.csv", one="x", two="y"),)


def test_code_is_compared_cell_by_cell_without_what_was_injected(compare: Callable[..., RunComparison]) -> None:
    found = compare(
        record("a"), record("b"), ["a = 1", "b = 1\nc = 1", "d = 1"], ["a = 1", "b = 2\nc = 1", "e = 1", "f = 1"]
    )
    assert found.code == (
        CellDifference(cells=(2, 2), lines=("-b = 1", "+b = 2", " c = 1")),
        CellDifference(cells=(3, 3), lines=("-d = 1", "+e = 1")),
        CellDifference(cells=(None, 4), lines=("+f = 1",)),
    )


def test_a_notebook_that_is_not_there_or_damaged_has_no_code(
    compare: Callable[..., RunComparison], tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one/notebook.ipynb").write_text("{", "utf-8")
    assert compare(record("a"), record("b")).code == ()
