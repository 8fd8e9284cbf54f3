"""A tracker that fails, hangs or dies neither fails nor slows a run."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from nb2pipe.errors import PluginError, UsageError
from nb2pipe.records.events import MetricLogged, RunFinished, RunStarted, RunStatus, StepFinished, StepStarted
from nb2pipe.records.files import read_run
from nb2pipe.records.recorder import Recorder
from nb2pipe.trackers.feed import Feed
from nb2pipe.trackers.tracked import Tracked, push, shown_problem

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.events import Event

pytestmark = pytest.mark.usefixtures("misbehaving")

EVENTS: list[Event] = [
    RunStarted(run="r", pipeline="p", notebook="n.ipynb", notebook_digest="d", steps=("fit",), time=1.0),
    StepStarted(step="fit", time=2.0, cells=(1,)),
    *(MetricLogged(step="fit", name="loss", value=1.0 / place, time=3.0, index=place) for place in range(1, 4)),
    MetricLogged(step="fit", name="accuracy", value=0.5, time=3.0),
    StepFinished(step="fit", time=4.0, seconds=2.0),
    RunFinished(run="r", status=RunStatus.SUCCEEDED, time=5.0, seconds=4.0, metrics={"accuracy": 0.5}),
]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of the runs, with the record of one."""
    recorder = Recorder(tmp_path / "runs/r")
    for event in EVENTS:
        recorder.handle(event)
    recorder.close()
    return tmp_path / "runs"


def fed(feed: Feed) -> str | None:
    for event in EVENTS:
        feed.take(event)
    return feed.close()


def test_a_tracker_hears_events_in_order_and_the_points_of_a_step_before_its_end(runs: Path) -> None:
    assert fed(Feed("writes", runs)) is None
    heard = (runs / "r/heard.txt").read_text().splitlines()
    assert [line.split()[0] for line in heard] == [
        "RunStarted",
        "StepStarted",
        "MetricLogged",
        *["MetricLogged"] * 3,
        "StepFinished",
        "RunFinished",
    ]
    assert heard[3:6] == [f"MetricLogged loss {place}" for place in (1, 2, 3)]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fails", "RuntimeError: no answer"),
        ("hangs", "nothing was heard of it for 1 s; it goes on in the background"),
        ("dies", "its process ended without a word"),
        ("broken", "No module named 'missing'"),
    ],
)
def test_what_goes_wrong_with_a_tracker_is_told_in_the_end(runs: Path, name: str, problem: str) -> None:
    feed = Feed(name, runs, still=1.0 if name == "hangs" else 30.0)
    assert problem in (fed(feed) or "")


def test_a_tracker_that_hangs_costs_a_run_no_time_and_takes_no_memory_without_end(runs: Path) -> None:
    feed = Feed("hangs", runs, still=1.0)
    began = time.monotonic()
    for place in range(30_000):
        feed.take(EVENTS[0])
        feed.take(MetricLogged(step="fit", name="loss", value=1.0, time=3.0, index=place))
    assert time.monotonic() - began < 5
    assert feed.close() == "it did not keep up with the run"


def test_nobody_waits_for_a_tracker_that_has_hung_since_the_run_was_young(runs: Path) -> None:
    feed = Feed("hangs", runs, still=1.0)
    feed.take(EVENTS[0])
    time.sleep(2.0)  # the run goes on
    began = time.monotonic()
    assert "nothing was heard of it" in (feed.close() or "")
    assert time.monotonic() - began < 0.5


def test_a_tracker_that_is_slow_goes_on_after_the_run(runs: Path) -> None:
    problem = fed(Feed("slow", runs, whole=1.0))
    assert problem == "it was not through in 1 s; it goes on in the background"
    end = time.monotonic() + 60
    while not (runs / "r/through").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_who_interrupts_a_run_does_not_wait_for_a_tracker_that_hangs(runs: Path) -> None:
    feed, cancel = Feed("hangs", runs), threading.Event()
    feed.take(EVENTS[0])
    cancel.set()
    began = time.monotonic()
    assert feed.close(cancel=cancel) is not None
    assert time.monotonic() - began < 3


def test_a_tracker_that_failed_is_told_once_and_stands_in_the_record(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_TOKEN", "planted-value")
    tracked = Tracked(["fails", "writes", "fails"], runs)
    heard: list[Event] = []
    for event in EVENTS:
        for listener in tracked.listeners([heard.append]):
            listener(event)
    del heard[:]
    tracked.finish(runs / "r", [heard.append], None)
    assert len(heard) == 1
    (note,) = read_run(runs / "r").notes
    assert note == heard[0]
    assert note.code == "NB522"
    assert note.message.endswith("RuntimeError: no answer of https://***@host, ********")
    assert note.hint == "nb2pipe runs push r --tracker fails"


def test_a_run_that_ended_is_pushed_with_all_its_points(runs: Path) -> None:
    push(read_run(runs / "r"), runs / "r", "writes")
    heard = (runs / "r/heard.txt").read_text().splitlines()
    assert [line for line in heard if "loss" in line] == [f"MetricLogged loss {place}" for place in (1, 2, 3)]
    assert heard[-1].startswith("RunFinished")
    with pytest.raises(PluginError, match="the tracker `fails` failed"):
        push(read_run(runs / "r"), runs / "r", "fails")


def test_a_tracker_that_is_not_there_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Tracked(["mlflo"], tmp_path)
    assert caught.value.hint == "did you mean `mlflow`?"


def test_a_problem_is_shown_on_one_line() -> None:
    assert shown_problem("a\n b " + "c" * 1000).startswith("a b ccc")
    assert len(shown_problem("c" * 1000)) == 500
