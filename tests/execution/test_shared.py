"""Two machines that use one store, as two homes: what one ran the other need not run. Real runs, real transfers."""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

import nb2pipe
from nb2pipe.errors import StoreError
from nb2pipe.execution.home import Home
from nb2pipe.execution.options import RunOptions
from nb2pipe.execution.plan import plan
from nb2pipe.execution.shared import shared_runs
from nb2pipe.records.events import RunStatus, StepStarted

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["parameters"]
scale = 2
# %% tags=["step:make"]
import random
import numpy as np
from nb2pipe import track
drawn = random.random()
large = np.arange(50_000) * scale
open("made.txt", "w").write(str(scale))
for point in range(3):
    track.log({"loss": point}, step=point)
print("made")
# %% tags=["step:sum"]
total = int(large.sum()) + drawn
print(total)
# %% tags=["pipeline-metrics"]
print(total)
"""


class Machine:
    """A home of its own for one notebook, whose path is the same on all machines."""

    def __init__(self, folder: Path, name: str, store: str | None) -> None:
        self.folder = folder
        self.home = Home(folder / name)
        self.store = store
        self.result: Any = None

    def run(self, **options: Any) -> list[str]:
        """What became of the steps."""
        given = {"executor": "subprocess", "home": self.home.root, "store": self.store, **options}
        self.result = nb2pipe.run(self.folder / "n.py", **given)
        assert self.result.status == "succeeded", self.result.error
        return [str(step.status) for step in self.result.steps]

    def printed(self) -> list[str]:
        cells = json.loads(self.result.notebook.read_text())["cells"]
        return ["".join(output["text"]) for cell in cells for output in cell.get("outputs", [])]

    def owed(self) -> list[str]:
        return [path.name for path in self.home.shared.glob("*/owed/*")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "n.py").write_text(NOTEBOOK)
    (tmp_path / "place").mkdir()
    return tmp_path


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, folder: Path) -> str:
    return str(request.getfixturevalue("s3")) if request.param == "s3" else str(folder / "place")


def test_another_machine_runs_nothing_and_has_all(folder: Path, store: str) -> None:
    one, other = Machine(folder, "one", store), Machine(folder, "other", store)
    assert one.run() == ["ran", "ran"]
    total, printed = one.result.value("total"), one.printed()
    (folder / "made.txt").unlink()
    assert one.owed() == []

    options = RunOptions(home=other.home.root, executor="subprocess", store=store)
    assert [step.source for step in plan(nb2pipe.load(folder / "n.py"), options).steps] == [one.result.run] * 2
    assert other.run() == ["reused", "reused"]
    assert (folder / "made.txt").read_text() == "2"
    assert other.printed() == printed
    assert list(other.result.series("loss")) == [0, 1, 2]
    assert other.result.metrics == one.result.metrics
    assert other.result.value("total") == total

    assert other.run(scale=3) == ["ran", "ran"]
    assert one.run(scale=3) == ["reused", "reused"]
    runs = [row.run for row in shared_runs(one.home, store, tell=pytest.fail)]
    assert len(runs) == 4
    assert {one.result.run, other.result.run} <= set(runs)
    assert len(shared_runs(Home(folder / "none"), store, tell=pytest.fail)) == 4
    assert not (folder / "none").exists()


def test_only_what_a_step_takes_is_pulled(folder: Path) -> None:
    store = str(folder / "place")
    one, other = Machine(folder, "one", store), Machine(folder, "other", store)
    one.run()
    other.run()
    large = folder / "place" / "store"
    files = [path for path in large.rglob("*") if path.is_file() and path.stat().st_size >= 400_000]
    assert len(files) == 1
    pulled = other.home.root / files[0].relative_to(folder / "place")
    assert not pulled.exists()
    (folder / "n.py").write_text(NOTEBOOK.replace("total = int", "total = 1 + int"))
    assert other.run() == ["reused", "ran"]
    assert pulled.read_bytes() == files[0].read_bytes()


def test_what_ran_without_the_store_is_there_after_a_run_with_it(folder: Path) -> None:
    alone, one = Machine(folder, "one", None), Machine(folder, "one", str(folder / "place"))
    assert alone.run() == ["ran", "ran"]
    assert one.run() == ["reused", "reused"]
    assert Machine(folder, "other", str(folder / "place")).run() == ["reused", "reused"]


def test_a_place_that_fails_in_the_middle_loses_nothing_and_the_next_run_pushes_the_rest(folder: Path) -> None:
    place = folder / "place"
    one = Machine(folder, "one", str(place))
    blocked = place / "store"

    def block(event: object) -> None:
        if isinstance(event, StepStarted) and not blocked.exists():
            blocked.write_text("no folder can be made here")

    with pytest.raises(StoreError, match="not all that the run made was pushed") as caught:
        one.run(listeners=[block])
    assert "next run with the same --store" in (caught.value.hint or "")
    (row,) = nb2pipe.runs(home=one.home.root).to_dict("records")
    assert row["status"] == RunStatus.SUCCEEDED
    assert one.owed() == [row["run"]]
    assert Machine(folder, "one", None).run() == ["reused", "reused"]

    blocked.unlink()
    assert one.run(scale=3) == ["ran", "ran"]
    assert one.owed() == []
    other = Machine(folder, "other", str(place))
    assert other.run() == ["reused", "reused"]
    assert other.run(scale=3) == ["reused", "reused"]


def test_what_is_nowhere_any_more_keeps_no_later_run_from_being_pushed(folder: Path) -> None:
    place = folder / "place"
    one = Machine(folder, "one", str(place))
    blocked = place / "store"
    blocked.write_text("no folder can be made here")
    with pytest.raises(StoreError, match="not all"):
        one.run()
    blocked.unlink()
    for path in one.home.store.rglob("*"):
        if path.is_file() and path.stat().st_size >= 400_000:
            path.unlink()
    assert one.run(scale=3) == ["ran", "ran"]
    assert one.owed() == []
    assert Machine(folder, "other", str(place)).run(scale=3) == ["reused", "reused"]


def test_what_was_altered_there_is_found_and_made_anew(folder: Path) -> None:
    place = folder / "place"
    Machine(folder, "one", str(place)).run()
    for path in (place / "store").rglob("*"):
        if path.is_file() and path.stat().st_size >= 400_000:
            path.chmod(0o644)
            path.write_bytes(os.urandom(path.stat().st_size))
    other = Machine(folder, "other", str(place))
    (folder / "n.py").write_text(NOTEBOOK.replace("total = int", "total = 1 + int"))
    with pytest.raises(StoreError, match="was damaged in"):
        other.run()
    assert other.run() == ["ran", "ran"]
    assert Machine(folder, "third", str(place)).run() == ["reused", "reused"]


def test_a_place_that_cannot_be_used_is_told_before_anything_runs(folder: Path, s3: str) -> None:
    machine = Machine(folder, "one", s3.replace("bucket-", "no-such-"))
    with pytest.raises(StoreError, match="is not there"):
        machine.run()
    assert list(machine.home.runs.iterdir()) == []
    with pytest.raises(StoreError, match="there is no store at"):
        shared_runs(machine.home, str(folder / "place"), tell=pytest.fail)


def test_without_the_cache_a_run_is_pushed_and_nobody_takes_its_results(folder: Path) -> None:
    place = folder / "place"
    one = Machine(folder, "one", str(place))
    assert one.run(no_cache=True) == ["ran", "ran"]
    assert Machine(folder, "other", str(place)).run() == ["ran", "ran"]
    assert len(shared_runs(one.home, str(place), tell=pytest.fail)) == 2


def test_an_interrupted_run_ends_at_once_and_resume_goes_on_with_its_store(folder: Path) -> None:
    from nb2pipe import api

    place = folder / "place"
    one = Machine(folder, "one", str(place))
    cancel = threading.Event()

    def stop(event: object) -> None:
        if isinstance(event, StepStarted) and event.step == "sum":
            cancel.set()

    options = RunOptions(home=one.home.root, executor="subprocess", store=str(place))
    end = api.start(nb2pipe.load(folder / "n.py"), options, listeners=[stop], cancel=cancel)
    assert end.status is RunStatus.INTERRUPTED
    assert one.owed() == [end.run]
    assert api.resume(end.run, RunOptions(home=one.home.root)).status is RunStatus.SUCCEEDED
    assert one.owed() == []
    assert Machine(folder, "other", str(place)).run() == ["reused", "reused"]


def test_what_others_write_there_reaches_no_file_outside_of_the_home(folder: Path) -> None:
    place = folder / "place"
    one = Machine(folder, "one", str(place))
    one.run()
    (entry, *_) = [path for path in (place / "keys").rglob("*") if path.is_file()]
    entry.with_name("zz.1").write_text("../../../../escaped make\n")
    entry.with_name("zz.2").write_text("run ../../../../../escaped\n")
    entry.with_name("zz.3").write_bytes(b"\xff\xfe")
    (place / "runs" / "..bad").mkdir()
    before = {path.name for path in folder.iterdir()}
    assert Machine(folder, "other", str(place)).run() == ["reused", "reused"]
    assert {path.name for path in folder.iterdir()} == before | {"other"}
