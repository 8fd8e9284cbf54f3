"""What a tracker keeps to: it has all of a run, however often it is sent, and never fails or slows one.

```python
class TestMyTracker(TrackerContract):
    name = "mine"

    @pytest.fixture
    def other_side(self): ...           # works
    @pytest.fixture(params=["dead", "hangs"])
    def trouble(self, request): ...     # cannot be reached, does not answer
    @pytest.fixture
    def refusal(self): ...              # says no at once
    def points(self, series): ...       # as the other side's own reader has them
```
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, ClassVar

import pytest

from nb2pipe.errors import PluginError
from nb2pipe.records.events import (
    Failure,
    MetricLogged,
    ParameterSet,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepStarted,
)
from nb2pipe.records.files import read_run
from nb2pipe.records.recorder import Recorder
from nb2pipe.trackers.feed import Feed
from nb2pipe.trackers.tracked import push

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nb2pipe.records.events import Event

RUN = "20261122-103000-ab12"
POINTS = [(place, 0.5**place) for place in range(1, 4)]
"""Those of the series `loss`."""

_PROMPT = 1.0
_PATIENT = 60.0
_STARTED = RunStarted(
    run=RUN, pipeline="digits", notebook="/n/digits.ipynb", notebook_digest="d", steps=("fit",), time=1e9
)
_PLAIN: list[Event] = [
    _STARTED,
    StepStarted(step="fit", time=1e9 + 1, cells=(1,)),
    *(MetricLogged(step="fit", name="loss", value=value, time=1e9 + 2, index=place) for place, value in POINTS),
    MetricLogged(step="fit", name="accuracy", value=0.5, time=1e9 + 3),
    StepFinished(step="fit", time=1e9 + 4, seconds=2.0),
    RunFinished(run=RUN, status=RunStatus.SUCCEEDED, time=1e9 + 5, seconds=4.0, metrics={"accuracy": 0.5}),
]
_NAMES = ("loss/val", "loss@val", "a//b", "../up", "/", "ü \U0001f600", "n" * 240, "x'y\"z", "%s{0}", "a\nb")
_NUMBERS = (math.nan, math.inf, -math.inf, 1e308, -0.0, 5e-324)
_TEXTS = ("", "\ud800", "\0", "x" * 100_000, "<script>", "a|b\n")
_ODD_FAILURE = Failure(step="fit", cell=1, line=1, kind="ValueError", message="\ud800" + "y" * 50_000)
_ODD: list[Event] = [
    _STARTED,
    StepStarted(step="fit", time=1e9 + 1, cells=(1,)),
    *(MetricLogged(step="fit", name=name, value=1.0, time=1e9 + 2, index=1) for name in _NAMES),
    *(MetricLogged(step="fit", name="n", value=value, time=1e9 + 2, index=n) for n, value in enumerate(_NUMBERS)),
    *(MetricLogged(step="fit", name="far", value=1.0, time=1e9 + 2, index=place) for place in (-5, 0, 2**40)),
    *(ParameterSet(step="fit", name=f"p{n}", value=text, time=1e9 + 2) for n, text in enumerate(_TEXTS)),
    StepFailed(step="fit", time=1e9 + 4, seconds=2.0, failure=_ODD_FAILURE),
    RunFinished(run=RUN, status=RunStatus.FAILED, time=1e9 + 5, seconds=4.0, failure=_ODD_FAILURE),
]


class TrackerContract:
    """The tests. `other_side`, `trouble` and `refusal` are fixtures.

    Attributes:
        name: The tracker's.
    """

    name: ClassVar[str]

    def points(self, series: str) -> list[tuple[int, float]]:
        """The points of a series of the run `RUN` as the other side's own reader has them, sorted."""
        raise NotImplementedError

    @pytest.fixture
    def runs(self, tmp_path: Path) -> Path:
        """The folder of a home's runs, with the record of one."""
        return _recorded(tmp_path / "home/runs", _PLAIN)

    @pytest.mark.usefixtures("other_side")
    def test_all_points_of_a_run_are_there_once_however_often_it_is_sent(self, runs: Path) -> None:
        """While it goes on, and by `runs push`."""
        feed = Feed(self.name, runs)
        for event in _PLAIN:
            feed.take(event)
        assert feed.close() is None
        for _ in range(2):
            assert self.points("loss") == POINTS
            push(read_run(runs / RUN), runs / RUN, self.name)
        assert self.points("accuracy") == [(0, 0.5)]

    @pytest.mark.usefixtures("other_side")
    def test_whatever_code_may_log_is_taken(self, tmp_path: Path) -> None:
        """Odd names, numbers and texts."""
        runs = _recorded(tmp_path / "home/runs", _ODD)
        push(read_run(runs / RUN), runs / RUN, self.name)
        assert len(self.points("n")) == len(_NUMBERS)

    @pytest.mark.usefixtures("trouble")
    def test_a_run_neither_fails_nor_waits_long_where_the_other_side_is_in_trouble(self, runs: Path) -> None:
        """It is told once, on one line, and the record is as it was."""
        before = (runs / RUN / "run.json").read_bytes()
        feed = Feed(self.name, runs, still=_PROMPT)
        began = time.monotonic()
        for event in _PLAIN:
            feed.take(event)
        assert time.monotonic() - began < _PROMPT
        assert feed.close()
        assert time.monotonic() - began < _PATIENT
        assert (runs / RUN / "run.json").read_bytes() == before

    @pytest.mark.usefixtures("refusal")
    def test_push_says_why_it_failed(self, runs: Path) -> None:
        """And what to do about it."""
        with pytest.raises(PluginError) as caught:
            push(read_run(runs / RUN), runs / RUN, self.name)
        assert f"`{self.name}`" in caught.value.message
        assert caught.value.hint


def _recorded(runs: Path, events: Sequence[Event]) -> Path:
    recorder = Recorder(runs / RUN)
    for event in events:
        recorder.handle(event)
    recorder.close()
    return runs
