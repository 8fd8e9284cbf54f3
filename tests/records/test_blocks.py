from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nb2pipe.records.blocks import Rows, read
from nb2pipe.records.series import COLUMNS, recorded

if TYPE_CHECKING:
    from pathlib import Path

ADD = """
import sys
from pathlib import Path
from nb2pipe.records.blocks import Rows
rows = Rows(Path(sys.argv[1]), ("time", "index", "value"), {"name": "x"})
for number in range(2**40):
    rows.add((0.0, number, number / 2))
    if number == 30_000:
        print("now", flush=True)
"""


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 5376, 5377, 60_000])
def test_rows_are_read_as_they_were_added(tmp_path: Path, count: int) -> None:
    rows = Rows(tmp_path / "a.rows", ("one", "two", "three"), {"name": "ä"})
    for number in range(count):
        rows.add((number, -number, 0.5))
    table = read(tmp_path / "a.rows")
    assert (table.count, table.facts) == (count, {"name": "ä"})
    assert list(table.columns["two"]) == [-number for number in range(count)]
    assert list(read(tmp_path / "a.rows", ["three"]).columns) == ["three"]


def test_a_row_may_be_set_later(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "a.rows", ("one",), {})
    places = [(rows.add((0.0,)), rows.cells[0]) for _ in range(1000)]
    for number, (place, cells) in enumerate(places):
        cells[place] = number
    assert list(read(tmp_path / "a.rows").columns["one"]) == list(range(1000))


def test_a_process_that_is_killed_leaves_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.rows"
    with subprocess.Popen([sys.executable, "-c", ADD, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    table = read(path)
    assert table.count > 30_000
    assert table.columns["value"][-1] == (table.count - 1) / 2


@pytest.mark.parametrize("content", [b"", b"nb2pipe rows 1\n", b"x" * 20_000, b"nb2pipe rows 1\n{}\n".ljust(16384)])
def test_what_is_no_file_of_rows_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "loop-1.rows"
    path.write_bytes(content)
    with pytest.raises((ValueError, KeyError)):
        read(path)
    assert recorded(tmp_path) == {}


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "a.rows", ("one",), {})
    for _ in range(300):
        rows.add((1.0,))
    os.truncate(tmp_path / "a.rows", 16384 + 100)
    with pytest.raises(ValueError, match="ends within"):
        read(tmp_path / "a.rows")


def test_a_million_steps_are_read_in_a_second(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "loop-1.rows", (*COLUMNS, "lr"), {"name": ""})
    for number in range(1_000_000):
        rows.add((number / 1000, 1 / (number + 1), 1, 1 + number // 5000, number % 5000, 32, 0.1))
    begin = time.process_time()
    series = recorded(tmp_path)
    assert time.process_time() - begin < 1
    assert len(series["loss"]) == 1_000_000
    assert series["epoch_loss"].indices[-1] == 200
    speeds = series["examples_per_second"].values
    assert min(speeds) == pytest.approx(32_000)
    assert max(speeds) == pytest.approx(32_000)
