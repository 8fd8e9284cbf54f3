from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.records.file_digests import FileDigests

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_just_written_for_good_is_known_to_others_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    FileDigests(tmp_path / "files.db").written(str(file), "said")
    assert FileDigests(tmp_path / "files.db").of(str(file)) == "said"
    os.utime(file, ns=(1, 1))
    assert FileDigests(tmp_path / "files.db").of(str(file)) == Digest.of_bytes(b"content").hex


def test_a_young_file_that_may_change_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "file"
    digests = FileDigests(tmp_path / "files.db")
    for content in (b"one", b"two"):
        file.write_bytes(content)
        os.utime(file, ns=(time.time_ns(), time.time_ns()))
        assert digests.of(str(file)) == Digest.of_bytes(content).hex


def test_without_a_database_that_works_files_are_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    digests = FileDigests(tmp_path / "no" / "files.db")
    digests.written(str(file), "said")
    assert FileDigests(tmp_path / "no" / "files.db").of(str(file)) == Digest.of_bytes(b"content").hex
    assert digests.of(str(tmp_path / "missing")) is None


def test_many_files_cost_the_database_once(tmp_path: Path) -> None:
    digests = FileDigests(tmp_path / "files.db")
    paths = [tmp_path / f"{number}.txt" for number in range(300)]
    for path in paths:
        path.write_text(path.name)
        os.utime(path, (1000, 1000))
    with digests.together(), digests.together():
        found = {str(path): digests.of(str(path)) for path in paths}
        assert not (tmp_path / "files.db").stat().st_size > 20_000, "nothing is written yet"
    with sqlite3.connect(tmp_path / "files.db") as base:
        assert dict(base.execute("SELECT path, sha256 FROM files")) == found
    known = FileDigests(tmp_path / "files.db")
    assert {path: known.of(path) for path in found} == found
