"""What `nb2pipe gc` deletes, and what it leaves; homes with the records and artifacts that runs write."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from nb2pipe.digest import Digest
from nb2pipe.errors import RecordsError, StoreError, UsageError
from nb2pipe.execution.garbage import Garbage, Removed, delete_run, find_garbage, remove_garbage
from nb2pipe.execution.home import Home, only_here
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import write_run, write_step
from nb2pipe.records.index import list_runs
from nb2pipe.records.model import GroupRecord, RunRecord, StepRecord, StepTrace, WrittenFile
from nb2pipe.records.process import this_process
from nb2pipe.serializers import groups
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

NOW = 1_900_000_000.0
DAY = 86400.0


class Project:
    """A home, and runs in it that are some days old."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder / ".nb2pipe")
        self.home.create()
        self.store = LocalStore(self.home.store)
        self.made: dict[str, set[Digest]] = {}

    def add(self, run: str, values: dict[str, Any], *, days: float = 0.0, file: bytes = b"", **more: Any) -> str:
        """A run of one step that left some variables, state that is a group, and perhaps a file."""
        found = groups.dump(values, store=self.store, namespace={})
        (state,) = groups.dump({"state": np.full(9000, len(self.made))}, store=self.store, namespace={})
        kept = {self.store.put(file)} if file else set()
        every = {*found, state}
        self.made[run] = {leaf for group in every for leaf in groups.leaves(group, store=self.store)} | kept
        self.made[run] |= {group.digest for group in every}
        key = Digest.of("key", run).hex
        step = StepRecord(
            name="step",
            status=StepStatus.RAN,
            key=key,
            outputs=tuple(GroupRecord(names=group.names, digest=str(group.digest)) for group in found),
            state={"hidden": str(state.digest)},
            trace=StepTrace(writes={f"/{one}": WrittenFile(sha256=str(one), size=1, kept=True) for one in kept}),
        )
        defaults: dict[str, Any] = {"status": RunStatus.SUCCEEDED, "pipeline": "p", "notebook": "/n.ipynb"}
        record = RunRecord(
            **{**defaults, "run": run, "notebook_digest": "", "steps": (step,), "started": NOW - days * DAY, **more}
        )
        write_step(self.home.runs / run, step)
        write_run(self.home.runs / run, record)
        lines = self.home.keys / key[:2] / key[2:]
        lines.parent.mkdir(parents=True, exist_ok=True)
        lines.write_text(f"{run} step\n")
        return run

    def find(self, keep: int | None = None, days: float | None = None) -> Garbage:
        time.sleep(0.02)  # the clock of a file system goes in steps
        return find_garbage(self.home, keep=keep, older_than=None if days is None else days * DAY, now=NOW)

    def collect(self, keep: int | None = None, days: float | None = None) -> Removed:
        return remove_garbage(self.home, self.find(keep, days))

    def has(self, run: str) -> bool:
        """Whether all that a run made is there; half of it never is, unless another run made it too."""
        return self.made[run] <= set(self.store.digests())


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_what_no_run_needs_goes_and_all_else_stays(project: Project) -> None:
    project.add("r1", {"x": np.arange(9000), "y": [1]}, file=b"written")
    lost = project.store.put(b"of no run")
    found = project.find()
    assert (found.runs, dict(found.artifacts), dict(found.by_run)) == ((), {lost: 9}, {"": 9})
    assert project.store.has(lost), "to find is not to delete"
    assert remove_garbage(project.home, found) == Removed(artifacts=1, size=9, keys=0)
    assert project.has("r1")
    assert not project.store.has(lost)
    assert project.collect() == Removed(artifacts=0, size=0, keys=0)


def test_runs_are_kept_by_number_for_each_notebook(project: Project) -> None:
    for day in range(4):
        project.add(f"r{day}", {"x": np.arange(9000 + day)}, days=day)
    project.add("other", {"x": np.arange(8999)}, days=9, notebook="/other.ipynb")
    found = project.find(keep=2)
    assert found.runs == ("r2", "r3")
    removed = remove_garbage(project.home, found)
    assert removed.keys == 2
    assert removed.artifacts == len((project.made["r2"] | project.made["r3"]) - project.made["r0"])
    assert [project.has(run) for run in ("r0", "r1", "r2", "r3", "other")] == [True, True, False, False, True]
    assert len(list_runs(project.home.root)) == 5, "the records stay"


