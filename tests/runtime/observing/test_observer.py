"""What a step is seen to read and write. A hook stays in its process, so each case runs in one of its own."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2pipe.records.model import WrittenFile
from nb2pipe.runtime.observing.contents import changed_only, contents_read
from nb2pipe.runtime.observing.observer import masked_variable
from nb2pipe.runtime.observing.seen import left_in

BEGIN = """
import json, os, sys
from nb2pipe.runtime.observing.observer import Observer

observer = Observer((), sys.argv[1])
observer.begin()
"""
OLD = "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4"
"""The SHA-256 of the text `old`."""
END = "\nprint(json.dumps(observer.end()))\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    (place / "old.txt").write_text("old")
    return place


def seen(folder: Path, code: str, **variables: str) -> dict[str, Any]:
    own = folder.parent / "own"
    own.mkdir(exist_ok=True)
    script = folder.parent / "cell.py"
    script.write_text(BEGIN + code + END)
    done = subprocess.run(
        [sys.executable, script, own], cwd=folder, capture_output=True, check=True, text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **variables},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["reads"].pop(str(script), None)  # tracebacks and warnings show its lines
    return found


def sha256sum(path: str | Path) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def names(paths: Any) -> set[str]:
    return {Path(path).name for path in paths}


def test_a_file_that_was_there_is_read_and_one_of_the_steps_own_is_not(folder: Path) -> None:
    found = seen(folder, "open('old.txt').read(); open('new.txt', 'w').write('x'); open('new.txt').read()")
    assert names(found["reads"]) == {"old.txt"}
    assert names(found["writes"]) == {"new.txt"}
    state = (folder / "old.txt").stat()
    assert found["reads"][str(folder / "old.txt")] == [state.st_size, state.st_mtime_ns, state.st_ino]


def test_a_file_that_was_not_there_was_asked_for(folder: Path) -> None:
    found = seen(folder, "try:\n    open('none.txt')\nexcept OSError:\n    pass")
    assert found["reads"] == {str(folder / "none.txt"): None}


@pytest.mark.parametrize("mode", ["a", "r+"])
def test_a_file_that_is_changed_is_known_as_it_was(folder: Path, mode: str) -> None:
    found = seen(folder, f"open('old.txt', {mode!r}).write('more')")
    assert found["known"] == {str(folder / "old.txt"): OLD}
    assert names(found["writes"]) == {"old.txt"}


def test_a_file_that_is_read_and_then_replaced_is_known_as_it_was(folder: Path) -> None:
    found = seen(folder, "open('old.txt').read(); open('old.txt', 'w').write('other')")
    assert names(found["known"]) == {"old.txt"}


def test_what_is_removed_or_renamed_is_told(folder: Path) -> None:
    found = seen(folder, "open('a', 'w').close(); os.rename('a', 'b'); os.remove('b'); os.rename('old.txt', 'c')")
    assert names(found["removed"]) == {"old.txt"}
    assert names(found["writes"]) == {"a", "b", "c"}


def test_a_file_that_is_read_and_then_removed_is_known_as_it_was(folder: Path) -> None:
    found = seen(folder, "open('old.txt').read(); os.remove('old.txt')")
    assert found["known"] == {str(folder / "old.txt"): OLD}


def test_a_folder_that_the_step_made_itself_may_go_with_all_that_is_in_it(folder: Path) -> None:
    code = "import shutil; os.mkdir('d'); open('d/old.txt', 'w').close(); shutil.rmtree('d')"
    assert seen(folder, code)["removed"] == [], "what lies outside of it is another file of that name"


def test_a_socket_that_is_removed_is_no_file(folder: Path) -> None:
    code = "import socket; socket.socket(socket.AF_UNIX).bind('listener'); os.remove('listener')"
    assert seen(folder, code)["removed"] == []


def test_a_file_that_gets_another_name_is_read_where_it_lies_then(folder: Path) -> None:
    found = seen(folder, "os.rename('old.txt', 'b'); os.rename('b', 'c'); open('c').read()")
    assert contents_read(found, sha256sum) == ({str(folder / "old.txt"): OLD}, [])
    (folder / "c").write_text("other")
    assert contents_read(found, sha256sum)[1] == [str(folder / "old.txt")]


@pytest.mark.parametrize("link", ["os.link('old.txt', 'd/new')", "os.symlink('../old.txt', 'd/new')"])
def test_a_file_that_is_linked_is_read(folder: Path, link: str) -> None:
    (folder / "d").mkdir()
    found = seen(folder, f"{link}; open('d/new').read()")
    assert names(found["reads"]) == {"old.txt"}


def test_a_database_that_is_only_read_is_not_written(folder: Path) -> None:
    code = """
