"""Trouble around a run, such as a disk that is full: a clear error or none, and nothing is lost."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "nb2pipe")
NOTEBOOK = """# %% tags=["step:a"]
x = [number for number in range(9000)]
print("a" * 1000)
# %% tags=["step:b"]
y = x[::-1]
# %% tags=["step:c"]
print(y[0], sum(y))
"""


class Place:
    """A folder with a notebook and a home."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        (folder / "made.py").write_text(NOTEBOOK)

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """The program."""
        variables = {**os.environ, "NB2PIPE_HOME": str(self.home)}
        return subprocess.Popen(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **more,
        )

    def tell(self, *words: str, **more: Any) -> tuple[int, str, str]:
        """The program's exit code and what it said."""
        process = self.start(*words, **more)
        out, err = process.communicate(timeout=120)
        assert "bug of nb2pipe" not in err, err
        assert "Traceback" not in err, err
        return process.returncode, out, err

    def run(self) -> tuple[int, str, str]:
        """A quick run."""
        return self.tell("run", "made.py", "--executor", "subprocess", "--json")

    def steps(self, out: str) -> dict[str, str]:
        """What became of the steps."""
        return {step["name"]: step["status"] for step in json.loads(out.splitlines()[-1])["steps"]}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.mark.parametrize("kilobytes", [1, 12])
def test_where_files_cannot_grow_it_says_so_and_goes_on_later(place: Place, kilobytes: int) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    code, _, err = place.tell("run", "made.py", "--executor", "subprocess", "-q", preexec_fn=limit)
    assert code in {7, 8}, err
    assert "File too large" in err or "space" in err
    code, out, err = place.tell("runs", "list", "--json")
    assert code == 0, err
    if any(row["status"] for row in json.loads(out)):
        code, out, err = place.tell("resume", "--json")
        assert code == 0, err
        assert set(place.steps(out)) == {"a", "b", "c"}


def test_files_of_a_newer_version_are_named_and_the_others_work(place: Place) -> None:
    assert place.run()[0] == 0
    (run,) = (place.home / "runs").iterdir()
    for name in ("run.json", "steps/a.json"):
        data = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps({**data, "schema": 99}))
    code, out, _ = place.tell("runs", "list", "--json")
    assert code == 0
    assert "newer" in json.loads(out)[0]["problem"]
    code, _, err = place.tell("resume", run.name)
    assert code == 8
    assert "pip install --upgrade nb2pipe" in err
    code, out, err = place.run()
    assert code == 0, err
    assert place.steps(out)["a"] == "ran", "what cannot be read is not taken"


@pytest.mark.parametrize("content", ["{", '{"schema": 1}'])
def test_a_damaged_record_of_a_step_costs_that_step(place: Place, content: str) -> None:
    assert place.run()[0] == 0
    (run,) = (place.home / "runs").iterdir()
    (run / "steps" / "b.json").write_text(content)
    code, out, err = place.run()
    assert code == 0, err
    assert place.steps(out) == {"a": "reused", "b": "ran", "c": "reused"}


def test_two_runs_in_one_home_at_once_do_not_disturb_each_other(place: Place) -> None:
    words = ("run", "made.py", "--executor", "subprocess", "--json")
    for wanted in ({"ran", "reused"}, {"reused"}):
        both = [place.start(*words) for _ in range(2)]
        for process in both:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            assert set(place.steps(out).values()) <= wanted
    keys = [path.read_text().splitlines() for path in (place.home / "keys").glob("*/*")]
    assert [len(lines) in {1, 2} for lines in keys] == [True] * 3, "the slower one may have reused what the other made"
    assert all(len(line.split()) == 2 for lines in keys for line in lines)
    code, out, _ = place.tell("runs", "list", "--json")
    assert code == 0
    assert [row["status"] for row in json.loads(out)] == ["succeeded"] * 4


def test_a_home_that_cannot_be_made_is_named(place: Place) -> None:
    place.home.mkdir()
    (place.home / "store").write_text("a file")
    code, _, err = place.run()
    assert code == 7
    assert str(place.home) in err
    assert "hint: " in err
