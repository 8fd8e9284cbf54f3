"""Steps that need not run again, and those that must; real runs, one after the other in one home."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import nb2pipe
from nb2pipe.errors import UsageError
from nb2pipe.execution.options import RunOptions
from nb2pipe.execution.plan import plan
from nb2pipe.execution.reasons import explain_step
from nb2pipe.records.index import find_run

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """
# %% tags=["parameters"]
scale = 2
other = 1
# %% tags=["functions"]
def double(values):
    return [2 * value for value in values]
def unused():
    return 1
# %% tags=["step:load"]
rows = [int(text) for text in open("data.txt")]
print("rows", len(rows))
# %% tags=["step:double"]
doubled = double(rows)
open("doubled.txt", "w").write(str(doubled))
# %% tags=["step:sum"]
total = scale * sum(doubled)
print(total)
# %% tags=["pipeline-metrics"]
print(total)
"""


class Project:
    """A notebook in a folder; each run says which steps ran."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.result: Any = None
        self.write(NOTEBOOK)
        (folder / "data.txt").write_text("1\n2\n3\n")

    def write(self, text: str) -> None:
        (self.folder / "made.py").write_text(textwrap.dedent(text).lstrip())

    def edit(self, old: str, new: str) -> None:
        text = (self.folder / "made.py").read_text()
        assert old in text
        self.write(text.replace(old, new))

    def run(self, executor: str = "subprocess", **options: Any) -> str:
        """The steps that ran, the others being reused."""
        self.result = nb2pipe.run(self.folder / "made.py", executor=executor, home=self.folder / ".nb2pipe", **options)
        assert self.result.status == "succeeded", self.result.error
        assert {step.status for step in self.result.steps} <= {"ran", "reused"}
        return " ".join(step.name for step in self.result.steps if step.status == "ran")

    def printed(self) -> list[str]:
        cells = nbformat.read(self.result.notebook, 4).cells
        return [output["text"] for cell in cells for output in cell.get("outputs", []) if "text" in output]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize("executor", ["subprocess", "papermill"])
def test_a_second_run_runs_nothing_and_shows_the_same(project: Project, executor: str) -> None:
    assert project.run(executor) == "load double sum"
    first = project.result, project.printed()
    assert project.run(executor) == ""
    assert (project.result.metrics, project.printed()) == (first[0].metrics, first[1])
    assert project.result.value("doubled") == [2, 4, 6]


def test_what_changes_nothing_reruns_nothing(project: Project) -> None:
    project.run()
    project.edit("    return 1\n", "    return 3  # nobody calls it\n")
    project.edit('# %% tags=["step:sum"]\n', '# %% [markdown]\n# a text\n# %% tags=["step:sum"]\n# a comment\n\n')
    assert project.run() == ""
    assert project.run(parameters={"other": 5}) == ""
    assert project.run(parameters={"scale": 2}) == ""


def test_only_what_depends_on_a_change_runs_again(project: Project) -> None:
    project.run()
    assert project.run(parameters={"scale": 3}) == "sum"
    assert project.run(parameters={"scale": 2}) == ""
    project.edit("print(total)", "print(total, 1)")
    assert project.run() == "sum"
    project.edit("2 * value", "3 * value")
    assert project.run() == "double sum"


def test_a_step_that_gives_the_same_again_ends_the_change(project: Project) -> None:
    project.run()
    project.edit("2 * value", "value + value")
    assert project.run() == "double"


def test_an_edited_file_runs_its_reader_again_and_what_depends_on_it(project: Project) -> None:
    project.run()
    (project.folder / "data.txt").write_text("1\n2\n4\n")
    assert project.run() == "load double sum"
    (project.folder / "data.txt").write_text("1\n2\n3\n")
    assert project.run() == ""
    (project.folder / "data.txt").write_text("01\n2\n3\n")
    assert project.run() == "load"


def test_a_file_that_a_step_left_comes_back(project: Project) -> None:
    project.run()
    left = project.folder / "doubled.txt"
    left.unlink()
    assert project.run() == ""
    assert left.read_text() == "[2, 4, 6]"
    left.write_text("something else")
    assert project.run() == ""
    assert left.read_text() == "[2, 4, 6]"