import sqlite3
sqlite3.connect('file:old%20one.db?mode=ro', uri=True).close()
with sqlite3.connect('new.db') as base:
    base.execute('create table t (x)')
sqlite3.connect(':memory:'); sqlite3.connect('file::memory:?cache=shared', uri=True)
base = sqlite3.connect('kept.db'); base.execute('select * from t').fetchall(); base.close()
"""
    for name in ("old one", "kept"):
        with sqlite3.connect(folder / f"{name}.db") as base:
            base.execute("create table t (x)")
        base.close()
    found = seen(folder, code)
    reads, changed = contents_read(found, sha256sum)
    assert {Path(path).name: digest for path, digest in reads.items()} == {
        "old one.db": sha256sum(folder / "old one.db"),
        "kept.db": sha256sum(folder / "kept.db"),
        "new.db": None,
    }
    assert not changed
    left = {path: WrittenFile(sha256=sha256sum(path), size=1, kept=False) for path in found["writes"]}
    assert names(changed_only(left, reads)) == {"new.db"}


def test_what_was_seen_is_left_by_a_process_that_is_killed(folder: Path) -> None:
    own = folder.parent / "own"
    own.mkdir()
    code = f"{BEGIN}\nopen('old.txt').read(); open('new', 'w')\nos.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", code, own], cwd=folder, check=False)
    assert done.returncode == -9
    found = left_in(str(own))
    assert (names(found["reads"]), names(found["writes"])) == ({"old.txt"}, {"new"})
    assert left_in(str(folder)) == {}


def test_folders_that_are_made_or_listed_are_told(folder: Path) -> None:
    found = seen(folder, "os.makedirs('x/y'); os.listdir('.'); import glob; glob.glob('x/*')")
    assert found["folders"] == [str(folder / "x"), str(folder / "x/y")]
    assert set(found["listed"]) == {str(folder), str(folder / "x")}


def test_files_that_libraries_open_themselves_are_told(folder: Path) -> None:
    code = """
import pandas as pd, torch, sqlite3
pd.DataFrame({"a": [1]}).to_parquet("t.parquet")
pd.read_csv("old.txt")
torch.save({"a": 1}, "net.pt")
sqlite3.connect("data.db").close()
"""
    found = seen(folder, code)
    assert names(found["writes"]) >= {"t.parquet", "net.pt", "data.db"}
    assert names(found["reads"]) == {"old.txt", "data.db"}
    assert {"pandas", "torch"} <= set(found["modules"]["installed"])


def test_libraries_that_may_not_be_installed_are_watched_by_name(folder: Path) -> None:
    """Stand-ins with the names of functions that read in C or Rust."""
    (folder.parent / "polars.py").write_text("def read_csv(source):\n    pass\ndef scan_parquet(source):\n    pass\n")
    (folder.parent / "cv2.py").write_text("def imread(filename):\n    pass\ndef imwrite(filename, img):\n    pass\n")
    code = """
import cv2, polars as pl, pyarrow.csv
pl.read_csv("a.csv"); pl.scan_parquet(source="b.parquet"); cv2.imread("c.png"); cv2.imwrite("d.png", None)
pyarrow.csv.read_csv("rows.csv")
"""
    (folder / "rows.csv").write_text("a\n1\n")
    found = seen(folder, code)
    assert {"a.csv", "b.parquet", "c.png", "rows.csv"} <= names(found["reads"])
    assert names(found["writes"]) == {"d.png"}


def test_files_in_folders_and_of_patterns_that_libraries_read_and_write_are_told(folder: Path) -> None:
    (folder.parent / "polars.py").write_text("def scan_csv(source):\n    pass\n")
    (folder.parent / "h5py").mkdir()
    (folder.parent / "h5py" / "__init__.py").write_text("from h5py._hl.files import File\n")
    (folder.parent / "h5py" / "_hl").mkdir()
    (folder.parent / "h5py" / "_hl" / "files.py").write_text(
        "class File:\n    def __init__(self, name, mode='r'):\n        pass\n"
    )
    for name in ("parts/a/1.csv", "parts/b/2.csv", "parts/_hidden.csv", "some/3.csv", "some/4.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x\n1\n")
    code = """
