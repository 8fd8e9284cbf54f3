"""The index of the runs: quick where it works, and never missed where it does not."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from nb2pipe.errors import RecordsError
from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import RunRecord, write_run
from nb2pipe.records.index import add, find_run, list_runs, reindex, summary_json
from nb2pipe.records.migrations import MIGRATIONS, migrate, version
from nb2pipe.records.process import this_process


def make(home: Path, run: str, *, indexed: bool = True, **changes: object) -> RunRecord:
    fields: dict[str, object] = {
        "run": run,
        "status": RunStatus.SUCCEEDED,
        "pipeline": "digits",
        "notebook": "/digits.ipynb",
        "notebook_digest": "",
        "started": float(run.partition("-")[0]),
    }
    record = RunRecord(**{**fields, **changes})  # type: ignore[arg-type]  # the fields are named above
    write_run(home / "runs" / run, record)
    if indexed:
        add(home, record)
    return record


def ids(home: Path) -> list[str]:
    return [row.run for row in list_runs(home)]


def test_runs_are_listed_newest_first_with_what_they_made(tmp_path: Path) -> None:
    make(tmp_path, "1-a", metrics={"loss": float("inf")}, parameters={"shape": (1, 2)}, tags=("x",))
    make(tmp_path, "3-c")
    make(tmp_path, "2-b", indexed=False)
    assert ids(tmp_path) == ["3-c", "2-b", "1-a"]
    oldest = list_runs(tmp_path)[-1]
    assert oldest.metrics == {"loss": float("inf")}
    assert oldest.parameters == {"shape": (1, 2)}
    shown = summary_json(oldest)
    assert {"run", "name", "status", "tags", "parameters", "metrics"} <= set(shown)
    assert (shown["metrics"], shown["parameters"]) == ({"loss": "inf"}, {"shape": [1, 2]})


def test_without_a_home_there_are_no_runs(tmp_path: Path) -> None:
    assert ids(tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_a_run_is_found_by_id_prefix_name_and_age(tmp_path: Path) -> None:
    make(tmp_path, "10-aa", name="first")
    make(tmp_path, "11-ab", name="best")
    make(tmp_path, "12-ac", name="best")
    found = {
        selector: find_run(tmp_path, selector).run
        for selector in ("10-aa", "11", "first", "best", "latest", "latest~0", "latest~2")
    }
    assert found == {
        "10-aa": "10-aa",
        "11": "11-ab",
        "first": "10-aa",
        "best": "12-ac",
        "latest": "12-ac",
        "latest~0": "12-ac",
        "latest~2": "10-aa",
    }


def test_an_ambiguous_prefix_lists_the_runs_that_it_may_mean(tmp_path: Path) -> None:
    make(tmp_path, "10-aa")
    make(tmp_path, "11-ab")
    with pytest.raises(RecordsError, match=r"2 runs begin with `1`: 10-aa, 11-ab"):
        find_run(tmp_path, "1")


@pytest.mark.parametrize("selector", ["", "nope", "../runs/1-a", "latest~5", "latest~x", "*", "%"])
def test_a_run_that_is_not_there_is_an_error(selector: str, tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    with pytest.raises(RecordsError):
        find_run(tmp_path, selector)


def test_latest_without_runs_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="there are no runs") as caught:
        find_run(tmp_path, "latest")
    assert caught.value.hint == "nb2pipe run NOTEBOOK makes one"


def test_the_index_follows_the_files(tmp_path: Path) -> None:
    record = make(tmp_path, "1-a")
    make(tmp_path, "2-b")
    assert ids(tmp_path) == ["2-b", "1-a"]
    shutil.rmtree(tmp_path / "runs" / "2-b")
    write_run(tmp_path / "runs" / "1-a", replace(record, status=RunStatus.FAILED, name="changed behind its back"))
    (row,) = list_runs(tmp_path)
    assert (row.run, row.status, row.name) == ("1-a", RunStatus.FAILED, "changed behind its back")


def test_a_run_whose_process_is_gone_is_listed_as_interrupted(tmp_path: Path) -> None:
    here = this_process()
    make(tmp_path, "1-a", status=RunStatus.RUNNING, process=here)
    make(tmp_path, "2-b", status=RunStatus.RUNNING, process=replace(here, birth="another boot:1"))
    make(tmp_path, "3-c", status=RunStatus.RUNNING, process=replace(here, host="elsewhere"))
    assert [row.status for row in list_runs(tmp_path)] == [
        RunStatus.RUNNING,
        RunStatus.INTERRUPTED,
        RunStatus.RUNNING,
    ]


@pytest.mark.parametrize("damage", [b"no database at all" * 100, b""])
def test_a_damaged_index_is_mended_from_the_files(damage: bytes, tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    (tmp_path / "records.db").write_bytes(damage)
    notes: list[str] = []
    assert [row.run for row in list_runs(tmp_path, tell=notes.append)] == ["1-a"]
    assert len(notes) == (1 if damage else 0)
    assert [row.run for row in list_runs(tmp_path, tell=notes.append)] == ["1-a"]
    assert len(notes) <= 1


def test_an_index_torn_in_the_middle_loses_no_run(tmp_path: Path) -> None:
    for number in range(200):
        make(tmp_path, f"{number}-a", note="x" * 100)
    path = tmp_path / "records.db"
    data = bytearray(path.read_bytes())
    data[4096 : len(data) - 4096] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    assert len(ids(tmp_path)) == 200
    assert len(reindex(tmp_path)) == 200
    assert len(ids(tmp_path)) == 200


def test_a_locked_index_costs_time_and_not_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb2pipe.records.index._BUSY_SECONDS", 0.05)
    make(tmp_path, "1-a")
    lock = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")
    notes: list[str] = []
    record = make(tmp_path, "2-b", indexed=False)
    add(tmp_path, record, tell=notes.append)
    assert [row.run for row in list_runs(tmp_path, tell=notes.append)] == ["2-b", "1-a"]
    assert all("locked" in note for note in notes)
    with pytest.raises(RecordsError, match="locked"):
        reindex(tmp_path)
    lock.close()
    assert ids(tmp_path) == ["2-b", "1-a"]


def test_an_index_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    with sqlite3.connect(tmp_path / "records.db") as newer:
        newer.execute("DROP TABLE runs")
        newer.execute("CREATE TABLE of_the_future (x)")
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    before = (tmp_path / "records.db").read_bytes()
    notes: list[str] = []
    assert [row.run for row in list_runs(tmp_path, tell=notes.append)] == ["1-a"]
    assert "a newer nb2pipe" in notes[0]
    assert (tmp_path / "records.db").read_bytes() == before


def test_a_run_that_cannot_be_read_is_listed_with_its_problem(tmp_path: Path) -> None:
    make(tmp_path, "1-a")
    make(tmp_path, "2-b")
    (tmp_path / "runs" / "1-a" / "run.json").write_text("{")
    rows = {row.run: row.problem for row in list_runs(tmp_path)}
    assert rows["2-b"] is None
    assert "damaged" in (rows["1-a"] or "")
    assert find_run(tmp_path, "latest").run == "2-b"
    with pytest.raises(RecordsError, match="damaged"):
        find_run(tmp_path, "1-a")


def test_two_processes_add_at_the_same_time(tmp_path: Path) -> None:
    script = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_index import ids, make
for number in range(40):
    make(Path(sys.argv[2]), f"{number}-{sys.argv[3]}")
    ids(Path(sys.argv[2]))
"""
    here = str(Path(__file__).parent)
    both = [subprocess.Popen([sys.executable, "-c", script, here, str(tmp_path), name]) for name in ("a", "b")]
    assert [process.wait() for process in both] == [0, 0]
    notes: list[str] = []
    assert len(list_runs(tmp_path, tell=notes.append)) == 80
    assert notes == []
    with sqlite3.connect(tmp_path / "records.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM runs").fetchone() == (80,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_ten_thousand_runs_are_listed_quickly(tmp_path: Path) -> None:
    record = make(tmp_path, "0-a")
    text = (tmp_path / "runs" / "0-a" / "run.json").read_text()
    for number in range(1, 10_000):
        folder = tmp_path / "runs" / f"{number}-a"
        folder.mkdir()
        (folder / "run.json").write_text(text.replace(f'"{record.run}"', f'"{number}-a"'))
    assert len(list_runs(tmp_path)) == 10_000
    begin = time.process_time()
    assert len(list_runs(tmp_path)) == 10_000
    assert time.process_time() - begin < 1.5


def test_an_index_of_an_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    MIGRATIONS[0](connection)
    connection.execute("PRAGMA user_version = 1")
    connection.execute("INSERT INTO runs VALUES ('1-a', '', 1.0, 'succeeded', NULL, '{}')")
    migrate(connection)
    migrate(connection)
    assert version(connection) == len(MIGRATIONS)
    assert connection.execute("SELECT run FROM runs").fetchall() == [("1-a",)]
    connection.close()
