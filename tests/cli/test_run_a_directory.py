"""`nb2pipe run DIR` on what `nb2pipe convert` wrote: its modules, edited or not, with records as of any run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = (sys.executable, "-m", "nb2pipe")
Converted = Any


def program(*words: object) -> subprocess.CompletedProcess[str]:
    """The program, as a process of its own."""
    return subprocess.run([*PROGRAM, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


def ended(*words: object) -> dict[str, Any]:
    """What the last line of `--json` says."""
    done = program(*words, "--json")
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture
def converted(notebook: Path) -> Path:
    """The folder that the small notebook was converted to."""
    done = program("convert", notebook)
    assert done.returncode == 0, done.stderr
    return notebook.parent / "small_pipeline"


def edit(converted: Path, old: str, new: str) -> None:
    path = converted / "small_pipeline" / "steps" / "train.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_modules_run_as_they_stand_there(converted: Path) -> None:
    assert ended("run", converted)["metrics"] == {"total": 3.0}
    edit(converted, "total = sum(data) * lr", "# edited\n    total = sum(data) * lr + 1")
    found = ended("run", converted, "-p", "lr", 2, "-p", "epochs=1")
    assert (found["status"], found["metrics"]) == ("succeeded", {"total": 13.0})
    outputs = [[each.text for each in cell.get("outputs", ())] for cell in nbformat.read(found["notebook"], 4).cells]
    assert outputs == [[], [], ["loading\n"], ["epoch 0\n"], ["13.0\n"]]


def test_it_runs_where_the_notebook_is_or_else_in_itself(converted: Path, folder: Path) -> None:
    edit(converted, "total = sum(data) * lr", "import os\n    total = len(os.getcwd())")
    assert ended("run", converted)["metrics"] == {"total": len(str(folder))}
    assert (folder / ".nb2pipe").is_dir()
    (folder / "elsewhere").mkdir()
    moved = folder / "elsewhere" / "moved"
    shutil.move(converted, moved)
    found = ended("run", moved)
    assert found["metrics"] == {"total": len(str(moved))}
    assert [step["status"] for step in found["steps"]] == ["ran", "ran"]


def test_an_error_names_the_line_of_the_module_too_and_the_run_goes_on_once_it_is_mended(converted: Path) -> None:
    edit(converted, "total = sum(data) * lr", "total = sum(data) / 0")
    failed = program("run", converted)
    assert failed.returncode == 5
    assert "cell 3" in failed.stderr
    assert "total = sum(data) / 0" in failed.stderr
    assert "small_pipeline/steps/train.py, line " in failed.stderr
    assert "mend the module" in failed.stderr
    edit(converted, "total = sum(data) / 0", "total = sum(data) * lr")
    assert program("resume").returncode == 0
    shown = json.loads(program("runs", "show", "latest", "--json").stdout)
    assert (shown["status"], shown["metrics"]) == ("succeeded", {"total": 3.0})
    assert shown["resumed"] == 1


def test_a_resumed_run_runs_again_only_what_was_edited(converted: Path) -> None:
    edit(converted, "for epoch", "if lr == 0.5:\n        raise ValueError('stop')\n    for epoch")
    assert program("run", converted).returncode == 5
    first = json.loads(program("runs", "show", "latest", "--json").stdout)
    edit(converted, "raise ValueError('stop')", "pass")
    done = program("resume", "-v")
    assert done.returncode == 0, done.stderr
    last = json.loads(program("runs", "show", "latest", "--json").stdout)
    seconds = [[step["seconds"] for step in found["steps"] if step["name"] == "load"] for found in (first, last)]
    assert seconds[0] == seconds[1]


def test_what_cannot_be_run_is_told_before_anything_runs(converted: Path, folder: Path) -> None:
    kernels = program("run", converted, "--executor", "papermill")
    assert kernels.returncode == 2
    assert "runs notebooks, not the modules" in kernels.stderr
    unknown = program("run", converted, "-p", "lrr", "1")
    assert unknown.returncode == 2
    assert "did you mean `lr`?" in unknown.stderr
    nothing = program("run", folder)
    assert nothing.returncode == 2
    assert "holds no pipeline.json" in nothing.stderr
    description = converted / "pipeline.json"
    text = description.read_text()
    description.write_text(text[: len(text) // 2])
    broken = program("run", converted)
    assert broken.returncode == 3
    assert "pipeline.json is broken JSON" in broken.stderr
    description.write_text(text.replace('"schema": 1', '"schema": 7', 1))
    assert "a newer nb2pipe wrote" in program("run", converted).stderr
    assert not (folder / ".nb2pipe" / "runs").exists()


def test_a_dry_run_shows_the_plan_and_runs_nothing(converted: Path, folder: Path) -> None:
    done = program("run", converted, "--dry-run")
    assert done.returncode == 0
    assert "2 steps of small would run" in done.stdout
    assert not (folder / ".nb2pipe").exists()


def test_from_python_too(converted: Path) -> None:
    import nb2pipe

    result = nb2pipe.run(converted, lr=1, jobs=1)
    assert result.metrics == {"total": 6.0}
    assert result.record.executor == "subprocess"
    assert result.value("data") == [1, 2, 3]