def test_runs_are_kept_by_age_and_with_a_number_only_what_is_beyond_both_goes(project: Project) -> None:
    for day in (0, 10, 20, 30):
        project.add(f"r{day}", {"x": np.arange(9000 + day)}, days=day)
    assert project.find(days=15).runs == ("r20", "r30")
    assert project.find(keep=3, days=15).runs == ("r30",)
    assert project.find(keep=1, days=25).runs == ("r30",)
    assert project.find(keep=0).runs == ("r0", "r10", "r20", "r30")


def test_a_named_run_keeps_all_that_it_needs(project: Project) -> None:
    shared = np.arange(50_000)
    project.add("named", {"x": shared, "y": 1}, days=99, name="best", file=b"model")
    project.add("old", {"x": shared, "z": np.arange(70_000)}, days=98)
    assert project.find(keep=0, days=1).runs == ("old",)
    project.collect(keep=0, days=1)
    assert project.has("named")
    assert not project.has("old")


def test_what_is_not_yet_in_the_store_of_the_others_stays(project: Project) -> None:
    project.add("r1", {"x": np.arange(9000)}, days=9)
    marker = project.home.shared / "place" / "owed" / "r1"
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert project.find(keep=0).runs == ()
    marker.unlink()
    assert project.find(keep=0).runs == ("r1",)


def test_a_size_is_counted_once_with_the_newest_run_that_has_it(project: Project) -> None:
    shared = np.arange(50_000)
    project.add("new", {"x": shared}, days=1)
    project.add("old", {"x": shared}, days=2)
    found = project.find(keep=0)
    assert sum(found.by_run.values()) == found.size
    assert found.by_run["new"] > shared.nbytes > found.by_run["old"]


def test_what_a_run_that_goes_on_has_just_written_or_used_stays(project: Project) -> None:
    began = time.time()
    used = project.store.put(b"made before, of no run")
    os.utime(project.store.path(used))
    project.add("going", {"x": 1}, status=RunStatus.RUNNING, process=this_process(), started=began)
    fresh = project.store.put(b"its step has just written this")
    found = project.find(keep=0)
    assert found.runs == ()
    assert fresh in found.artifacts, "no record tells of it yet"
    assert remove_garbage(project.home, found).artifacts == 0
    assert project.store.has(fresh)
    assert project.store.has(used)


@pytest.mark.parametrize("use", ["put", "holds"])
def test_what_a_run_begins_to_use_between_finding_and_deleting_stays(project: Project, use: str) -> None:
    content = b"of an old run"
    digest = project.store.put(content)
    found = project.find()
    assert digest in found.artifacts
    other = LocalStore(project.home.store)
    assert other.put(content) == digest if use == "put" else other.holds(digest)
    assert remove_garbage(project.home, found).artifacts == 0
    assert project.store.get(digest) == content


def test_a_run_whose_process_was_killed_protects_nothing(project: Project) -> None:
    gone = this_process()
    dead = type(gone)(host=gone.host, pid=2**22 - 1, birth="none")
    project.add("killed", {"x": np.arange(9000)}, days=3, status=RunStatus.RUNNING, process=dead)
    assert project.find(keep=0).runs == ("killed",)


def test_lines_of_keys_that_lead_nowhere_go_and_the_others_stay(project: Project) -> None:
    project.add("r1", {"x": 1})
    (file,) = project.home.keys.glob("??/*")
    file.write_text("gone step\nr1 step\nr1 other\n")
    (project.home.keys / "ab").mkdir(exist_ok=True)
    (project.home.keys / "ab" / ("c" * 62)).write_text("gone step\n")
    assert project.collect().keys == 2
    assert [path.read_text() for path in project.home.keys.glob("??/*")] == ["r1 step\n"]


