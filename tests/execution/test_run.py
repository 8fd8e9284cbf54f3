"""A whole run with its record, with steps that run in this process."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.diagnostics import Diagnostic, Location, Report, Severity
from nb2pipe.errors import NotebookError, PluginError, RecordsError, StoreError, UsageError
from nb2pipe.execution.options import RunOptions
from nb2pipe.execution.plan import plan, plan_json
from nb2pipe.execution.run import resume, run
from nb2pipe.notebook.model import SecretTag
from nb2pipe.pipeline.model import Pipeline, Resources
from nb2pipe.records.events import (
    CellStarted,
    Event,
    Noted,
    RunFinished,
    RunInterrupted,
    RunStarted,
    RunStatus,
    StepStarted,
    StepStatus,
)
from nb2pipe.records.files import read_run, step_path
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from nb2pipe.execution.model import RunEnd


class Project:
    """A folder with a notebook, and runs of it."""

    def __init__(self, folder: Path, executor: Any) -> None:
        self.folder = folder
        self.executor = executor
        self.events: list[Event] = []
        self.options = RunOptions(home=folder / "home", seed=1, jobs=2)
        self.assembled: list[Path] = []

    def assemble(self, folder: Path, pipeline: Pipeline) -> None:
        self.assembled.append(folder)
        (folder / "notebook.ipynb").write_text(json.dumps({"name": pipeline.name}))

    def run(self, pipeline: Pipeline, **changes: Any) -> RunEnd:
        more = {"cancel": changes.pop("cancel", None), "listeners": changes.pop("listeners", (self.events.append,))}
        assemble = changes.pop("assemble", self.assemble)
        executor = changes.pop("executor", self.executor)
        return run(pipeline, replace(self.options, **changes), executor=executor, assemble=assemble, **more)

    def resume(self, end: RunEnd, pipeline: Pipeline, **changes: Any) -> RunEnd:
        self.executor.ran.clear()
        self.events.clear()
        return resume(
            read_run(end.folder),
            pipeline,
            replace(RunOptions(home=self.folder / "home"), **changes),
            executor=self.executor,
            assemble=self.assemble,
            listeners=(self.events.append,),
        )

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def project(trial: Any, tmp_path: Path) -> Project:
    trial.executor.store = LocalStore(tmp_path / "home" / "store")
    return Project(tmp_path, trial.executor)


@pytest.fixture
def chain(pipeline: Any, spec: Any, tmp_path: Path) -> Any:
    """Makes a pipeline of three steps in a row."""

    def make(second: str = "y = x + 1", third: str = "z = y + 1; metric('z', z)", **more: Any) -> Pipeline:
        specs = {
            "a": spec("x = 1", gives=("x",)),
            "b": spec(second, takes={"x": "a"}, gives=("y",)),
            "c": spec(third, takes={"y": "b"}, gives=("z",)),
        }
        made: Pipeline = pipeline(specs, path=str(tmp_path / "trial.ipynb"), **more)
        return made

    return make


def statuses(end: RunEnd) -> dict[str, StepStatus]:
    return {step.name: step.status for step in end.steps}


def test_a_run_leaves_a_record_of_itself(project: Project, chain: Any) -> None:
    end = project.run(chain(), name="first", tags=("t",), note="n")
    record = read_run(end.folder)
    assert end.status is record.status is RunStatus.SUCCEEDED
    assert end.metrics == record.metrics == {"z": 3.0}
    assert [(step.name, step.status) for step in record.steps] == [(name, StepStatus.RAN) for name in "abc"]
    assert all(len(step.key) == 64 for step in record.steps)
    assert (record.run, record.name, record.tags, record.note, record.seed) == (end.run, "first", ("t",), "n", 1)
    assert record.surroundings["hash_seed"] == "0"
    assert record.surroundings["folder"] == str(project.folder)
    assert end.folder == project.folder / "home" / "runs" / end.run


def test_the_first_event_begins_the_run_and_the_last_ends_it(project: Project, chain: Any) -> None:
    project.run(chain(parameters={"lr": 0.5}), parameters={"lr": 1})
    first, last = project.events[0], project.events[-1]
    assert isinstance(first, RunStarted)
    assert first.steps == ("a", "b", "c")
    assert (dict(first.parameters), first.given) == ({"lr": 1.0}, ("lr",))
    assert isinstance(last, RunFinished)
    assert dict(last.metrics) == {"z": 3.0}


def test_ids_of_runs_follow_their_form_and_differ(project: Project, chain: Any) -> None:
    one, two = project.run(chain()), project.run(chain())
    assert one.run != two.run
    assert [len(part) for part in one.run.split("-")] == [8, 6, 4]


def test_steps_side_by_side_wait_passively(project: Project, chain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    project.run(chain())
    project.run(chain(), jobs=1)
    together, alone = (dict(call.surroundings.variables) for call in project.executor.calls[::3])
    assert together == {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "passive"}
    assert alone == {"PYTHONHASHSEED": "0"}


def test_an_unseeded_run_takes_the_state_of_the_home_and_a_fresh_one_does_not(project: Project, chain: Any) -> None:
    seeds = [
        read_run(project.run(chain(), seed=None, fresh_random=fresh).folder).seed for fresh in (False, False, True)
    ]
    assert seeds[0] == seeds[1] != seeds[2]


# -- what is wrong before anything runs


def nothing_ran(project: Project) -> bool:
    return not project.executor.ran and not (project.folder / "home").exists()


def test_a_notebook_with_errors_does_not_run(project: Project, chain: Any) -> None:
    place = Location(notebook="trial.ipynb")
    report = Report((Diagnostic(code="NB203", severity=Severity.ERROR, message="m", location=place),))
    with pytest.raises(NotebookError) as caught:
        project.run(replace(chain(), report=report))
    assert caught.value.report == report
    assert nothing_ran(project)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": {"lrr": 1}}, "lrr"),
        ({"kernel": "no-such-kernel"}, "no-such-kernel"),
        ({"folder": Path("/no/such/folder")}, "/no/such/folder"),
        ({"output": Path("/no/such/folder/out.ipynb")}, "does not exist"),
        ({"output": Path("/tmp")}, "is a folder"),
    ],
)
def test_what_the_user_gave_wrongly_is_told_before_anything_runs(
    project: Project, chain: Any, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        project.run(chain(parameters={"lr": 1}), **changes)
    assert nothing_ran(project)


def test_the_notebook_itself_is_no_place_for_the_executed_one(
    project: Project, chain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "trial.ipynb").write_text("mine")
    (project.folder / "link.ipynb").symlink_to("trial.ipynb")
    monkeypatch.chdir(project.folder)
    for name in ("trial.ipynb", "./trial.ipynb", "link.ipynb"):
        with pytest.raises(UsageError, match="the notebook itself"):
            project.run(chain(), output=Path(name))
    assert (project.folder / "trial.ipynb").read_text() == "mine"


def test_all_missing_secrets_are_named_with_their_steps(
    project: Project, pipeline: Any, spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THERE", "x")
    tags = [SecretTag(secret="s", key="k", variable=name) for name in ("THERE", "DB_PASSWORD", "TOKEN")]
    specs = {
        "a": spec("", resources=Resources(secrets=tuple(tags[:2]))),
        "b": spec("", resources=Resources(secrets=tuple(tags[1:]))),
    }
    with pytest.raises(UsageError) as caught:
        project.run(pipeline(specs, path=str(project.folder / "n.ipynb")))
    assert "`DB_PASSWORD` (step `a`, `b`), `TOKEN` (step `b`)" in caught.value.message
    assert nothing_ran(project)


@pytest.mark.parametrize(
    "changes",
    [
        {"jobs": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1, "fresh_random": True},
        {"name": "latest"},
        {"name": "latest~2"},
        {"name": " "},
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RunOptions(**changes)


def test_a_kernel_that_is_not_here_is_replaced_with_a_warning(project: Project, chain: Any) -> None:
    project.run(chain(kernel="of-a-colleague"))
    assert [note.code for note in project.of(Noted)] == ["NB510"]
    assert {call.surroundings.kernel for call in project.executor.calls} == {"python3"}


# -- ends


def test_a_failed_run_keeps_its_record_and_its_notebook(project: Project, chain: Any) -> None:
    end = project.run(chain(second="1 / 0"), output=project.folder / "out.ipynb")
    record = read_run(end.folder)
    assert end.status is record.status is RunStatus.FAILED
    assert end.failure == record.failure
    assert record.step("c").status is StepStatus.SKIPPED
    assert end.notebook.exists()
    assert (project.folder / "out.ipynb").read_bytes() == end.notebook.read_bytes()


def test_an_interrupted_run_says_so(project: Project, chain: Any) -> None:
    cancel = threading.Event()
    project.executor.prepare = {"interrupt": cancel.set}
    end = project.run(chain(second="interrupt(); wait(30)"), cancel=cancel)
    record = read_run(end.folder)
    assert end.status is record.status is RunStatus.INTERRUPTED
    assert record.step("b").status is StepStatus.INTERRUPTED
    assert len(project.of(RunInterrupted)) == 1
    assert end.notebook.exists()


def test_ctrl_c_in_a_listener_interrupts_the_run(project: Project, chain: Any) -> None:
    def press(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "b":
            import _thread

            _thread.interrupt_main()

    end = project.run(chain(second="wait(30)"), listeners=(press,))
    assert end.status is read_run(end.folder).status is RunStatus.INTERRUPTED


def test_a_listener_that_raises_does_not_break_the_run_and_is_told_once(project: Project, chain: Any) -> None:
    def broken(_event: Event) -> None:
        raise ValueError("no connection")

    end = project.run(chain(), listeners=(broken, project.events.append))
    assert end.status is RunStatus.SUCCEEDED
    assert [note.code for note in project.of(Noted)] == ["NB514"]
    assert "no connection" in project.of(Noted)[0].message
    assert len(project.of(StepStarted)) == 3


def test_a_broken_executor_leaves_a_closed_record(project: Project, chain: Any) -> None:
    class Broken:
        name = "broken"

        def run_step(self, *_: object) -> Any:
            raise ValueError("no queue")

    with pytest.raises(PluginError):
        project.run(chain(), executor=Broken())
    record = read_run(next((project.folder / "home" / "runs").iterdir()))
    assert record.status is RunStatus.FAILED
    assert record.failure is not None
    assert record.failure.kind == "PluginError"


def test_a_record_that_cannot_be_written_is_an_error(project: Project, chain: Any) -> None:
    def spoil(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "b":
            folder = next((project.folder / "home" / "runs").iterdir())
            (folder / "steps").rename(folder / "gone")
            (folder / "steps").write_text("a file")

    with pytest.raises(RecordsError):
        project.run(chain(), listeners=(spoil,))


def test_a_notebook_that_cannot_be_written_is_an_error_after_the_record_is_closed(project: Project, chain: Any) -> None:
    def full(_folder: Path, _pipeline: Pipeline) -> None:
        raise OSError("no space left")

    with pytest.raises(StoreError, match="no space left"):
        project.run(chain(), assemble=full)
    record = read_run(next((project.folder / "home" / "runs").iterdir()))
    assert record.status is RunStatus.SUCCEEDED
    assert [note.code for note in record.notes] == ["NB516"]


# -- resume


def test_a_resumed_run_runs_only_what_is_left(project: Project, chain: Any) -> None:
    end = project.run(chain(third="1 / 0"))
    again = project.resume(end, chain())
    assert project.executor.ran == ["c"]
    assert (again.run, again.status) == (end.run, RunStatus.SUCCEEDED)
    assert statuses(again) == dict.fromkeys("abc", StepStatus.RAN)
    assert again.metrics == {"z": 3.0}
    record = read_run(again.folder)
    assert record.status is RunStatus.SUCCEEDED
    assert [step.status for step in record.steps] == [StepStatus.RAN] * 3
    assert project.events[0].resumed  # type: ignore[union-attr]  # it is a RunStarted


def test_a_changed_step_and_what_follows_from_it_run_again(project: Project, chain: Any) -> None:
    end = project.run(chain(third="1 / 0"))
    again = project.resume(end, chain(second="y = x + 10"))
    assert project.executor.ran == ["b", "c"]
    assert again.metrics == {"z": 12.0}


def test_a_changed_step_that_makes_the_same_leaves_the_rest_alone(project: Project, chain: Any) -> None:
    end = project.run(chain())
    project.resume(end, chain(second="y = 1 + x"))
    assert project.executor.ran == ["b"]


def test_a_comment_makes_nothing_run_again(project: Project, chain: Any) -> None:
    end = project.run(chain())
    project.resume(end, chain(second="y = x + 1  # one more"))
    assert project.executor.ran == []


def test_a_changed_module_beside_the_notebook_makes_its_step_run_again(project: Project, chain: Any) -> None:
    for name, text in (("outer_trial", "from inner_trial import n"), ("inner_trial", "n = 1"), ("other_trial", "")):
        (project.folder / f"{name}.py").write_text(text)
    code = "y = x + 1\nif False:\n    import outer_trial"
    end = project.run(chain(second=code))
    (project.folder / "other_trial.py").write_text("m = 1")
    project.resume(end, chain(second=code))
    assert project.executor.ran == []
    (project.folder / "inner_trial.py").write_text("n = 2")
    project.resume(end, chain(second=code))
    assert project.executor.ran == ["b"]


def test_an_interrupted_run_goes_on(project: Project, chain: Any) -> None:
    cancel = threading.Event()
    project.executor.prepare = {"interrupt": cancel.set}
    end = project.run(chain(second="interrupt(); wait(30)"), cancel=cancel)
    assert project.resume(end, chain()).status is RunStatus.SUCCEEDED
    assert project.executor.ran == ["b", "c"]


def test_a_step_whose_results_are_lost_runs_again(project: Project, chain: Any) -> None:
    end = project.run(chain(third="1 / 0"))
    path = project.executor.store.path(end.steps[1].outputs[0].digest)
    path.unlink()
    project.resume(end, chain())
    assert project.executor.ran == ["b", "c"]


def test_parameters_seed_and_folder_are_those_of_the_record(project: Project, chain: Any) -> None:
    elsewhere = project.folder / "elsewhere"
    elsewhere.mkdir()
    end = project.run(chain(third="1 / 0", parameters={"lr": 1}), parameters={"lr": 5}, seed=77, folder=elsewhere)
    project.resume(end, chain(parameters={"lr": 1}))
    started = project.of(RunStarted)[0]
    assert (dict(started.parameters), started.given, started.seed) == ({"lr": 5}, ("lr",), 77)
    assert project.executor.calls[-1].surroundings.folder == elsewhere
    assert project.executor.ran == ["c"]


def test_a_parameter_that_is_gone_is_told(project: Project, chain: Any) -> None:
    end = project.run(chain(third="1 / 0", parameters={"lr": 1}), parameters={"lr": 5})
    with pytest.raises(UsageError, match="lr"):
        project.resume(end, chain())


def test_a_run_that_still_goes_on_is_left_alone(project: Project, chain: Any) -> None:
    found: list[Exception] = []

    def meddle(event: Event) -> None:
        if isinstance(event, StepStarted) and event.step == "b":
            folder = next((project.folder / "home" / "runs").iterdir())
            try:
                resume(read_run(folder), chain(), RunOptions(), executor=project.executor, assemble=project.assemble)
            except UsageError as error:
                found.append(error)

    project.run(chain(), listeners=(meddle,))
    assert "still goes on" in str(found[0])


def test_a_gate_that_held_a_run_back_holds_it_back_again(project: Project, pipeline: Any, spec: Any) -> None:
    specs = {"a": spec("metric('m', 1)", gate="m > 1"), "b": spec("", after=("a",))}
    made = pipeline(specs, path=str(project.folder / "trial.ipynb"))
    again = project.resume(project.run(made), made)
    assert project.executor.ran == []
    assert statuses(again) == {"a": StepStatus.RAN, "b": StepStatus.SKIPPED}


def test_a_random_generator_goes_on_where_it_was(project: Project, pipeline: Any, spec: Any) -> None:
    def make(last: str) -> Pipeline:
        specs = {
            "a": spec("draw()", draws=True),
            "b": spec("draw()", draws=True, after_random=("a",)),
            "c": spec(last, draws=True, after_random=("b",)),
        }
        made: Pipeline = pipeline(specs, path=str(project.folder / "trial.ipynb"))
        return made

    again = project.resume(project.run(make("1 / 0")), make("metric('drawn', draw())"))
    assert project.executor.ran == ["c"]
    assert again.metrics == {"drawn": 4.0}


def test_a_step_that_draws_unseen_runs_again_when_its_generator_begins_otherwise(
    project: Project, pipeline: Any, spec: Any
) -> None:
    def make(first: str, last: str) -> Pipeline:
        specs = {
            "a": spec(first, draws=True),
            "unseen": spec("metric('drawn', draw())", after=("a",)),
            "c": spec(last, after=("unseen",)),
        }
        made: Pipeline = pipeline(specs, path=str(project.folder / "trial.ipynb"))
        return made

    end = project.run(make("draw()", "1 / 0"))
    assert project.resume(end, make("draw()", "")).metrics == {"drawn": 3.0}
    assert project.executor.ran == ["c"]
    assert project.resume(end, make("draw(); draw()", "")).metrics == {"drawn": 4.0}


def test_cells_of_a_kept_step_notebook_follow_when_others_come_before_them(
    project: Project, pipeline: Any, spec: Any
) -> None:
    path = str(project.folder / "trial.ipynb")
    end = project.run(pipeline({"a": spec("x = 1"), "b": spec("1 / 0")}, path=path))
    notebook = step_path(end.folder, "a", ".ipynb")
    cells = [{"metadata": {"nb2pipe": {"role": "enter"}}}, {"metadata": {"nb2pipe": {"cell": 1, "role": "code"}}}]
    notebook.write_text(json.dumps({"cells": cells}))
    project.resume(end, pipeline({"new": spec(""), "a": spec("x = 1"), "b": spec("")}, path=path))
    assert project.executor.ran == ["new", "b"]
    kept = json.loads(notebook.read_text())["cells"]
    assert [cell["metadata"]["nb2pipe"].get("cell") for cell in kept] == [None, 2]


# -- the plan


def test_a_plan_says_what_would_run_and_how_long_it_took(project: Project, chain: Any) -> None:
    project.run(chain())
    project.executor.ran.clear()
    found = plan(chain(), project.options)
    assert [(step.name, step.after) for step in found.steps] == [("a", ()), ("b", ("a",)), ("c", ("b",))]
    assert all(step.seconds is not None for step in found.steps)
    assert project.executor.ran == []
    assert json.loads(json.dumps(plan_json(found)))["steps"][1]["after"] == ["a"]


def test_a_plan_shows_the_parameters_that_a_step_uses(project: Project, pipeline: Any, spec: Any) -> None:
    made = pipeline(
        {"a": spec("", parameters=("lr", "n"))}, parameters={"lr": 0.5, "n": 1}, path=str(project.folder / "t.ipynb")
    )
    found = plan(made, replace(project.options, parameters={"n": 3}))
    assert dict(found.steps[0].parameters) == {"lr": 0.5, "n": 3}
    assert found.steps[0].seconds is None


def test_a_plan_shows_no_secret(project: Project, pipeline: Any, spec: Any) -> None:
    steps = {"a": spec("", parameters=("hf_token",))}
    made = pipeline(steps, parameters={"hf_token": "x"}, path=str(project.folder / "t.ipynb"))
    found = plan(made, replace(project.options, parameters={"hf_token": "hunter2"}))
    assert dict(found.steps[0].parameters) == {"hf_token": "********"}


def test_a_plan_writes_nothing(project: Project, chain: Any) -> None:
    plan(chain(), project.options)
    assert not (project.folder / "home").exists()


def test_an_executor_that_tells_of_cells_is_heard(project: Project, chain: Any) -> None:
    inner = project.executor

    class Telling:
        name = "telling"

        def run_step(self, call: Any, emit: Any, cancel: Any) -> Any:
            emit(CellStarted(step=call.step.name, cell=1, time=0.0))
            return inner.run_step(call, emit, cancel)

    project.run(chain(), executor=Telling())
    assert [event.step for event in project.of(CellStarted)] == ["a", "b", "c"]
