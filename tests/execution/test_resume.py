"""What `resume` takes over of a run, and what it runs again; real runs, each of which failed or was interrupted."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import nbformat
import pytest

import nb2pipe
from nb2pipe import api
from nb2pipe.errors import UsageError
from nb2pipe.execution.home import only_here
from nb2pipe.execution.options import RunOptions
from nb2pipe.records.files import read_run

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["imports"]
import os
import time
from glob import glob
# %% tags=["step:load"]
rows = [int(text) for text in open("data.txt")]
print(time.time() > 0, os.environ.get("RESUME_TRIAL"))
# %% tags=["step:count"]
names = sorted(glob("*.txt"))
count = len(names)
# %% tags=["step:write"]
import helper
open("made.txt", "w").write(helper.shown(rows))
open("data.txt", "w").write("7")
# %% tags=["step:last"]
if os.path.exists("stop.txt"):
    raise RuntimeError
print(open("made.txt").read(), count, rows)
"""


class Project:
    """A notebook whose last step failed; going on with it says which steps ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / ".nb2pipe"
        (folder / "made.py").write_text(textwrap.dedent(NOTEBOOK).lstrip())
        (folder / "data.txt").write_text("1\n2\n3\n")
        (folder / "helper.py").write_text("def shown(rows):\n    return str(sum(rows))\n")
        (folder / "stop.txt").touch()
        self.run = nb2pipe.run(folder / "made.py", executor="subprocess", home=self.home)
        assert self.run.status == "failed"

    def notebook(self) -> str:
        return (self.folder / "made.py").read_text()

    def resume(self) -> str:
        before = {step.name: step.started for step in read_run(self.run.folder).steps}
        api.resume(self.run.record.run, RunOptions(home=self.home))
        after = {step.name: step.started for step in read_run(self.run.folder).steps}
        return " ".join(name for name in after if after[name] != before[name])

    def printed(self) -> list[str]:
        cells = nbformat.read(self.run.folder / "notebook.ipynb", 4).cells
        return [output["text"] for cell in cells for output in cell.get("outputs", []) if "text" in output]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_steps_that_finished_are_taken_over_though_later_ones_changed_what_they_read(project: Project) -> None:
    assert project.resume() == "last"
    (project.folder / "stop.txt").unlink()
    (project.folder / "made.txt").write_text("by somebody else")
    assert project.resume() == "count last", "a name that was listed is gone"
    assert project.printed()[-1] == "6 2 [1, 2, 3]\n", "what steps left is put back"


@pytest.mark.parametrize(
    ("file", "text", "ran", "printed"),
    [
        ("data.txt", "4\n5\n", "load write last", "9 2 [4, 5]\n"),
        ("helper.py", "def shown(rows):\n    return 'none'\n", "write last", "none 2 [1, 2, 3]\n"),
        ("new.txt", "", "count last", "6 4 [1, 2, 3]\n"),
    ],
)
def test_what_somebody_changed_since_is_noticed(project: Project, file: str, text: str, ran: str, printed: str) -> None:
    (project.folder / file).write_text(text)
    (project.folder / "made.py").write_text(project.notebook().replace("raise RuntimeError", "pass"))
    assert project.resume() == ran
    assert project.printed()[-1] == printed


def test_a_variable_of_the_environment_counts(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESUME_TRIAL", "other")
    (project.folder / "data.txt").write_text("1\n2\n3\n")
    assert project.resume() == "load last"
    assert "True other\n" in project.printed()


@pytest.mark.parametrize("content", [b"", b"altered"])
def test_what_is_damaged_in_the_store_is_made_anew(project: Project, content: bytes) -> None:
    record = read_run(project.run.folder)
    for group in record.step("load").outputs:
        path = project.home / "store" / "sha256" / group.digest[:2] / group.digest[2:]
        path.chmod(0o644)
        path.write_bytes(content.ljust(path.stat().st_size if content else 0))
    (project.folder / "data.txt").write_text("1\n2\n3\n")
    assert project.resume() == "load last"
    assert read_run(project.run.folder).step("load").outputs == record.step("load").outputs


def test_what_a_killed_run_left_half_done_is_removed(project: Project) -> None:
    steps = project.run.folder / "steps"
    (steps / ".step-abc").mkdir()
    (steps / ".step-abc" / "spec.json").write_text("{}")
    (steps / ".load.json.1234.tmp").write_text("{")
    project.resume()
    assert [path.name for path in steps.glob(".*")] == []


def test_two_cannot_go_on_with_a_run_at_once(project: Project) -> None:
    with only_here(project.run.folder), pytest.raises(UsageError, match="still goes on"):
        project.resume()
    assert project.resume() == "last"


def test_a_run_of_a_home_without_indexes_is_gone_on_with(project: Project) -> None:
    for name in ("records.db", "files.db", "packages.json"):
        (project.home / name).unlink()
    assert project.resume() == "last"
    for name in ("records.db", "files.db", "packages.json"):
        (project.home / name).write_bytes(b"damaged")
    for path in (project.home / "keys").glob("*/*"):
        path.write_bytes(b"\xff\x00 ../../x\nno step\n\n")
    assert project.resume() == "last"