def test_half_written_files_of_killed_processes_go_and_foreign_files_stay(project: Project) -> None:
    project.add("r1", {"x": 1})
    part = project.home.store / "sha256" / "ab"
    part.mkdir(parents=True, exist_ok=True)
    (part / ".new-abc").write_bytes(b"half")
    (part / ".gone-abc").write_bytes(b"half")
    (part / "notes.txt").write_bytes(b"mine")
    outside = project.home.root.parent / "outside"
    outside.mkdir()
    (outside / ("d" * 62)).write_bytes(b"not of the store")
    (project.home.store / "sha256" / "cd").symlink_to(outside, target_is_directory=True)
    assert project.collect(keep=0).size >= 8
    assert {path.name for path in part.iterdir()} == {"notes.txt"}
    assert (outside / ("d" * 62)).exists()


def test_a_store_that_lies_elsewhere_is_left_alone(project: Project, tmp_path: Path) -> None:
    project.store.put(b"x")
    project.home.store.rename(tmp_path / "big-disk")
    project.home.store.symlink_to(tmp_path / "big-disk")
    with pytest.raises(StoreError, match="outside of the home"):
        project.find()


def test_nothing_is_deleted_while_a_record_cannot_be_read(project: Project) -> None:
    project.add("r1", {"x": np.arange(9000)}, days=9)
    (project.home.runs / "r1" / "run.json").write_text("{")
    with pytest.raises(RecordsError, match="r1") as caught:
        project.find(keep=0)
    assert "runs delete r1" in (caught.value.hint or "")
    delete_run(project.home, "r1")
    assert project.collect().artifacts == len(project.made["r1"])


def test_nothing_is_deleted_where_a_newer_version_wrote_a_group(project: Project) -> None:
    project.add("r1", {"x": 1})
    newer = project.store.put(b'{"schema": 99}\n')
    step = StepRecord(name="step", status=StepStatus.RAN, outputs=(GroupRecord(names=("x",), digest=str(newer)),))
    write_step(project.home.runs / "r1", step)
    with pytest.raises(StoreError, match="this version"):
        project.find()


def test_a_missing_artifact_of_a_run_is_no_hindrance(project: Project) -> None:
    project.add("r1", {"x": np.arange(9000)})
    for digest in list(project.made["r1"]):
        project.store.path(digest).unlink()
    assert project.collect().artifacts == 0


def test_a_deleted_run_is_gone_from_the_list_and_its_artifacts_with_the_next_collection(project: Project) -> None:
    project.add("r1", {"x": np.arange(9000)}, name="best")
    project.add("r2", {"x": np.arange(9001)})
    delete_run(project.home, "r1")
    assert [row.run for row in list_runs(project.home.root)] == ["r2"]
    assert project.has("r1")
    project.collect()
    assert not project.has("r1")
    assert project.has("r2")


def test_a_run_that_goes_on_is_not_deleted(project: Project) -> None:
    project.add("r1", {"x": 1})
    with only_here(project.home.runs / "r1"), pytest.raises(UsageError, match="still goes on"):
        delete_run(project.home, "r1")
    assert [row.run for row in list_runs(project.home.root)] == ["r1"]


def test_checkpoints_go_with_runs_that_count_no_more_and_what_leads_to_none_goes_too(project: Project) -> None:
    for day, run in enumerate(("new", "old")):
        project.add(run, {"x": [day]}, days=day)
        folder = project.home.runs / run / "checkpoints" / "step" / "1"
        folder.mkdir(parents=True)
        (folder / "epoch-000001-batch-00000000.safetensors").write_bytes(b"x" * 1000)
        note = project.home.root / "unfinished" / run
        note.parent.mkdir(exist_ok=True)
        note.write_text(f"{folder.parent}\n")
    for name, line in (("script", "old"), ("lost", "/nowhere/at/all"), ("other", "new")):
        (project.home.root / "unfinished" / name).write_text(f"{line}\n")
    assert project.find().checkpoints == {}
    found = project.find(keep=1)
    assert (dict(found.checkpoints), found.by_run["old"] >= 1000) == ({"old": 1000}, True)
    removed = remove_garbage(project.home, found)
    assert removed.size >= 1000
    assert not (project.home.runs / "old" / "checkpoints").exists()
    assert (project.home.runs / "old" / "run.json").exists()
    assert (project.home.runs / "new" / "checkpoints" / "step" / "1").is_dir()
    assert sorted(path.name for path in (project.home.root / "unfinished").iterdir()) == ["new", "other"]
