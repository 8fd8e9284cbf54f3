"""`track.log` and `track.params`: what they take, what they refuse, and what comes of it."""

from __future__ import annotations

import json
import math
import multiprocessing
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from nb2pipe import track
from nb2pipe.runtime.journal import Journal, recording

if TYPE_CHECKING:
    from pathlib import Path


def test_numbers_without_a_step_are_metrics_and_the_last_counts() -> None:
    with recording() as journal:
        track.log(accuracy=0.5, n=3)
        track.log({"accuracy": np.float32(0.25), "on": True})
    assert journal.metrics == {"accuracy": 0.25, "n": 3.0, "on": 1.0}


def test_numbers_with_a_step_are_points(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    with recording(path) as journal:
        track.log({"loss/val": torch.tensor(0.5, requires_grad=True)}, step=np.int64(3))
        track.log(step=4, **{"loss/val": math.nan})
    points = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(point["name"], point["index"], point["value"]) for point in points] == [
        ("loss/val", 3, 0.5),
        ("loss/val", 4, "nan"),
    ]
    assert journal.told()["series"] == {"loss/val": 2}


def test_parameters_are_kept_as_they_are_now() -> None:
    layers = [1, 2]
    with recording() as journal:
        track.params(layers=layers, rate=np.float64(0.5), n=np.int64(3), name=np.str_("a"), api_key="x", nothing=None)
        layers.append(3)
    told = journal.told()["parameters"]
    assert told == {
        "layers": [1, 2],
        "rate": 0.5,
        "n": 3,
        "name": "a",
        "api_key": "********",
        "nothing": None,
    }
    assert type(told["n"]) is int


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"loss": "0.1"}, "`loss` is of the type str, which is no number"),
        ({"loss": [1.0]}, "`loss` is of the type list, which is no number"),
        ({"loss": None}, "`loss` is of the type NoneType, which is no number"),
        ({"loss": 1j}, "`loss` is of the type complex, which is no number"),
        ({"loss": np.zeros(3)}, r"`loss` has the shape \(3,\); log one number of it"),
        ({"loss": torch.zeros(1)}, r"`loss` has the shape \(1,\); log one number of it, such as `loss.mean\(\)`"),
        ({3: 1.0}, "a name has to be a text, and 3 is of the type int"),
    ],
)
def test_what_is_no_number_is_refused(given: dict[str, object], message: str) -> None:
    with recording() as journal, pytest.raises(TypeError, match=message):
        track.log(given)
    assert not journal.metrics


@pytest.mark.parametrize("name", ["", " ", " a", "a\n", "\x1b[31m", "a" * 251])
def test_a_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 250 printable characters"):
        track.log({name: 1.0})
    with pytest.raises(ValueError, match="a name has 1 to 250 printable characters"):
        track.params({name: 1.0})


@pytest.mark.parametrize("step", [1.0, "1", True, [1]])
def test_a_step_that_is_no_whole_number_is_refused(step: object) -> None:
    with pytest.raises(TypeError, match="`step` has to be a whole number"):
        track.log(loss=1.0, step=step)  # type: ignore[arg-type]  # that is the test


def test_more_that_is_refused() -> None:
    with pytest.raises(ValueError, match="does not"):
        track.log(loss=1.0, step=2**70)
    with pytest.raises(ValueError, match="`loss` is given twice"):
        track.log({"loss": 1.0}, loss=2.0)
    with pytest.raises(ValueError, match="nothing is given"):
        track.log()
    with pytest.raises(TypeError, match="the value of `net` is of the type object"):
        track.params(net=object())
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(TypeError, match="the value of `loop` is of the type list"):
        track.params(loop=endless)


def test_outside_of_a_run_it_warns_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb2pipe.tracking.track._warned", [])
    with pytest.warns(UserWarning, match=r"track\.log keeps nothing here.*nb2pipe run NOTEBOOK"):
        track.log(loss=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        track.log(loss=1.0)
        track.params(a=1)
    with pytest.raises(TypeError):
        track.log(loss="a")


def test_a_process_that_the_step_forked_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    with recording(path) as journal:
        track.log(loss=1.0, step=1)
        child = multiprocessing.get_context("fork").Process(target=_log_quietly)
        child.start()
        child.join()
    assert child.exitcode == 0
    assert path.read_text().count("\n") == 1
    assert journal.series == {"loss": 1}


def _log_quietly() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        track.log(loss=2.0, step=2)


def test_many_points_take_no_memory_here(tmp_path: Path) -> None:
    path = tmp_path / "points.jsonl"
    with recording(path) as journal:
        for number in range(20_000):
            track.log(loss=0.5, step=number)
    assert journal.series == {"loss": 20_000}
    assert path.read_text().count("\n") == 20_000
    assert len(vars(journal)["last"]) == 1


def test_points_go_to_lines_where_no_rows_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "series").write_text("no folder")
    journal = Journal(tmp_path / "points.jsonl", tmp_path / "series")
    journal.begin()
    track.log({"loss": 0.5}, step=3)
    journal.end()
    point = json.loads((tmp_path / "points.jsonl").read_text())
    assert (point["name"], point["index"], point["value"]) == ("loss", 3, 0.5)