import h5py, polars, pyarrow.dataset
table = pyarrow.dataset.dataset('parts', format='csv').to_table()
polars.scan_csv('some/*.csv'); polars.scan_csv(['old.txt']); polars.scan_csv('s3://bucket/5.csv')
pyarrow.dataset.write_dataset(table, 'left', format='parquet')
h5py.File('old.h5'); h5py.File('new.h5', 'w'); h5py.File('both.h5', mode='a')
"""
    found = seen(folder, code)
    data = {name for name in names(found["reads"]) if not name.endswith(".py")}
    assert data == {"1.csv", "2.csv", "3.csv", "4.csv", "old.txt", "old.h5", "both.h5"}
    assert {"part-0.parquet", "new.h5", "both.h5"} <= names(found["writes"])
    assert str(folder / "parts") in found["listed"]


def test_a_forked_process_tells_too(folder: Path) -> None:
    code = """
child = os.fork()
if not child:
    open('old.txt').read(); open('new.txt', 'w').write('x')
    os._exit(0)
os.waitpid(child, 0)
"""
    found = seen(folder, code)
    assert (names(found["reads"]), names(found["writes"])) == ({"old.txt"}, {"new.txt"})


def test_a_process_that_is_started_anew_tells_too(folder: Path) -> None:
    (folder.parent / "worker.py").write_text("def work():\n    open('old.txt').read()\n")
    code = """
import multiprocessing, worker
if __name__ == '__main__':
    process = multiprocessing.get_context('spawn').Process(target=worker.work)
    process.start()
    process.join()
"""
    assert names(seen(folder, code)["reads"]) >= {"old.txt"}


def test_many_files_are_written_down_once_each(folder: Path) -> None:
    code = """
child = os.fork()
if not child:
    for _ in range(3):
        for number in range(300):
            open(f'{number}.txt', 'w').close()
    os._exit(0)
os.waitpid(child, 0)
print(sum(os.path.getsize(each.path) for each in os.scandir(sys.argv[1])), file=sys.stderr)
"""
    assert len(seen(folder, code)["writes"]) == 300
    lines = [line for path in (folder.parent / "own").iterdir() for line in path.read_text().splitlines()]
    assert len(lines) <= 310


def test_variables_that_the_code_asks_for_are_told_and_those_that_it_sets_are_not(folder: Path) -> None:
    code = "os.environ['A']; os.getenv('B'); os.environ['C'] = 'x'; os.environ['C']; os.environ.get('NONE')"
    found = seen(folder, code, A="1", B="2", C="3")
    assert found["variables"] == {"A": masked_variable("1"), "B": masked_variable("2"), "NONE": None}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import subprocess; subprocess.run(['true'])", "it runs the command `true`"),
        ("os.system('true')", "it runs a shell command"),
        ("import socket\ntry:\n    socket.create_connection(('127.0.0.1', 9))\nexcept OSError:\n    pass",
         "it talks to the network (`127.0.0.1`)"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_a_reason(folder: Path, code: str, reason: str) -> None:
    assert seen(folder, code)["reasons"] == [reason]


def test_how_a_library_looks_at_the_machine_is_none(folder: Path) -> None:
    found = seen(folder, "import platform, sklearn, importlib.metadata as m; platform.processor(); [*m.entry_points()]")
    assert (found["reasons"], found["listed"], found["reads"], found["variables"]) == ([], {}, {}, {})


def test_data_that_a_library_brings_along_or_has_fetched_are_told_apart(folder: Path) -> None:
    library, cache = folder / "site-packages" / "lib" / "data", folder / ".cache" / "lib"
    for place in (library, cache):
        place.mkdir(parents=True)
        for name in ("rows.csv.gz", "settings.json", "net.safetensors"):
            (place / name).write_text("x")
    code = "import glob\nfor file in glob.glob('*/lib/data/*') + glob.glob('.cache/lib/*'):\n    open(file).read()"
    found = seen(folder, code)
    assert found["brought"] == sorted(
        str(place / name) for place in (library, cache) for name in ("net.safetensors", "rows.csv.gz")
    )
    assert not found["reads"]