def test_a_step_that_reads_the_clock_runs_again_unless_it_is_allowed_not_to(project: Project) -> None:
    project.write("""
    # %% tags=["step:now"]
    import time
    when = time.time()
    # %% tags=["step:old", "cache:enabled"]
    old = time.time()
    # %% tags=["step:never", "cache:disabled"]
    one = 1
    """)
    assert project.run() == "now old never"
    assert project.run() == "now never"


def test_a_step_that_runs_a_command_runs_again(project: Project) -> None:
    project.write("""
    # %% tags=["step:shell"]
    import subprocess
    text = subprocess.run(["cat", "data.txt"], capture_output=True, text=True).stdout
    # %% tags=["step:rest"]
    print(text)
    """)
    assert project.run() == "shell rest"
    assert project.run() == "shell"


def test_a_variable_of_the_environment_that_a_step_reads_counts(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("""
    # %% tags=["step:asks"]
    import os
    mode = os.environ.get("SOME_MODE", "none")
    # %% tags=["step:rest"]
    one = 1
    """)
    assert project.run() == "asks rest"
    monkeypatch.setenv("ANOTHER_MODE", "x")
    assert project.run() == ""
    monkeypatch.setenv("SOME_MODE", "x")
    assert project.run() == "asks"


def test_a_local_module_counts(project: Project) -> None:
    module = project.folder / "helping.py"
    module.write_text("def one():\n    return 1\n")
    project.write("""
    # %% tags=["imports"]
    import helping
    # %% tags=["step:asks"]
    number = helping.one()
    # %% tags=["step:rest"]
    other = 1
    """)
    assert project.run() == "asks rest"
    module.write_text("def one():\n    return 2\n")
    assert project.run() == "asks"
    assert project.result.value("number") == 2


def test_the_seed_counts_for_those_that_draw(project: Project) -> None:
    project.write("""
    # %% tags=["step:draw"]
    import random
    number = random.random()
    # %% tags=["step:hidden"]
    import sys
    hidden = getattr(sys.modules["random"], "ran" + "dom")()
    # %% tags=["step:rest"]
    one = 1
    """)
    assert project.run(seed=1) == "draw hidden rest"
    assert project.run(seed=1) == ""
    assert project.run(seed=2) == "draw hidden"


def test_force_runs_all_and_no_cache_leaves_nothing(project: Project) -> None:
    assert project.run(no_cache=True) == "load double sum"
    assert project.run() == "load double sum"
    assert project.run(force=True) == "load double sum"
    assert project.run(no_cache=True) == "load double sum"
    assert project.run() == ""


def test_an_artifact_that_is_gone_or_damaged_is_made_again(project: Project) -> None:
    project.run()
    for file in (project.folder / ".nb2pipe" / "store").rglob("*"):
        if file.is_file():
            file.unlink()
    assert project.run() == "load double sum"


def test_a_series_comes_back_with_its_step(project: Project) -> None:
    project.write("""
    # %% tags=["step:train"]
    from nb2pipe import track
    for step in range(3):
        track.log({"loss": 1.0 / (step + 1)}, step=step)
    """)
    assert project.run() == "train"
    assert project.run() == ""
    run = nb2pipe.open_run("latest", home=project.folder / ".nb2pipe")
    assert list(run.series("loss")) == [1.0, 0.5, 1 / 3]


def test_unordered_steps_are_reused_each_for_itself(project: Project) -> None:
    project.write("""
    # %% tags=["step:data"]
    values = [1, 2]
    # %% tags=["step:left"]
    left = sum(values)
    # %% tags=["step:right"]
    right = len(values)
    # %% tags=["step:join"]
    print(left, right)
    """)
    assert project.run() == "data left right join"
    project.edit("len(values)", "len(values) + 1")
    assert project.run() == "right join"


# -- why


def why(project: Project, step: str) -> list[str]:
    """What `explain latest STEP` tells, as text."""
    home = project.folder / ".nb2pipe"
    found = explain_step(home, find_run(home, "latest"), step)
    return [line for each in found for reason in each.reasons for line in (reason.message, *reason.difference)]


def test_explain_names_the_smallest_change(project: Project) -> None:
    project.run()
    assert why(project, "double") == ["it had not run to its end before"]
    project.edit("2 * value", "3 * value")
    project.run()
    changed = ["its code changed", "cell 2, line 2"]
    changed += ["-     return [2 * value for value in values]", "+     return [3 * value for value in values]"]
    assert why(project, "double") == changed
    assert why(project, "sum") == ["`doubled`, made by `double`, is another one", *changed]
    assert why(project, "load") == []


def test_explain_names_parameters_files_variables_and_what_runs_each_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.edit('print("rows", len(rows))', 'import os, time\nmode = os.environ.get("SOME_MODE")\nclock = time.time()')
    project.run()
    project.run(parameters={"scale": 3})
    assert why(project, "sum") == ["the parameter `scale` is 3, was 2"]
    (told,) = why(project, "load")
    assert told.startswith("it runs each time, since it reads the clock (cell 3);")
    monkeypatch.setenv("SOME_MODE", "x")
    (project.folder / "data.txt").write_text("5\n")
    project.run()
    file = f"the file `{project.folder / 'data.txt'}` changed"
    assert why(project, "load") == [file, "the environment variable `SOME_MODE` changed"]
    project.run(force=True)
    assert why(project, "double")[0] == "the run was told to run all steps again (--force)"


def planned(project: Project, **options: Any) -> dict[str, str]:
    """What `run --dry-run` tells of each step: the source of its results, or why it would run."""
    pipeline = nb2pipe.load(project.folder / "made.py")
    given = RunOptions(executor="subprocess", home=project.folder / ".nb2pipe", **options)
    told = {step.name: step.why.message if step.why else step.source for step in plan(pipeline, given).steps}
    return {name: text or "" for name, text in told.items()}


def test_a_dry_run_says_what_would_run_and_why_and_changes_nothing(project: Project) -> None:
    assert set(planned(project).values()) == {"it has not run here before"}
    assert not (project.folder / ".nb2pipe").exists()
    project.run()
    run = project.result.run
    (project.folder / "doubled.txt").unlink()
    assert planned(project) == dict.fromkeys(("load", "double", "sum"), run)
    assert not (project.folder / "doubled.txt").exists()
    assert planned(project, parameters={"scale": 5})["sum"] == "the parameter `scale` is 5, was 2"
    assert planned(project, force=True)["sum"] == "all that are chosen are to run (--force or --no-cache)"
    (project.folder / "data.txt").write_text("5\n")
    found = planned(project)
    assert found["load"] == "`data.txt` changed"
    assert found["double"] == "it comes after `load`; reused where what it takes stays the same"


# -- some steps only


def statuses(project: Project, **options: Any) -> dict[str, str]:
    result = nb2pipe.run(project.folder / "made.py", executor="subprocess", home=project.folder / ".nb2pipe", **options)
    assert result.status == "succeeded"
    return {step.name: step.status.value for step in result.steps}


def test_only_chosen_steps_run_on_the_results_of_earlier_runs(project: Project) -> None:
    assert statuses(project, until="double") == {"load": "ran", "double": "ran", "sum": "skipped"}
    assert statuses(project, only="sum") == {"load": "reused", "double": "reused", "sum": "ran"}
    assert statuses(project, since="double", force=True) == {"load": "reused", "double": "ran", "sum": "ran"}
    project.edit("2 * value", "3 * value")
    assert statuses(project, only="load") == {"load": "reused", "double": "skipped", "sum": "skipped"}


def test_what_a_chosen_step_follows_from_has_to_be_there(project: Project) -> None:
    with pytest.raises(UsageError, match="no earlier run left results of the step `load`"):
        project.run(only="sum")
    project.run()
    project.edit("2 * value", "3 * value")
    with pytest.raises(UsageError, match="`double` that can be taken: its code changed") as refused:
        project.run(only="sum")
    assert refused.value.hint == "run it first, with --until double, or run all steps"
    with pytest.raises(UsageError, match="there is no step `dubble`") as refused:
        project.run(only="dubble")
    assert refused.value.hint == "did you mean `double`?"
    with pytest.raises(UsageError, match="no step is both `sum` or after it, and `load` or before it"):
        project.run(since="sum", until="load")
