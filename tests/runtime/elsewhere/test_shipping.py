"""Records of steps that run elsewhere: each writes its own, and the last one that writes the run's has seen all."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.records.events import Failure, RunStatus, StepStatus
from nb2pipe.records.files import read_run
from nb2pipe.records.model import RunRecord, StepRecord
from nb2pipe.runtime.elsewhere.shipping import Parcel, bring, merged
from nb2pipe.store.place import Folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = ("a", "b", "outer/c")
RUN = RunRecord(
    run="r",
    status=RunStatus.RUNNING,
    pipeline="p",
    notebook="n.ipynb",
    notebook_digest="",
    steps=tuple(StepRecord(name=name) for name in NAMES),
    surroundings={"elsewhere": True},
)


def parcel(step: str, status: StepStatus = StepStatus.RAN, **parameters: object) -> Parcel:
    done = StepRecord(name=step, status=status, started=10.0, seconds=2.0, metrics={f"m {step}": 1.0})
    return Parcel(run=replace(RUN, parameters=parameters), steps=(done,), folder="/nowhere")


def test_steps_that_end_at_once_all_stand_in_the_record_of_the_run(tmp_path: Path) -> None:
    threads = [threading.Thread(target=bring, args=(Folder(tmp_path), parcel(name))) for name in NAMES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = read_run(tmp_path / "runs" / "r")
    assert found.status is RunStatus.SUCCEEDED
    assert found.metrics == {f"m {name}": 1.0 for name in NAMES}
    assert (found.started, found.finished, found.seconds) == (10.0, 12.0, 2.0)


class Slow(Folder):
    """A place where another step ends just before a run's record is written."""

    def __init__(self, root: Path, meanwhile: Sequence[Parcel]) -> None:
        super().__init__(root)
        self._meanwhile = list(meanwhile)

    def write(self, path: str, content: bytes) -> None:
        if path.endswith("run.json") and self._meanwhile:
            bring(self, self._meanwhile.pop())
        super().write(path, content)


def test_a_record_that_was_overtaken_is_written_once_more(tmp_path: Path) -> None:
    bring(Slow(tmp_path, [parcel("b"), parcel("outer/c")]), parcel("a"))
    assert read_run(tmp_path / "runs" / "r").status is RunStatus.SUCCEEDED


def test_a_run_keeps_what_its_first_step_saw_and_the_parameters_of_all(tmp_path: Path) -> None:
    bring(Folder(tmp_path), parcel("a", lr=0.5))
    first = read_run(tmp_path / "runs" / "r")
    assert first.packages
    assert first.machine.host
    bring(Folder(tmp_path), parcel("b", epochs=3))
    second = read_run(tmp_path / "runs" / "r")
    assert (second.packages, second.machine, second.parameters) == (
        first.packages,
        first.machine,
        {"lr": 0.5, "epochs": 3},
    )
    assert second.status is RunStatus.RUNNING, "no process is there between two steps, and it goes on all the same"


def test_the_state_of_a_run_is_that_of_its_steps() -> None:
    failure = Failure(step="b", cell=1, line=1, kind="K", message="m")
    ran, failed = (
        StepRecord(name="a", status=StepStatus.RAN),
        StepRecord(name="b", status=StepStatus.FAILED, failure=failure),
    )
    skipped = StepRecord(name="b", status=StepStatus.SKIPPED)
    interrupted = StepRecord(name="b", status=StepStatus.INTERRUPTED)
    found = [merged(RUN, (ran, other)) for other in (skipped, failed, interrupted, StepRecord(name="b"))]
    assert [each.status.value for each in found] == ["succeeded", "failed", "interrupted", "running"]
    assert found[1].failure == failure
