"""The driver, with steps that run in this process."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from nb2pipe.errors import InternalError, PluginError
from nb2pipe.execution.model import Cancelled
from nb2pipe.pipeline.model import Resources
from nb2pipe.records.events import (
    ArtifactMade,
    ArtifactUsed,
    Noted,
    RunStatus,
    SkipReason,
    StepFailed,
    StepRetried,
    StepSkipped,
    StepStarted,
    StepStatus,
)

RAN, FAILED, SKIPPED, INTERRUPTED = StepStatus.RAN, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.INTERRUPTED


def test_a_chain_hands_its_values_on(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline(
            {
                "a": spec("x = 1", gives=("x",)),
                "b": spec("y = x + 1", takes={"x": "a"}, gives=("y",)),
                "c": spec("z = x + y", takes={"x": "a", "y": "b"}, gives=("z",)),
            }
        )
    )
    assert end.status is RunStatus.SUCCEEDED
    assert trial.executor.ran == ["a", "b", "c"]
    assert trial.value("z") == 3


def test_a_step_takes_the_version_of_the_last_step_above_it(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "make": spec("x = [1]", gives=("x",)),
                "first": spec("n = len(x)", takes={"x": "make"}, gives=("n",)),
                "change": spec("x.append(2)", takes={"x": "make"}, gives=("x",)),
                "second": spec("m = len(x)", takes={"x": "change"}, gives=("m",)),
            }
        )
    )
    assert (trial.value("n"), trial.value("m")) == (1, 2)


def test_a_group_brings_more_names_than_the_step_declares(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "make": spec("net = [0]; optimizer = {'of': net}", gives=("net", "optimizer")),
                "train": spec("optimizer['of'].append(1)", takes={"optimizer": "make"}, gives=("optimizer",)),
                "look": spec("seen = list(net)", takes={"net": "make"}, gives=("seen",), after=("train",)),
            }
        )
    )
    assert trial.value("seen") == [0, 1]


def test_where_two_groups_hold_a_name_the_later_one_comes_last(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "one": spec("both = []; a = [1, both]; b = [10, both]", gives=("a", "b")),
                "two": spec("both = []; a = [2, both]; c = [3, both]", gives=("a", "c"), after=("one",)),
                "look": spec("seen = (a[0], b[0])", takes={"a": "two", "b": "one"}, gives=("seen",), after=("two",)),
            }
        )
    )
    assert trial.value("seen") == (2, 10)


def test_independent_steps_run_at_the_same_time(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(pipeline({"a": spec("tell('a'); hear('b')"), "b": spec("tell('b'); hear('a')")}), jobs=2)
    assert trial.statuses == {"a": RAN, "b": RAN}


def test_one_place_runs_one_step_at_a_time_in_notebook_order(trial: Any, pipeline: Any, spec: Any) -> None:
    running: list[str] = []
    most = []

    def work(name: str) -> None:
        running.append(name)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(name)

    trial.executor.prepare = {"work": work}
    trial.run(pipeline({name: spec(f"work({name!r})") for name in "cab"}), jobs=1)
    assert trial.executor.ran == ["c", "a", "b"]
    assert max(most) == 1


def test_a_step_that_reserves_two_processors_runs_alone_on_two_places(trial: Any, pipeline: Any, spec: Any) -> None:
    wide = Resources(limits=(("cpu", "2"),))
    running: list[str] = []
    most = {}

    def work(name: str) -> None:
        running.append(name)
        time.sleep(0.05)
        most[name] = len(running)
        running.remove(name)

    trial.executor.prepare = {"work": work}
    trial.run(pipeline({"a": spec("work('a')", resources=wide), "b": spec("work('b')")}), jobs=2)
    assert most["a"] == 1


def test_what_nobody_takes_is_not_among_the_outputs_that_are_taken(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(pipeline({"a": spec("x = 1; y = 2", gives=("x", "y")), "b": spec("x", takes={"x": "a"})}))
    assert [call.taken for call in trial.executor.calls] == [frozenset({"x"}), frozenset()]


def test_a_value_given_is_injected_where_it_is_used(trial: Any, pipeline: Any, spec: Any) -> None:
    made = pipeline(
        {"a": spec("x = lr * 2", parameters=("lr",), gives=("x",)), "b": spec("1")}, parameters={"lr": 0.5, "n": 1}
    )
    trial.run(made, parameters={"lr": 3.0, "n": 2})
    assert trial.value("x") == 6.0
    assert [dict(call.parameters) for call in trial.executor.calls] == [{"lr": 3.0}, {}]


# -- random and other hidden state


def test_steps_that_draw_go_on_with_one_generator(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "a": spec("x = draw()", draws=True, gives=("x",)),
                "b": spec("pass"),
                "c": spec("y = draw()", draws=True, gives=("y",), after_random=("a",)),
            }
        )
    )
    assert (trial.value("x"), trial.value("y")) == (101, 102)


def test_a_step_that_drew_without_an_order_is_run_again_in_order(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline(
            {
                "a": spec("hear('b drew'); x = draw()", gives=("x",)),
                "b": spec("y = draw(); tell('b drew')", gives=("y",)),
                "c": spec("z = y", takes={"y": "b"}, gives=("z",)),
            }
        )
    )
    assert end.status is RunStatus.SUCCEEDED
    assert (trial.value("x"), trial.value("y"), trial.value("z")) == (101, 102, 102)
    assert [note.code for note in trial.of(Noted)] == ["NB512"]
    assert "`a` and `b` both drew from `random`" in trial.of(Noted)[0].message


def test_many_steps_that_drew_without_an_order_end_in_order(trial: Any, pipeline: Any, spec: Any) -> None:
    slow = {
        f"s{number}": spec(f"wait({0.2 - number * 0.04}); x{number} = draw()", gives=(f"x{number}",))
        for number in range(5)
    }
    end = trial.run(pipeline(slow), jobs=5)
    assert end.status is RunStatus.SUCCEEDED
    assert [trial.value(f"x{number}") for number in range(5)] == [101, 102, 103, 104, 105]


def test_a_working_directory_that_is_set_late_reaches_the_steps_below(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.executor.sets = {"a": {"cwd": "there"}}
    trial.run(pipeline({"a": spec("hear('b')"), "b": spec("tell('b')"), "c": spec("", after=("b",))}))
    states = {call.step.name: dict(call.state) for call in trial.executor.calls}
    assert states["b"] == states["c"] == {"cwd": "there"}
    assert [note.code for note in trial.of(Noted)] == ["NB517"]


def test_a_step_that_ends_later_and_drew_out_of_order_is_run_again(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "a": spec("x = draw(); tell('a drew')", gives=("x",)),
                "b": spec("hear('a drew'); wait(0.3); y = draw()", gives=("y",)),
            }
        )
    )
    assert (trial.value("x"), trial.value("y")) == (101, 102)
    assert trial.executor.ran.count("b") == 2


def test_steps_that_drew_out_of_order_and_write_files_end_the_run(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline(
            {"a": spec("hear('b'); draw()"), "b": spec("draw(); tell('b')", writes=True), "c": spec("", after=("b",))}
        )
    )
    assert end.status is RunStatus.FAILED
    assert end.failure.step == "b"
    assert end.failure.kind == "UnorderedSteps"
    assert "prev:a" in end.failure.hint
    assert trial.statuses["a"] is RAN


# -- versions that come late


def test_a_step_that_took_an_older_version_is_run_again(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "make": spec("net = [0]; optimizer = {'of': net}", gives=("net", "optimizer")),
                "train": spec(
                    "hear('looked'); optimizer['of'].append(1)", takes={"optimizer": "make"}, gives=("optimizer",)
                ),
                "look": spec("seen = list(net); tell('looked')", takes={"net": "make"}, gives=("seen",)),
                "use": spec("used = seen", takes={"seen": "look"}, gives=("used",)),
            }
        )
    )
    assert trial.value("used") == [0, 1]
    assert [note.code for note in trial.of(Noted)] == ["NB513"]
    assert trial.statuses == dict.fromkeys(("make", "train", "look", "use"), RAN)


def test_a_running_step_that_took_an_older_version_is_stopped_and_run_again(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    began = time.monotonic()
    trial.run(
        pipeline(
            {
                "make": spec("net = [0]; optimizer = {'of': net}", gives=("net", "optimizer")),
                "train": spec(
                    "hear('looking'); optimizer['of'].append(1)", takes={"optimizer": "make"}, gives=("optimizer",)
                ),
                "look": spec(
                    "tell('looking')\nif len(net) == 1: wait(30)\nseen = list(net)",
                    takes={"net": "make"},
                    gives=("seen",),
                ),
            }
        )
    )
    assert trial.value("seen") == [0, 1]
    assert time.monotonic() - began < 10


def test_an_older_version_in_a_step_that_writes_files_ends_the_run(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline(
            {
                "make": spec("net = [0]; optimizer = {'of': net}", gives=("net", "optimizer")),
                "train": spec(
                    "hear('looking'); optimizer['of'].append(1)", takes={"optimizer": "make"}, gives=("optimizer",)
                ),
                "look": spec("tell('looking'); wait(30)", takes={"net": "make"}, writes=True),
            }
        )
    )
    assert end.status is RunStatus.FAILED
    assert end.failure.step == "look"
    assert "took `net` before `train`" in end.failure.message
    assert trial.statuses == {"make": RAN, "train": RAN, "look": FAILED}


def test_an_equal_version_from_another_step_is_no_new_one(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "make": spec("x = [0]", gives=("x",)),
                "same": spec("hear('looked')", takes={"x": "make"}, gives=("x",)),
                "look": spec("seen = x; tell('looked')", takes={"x": "make"}, gives=("seen",), writes=True),
            }
        )
    )
    assert trial.executor.ran.count("look") == 1
    assert trial.of(Noted) == []


def tying(pipeline: Any, spec: Any, look: str) -> Any:
    return pipeline(
        {
            "make": spec("x = [0]", gives=("x",)),
            "fit": spec("hear('looked'); model = {'data': x}", takes={"x": "make"}, gives=("model",)),
            "look": spec(f"{look}; tell('looked')", takes={"x": "make"}, gives=("seen",)),
            "use": spec(
                "tied = model['data'] is x", takes={"x": "make", "model": "fit"}, gives=("tied",), after=("look",)
            ),
        }
    )


def test_a_step_that_only_ties_a_variable_to_another_makes_no_new_version_of_it(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    trial.executor.unchanged = {"fit": frozenset({"x"})}
    trial.run(tying(pipeline, spec, "seen = len(x)"))
    assert trial.value("tied") is True
    assert trial.executor.ran.count("look") == 1
    assert trial.of(Noted) == []


def test_ties_that_two_steps_made_side_by_side_meet(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.executor.unchanged = {"fit": frozenset({"x"}), "look": frozenset({"x"})}
    trial.run(tying(pipeline, spec, "seen = {'also': x}"))
    assert trial.value("tied") is True
    assert trial.executor.ran.count("look") == 2


# -- failures


def test_what_depends_on_a_failed_step_is_skipped_and_nothing_new_begins(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline({"a": spec("1 / 0"), "b": spec("", after=("a",)), "c": spec("", after=("b",)), "d": spec("")}), jobs=1
    )
    assert end.status is RunStatus.FAILED
    assert end.failure.kind == "ZeroDivisionError"
    assert trial.statuses == {"a": FAILED, "b": SKIPPED, "c": SKIPPED, "d": SKIPPED}
    skipped = {event.step: event for event in trial.of(StepSkipped)}
    assert {event.reason for event in skipped.values()} == {SkipReason.UPSTREAM_FAILED}
    assert "--keep-going" in skipped["d"].message
    assert trial.executor.ran == ["a"]


def test_a_step_that_runs_beside_a_failing_one_ends(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline({"a": spec("hear('b runs'); 1 / 0"), "b": spec("tell('b runs'); wait(0.2); x = 1", gives=("x",))})
    )
    assert trial.statuses == {"a": FAILED, "b": RAN}
    assert trial.value("x") == 1


def test_of_two_steps_that_fail_side_by_side_the_notebooks_first_is_the_failure(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    end = trial.run(
        pipeline({"a": spec("hear('b runs'); wait(0.2); 1 / 0"), "b": spec("tell('b runs'); [][0]")}), jobs=2
    )
    assert trial.statuses == {"a": FAILED, "b": FAILED}
    assert (end.failure.step, end.failure.kind) == ("a", "ZeroDivisionError")


def test_keep_going_runs_what_does_not_depend_on_the_failure(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline({"a": spec("1 / 0"), "b": spec("", after=("a",)), "c": spec(""), "d": spec("", after=("c",))}),
        jobs=1,
        keep_going=True,
    )
    assert trial.statuses == {"a": FAILED, "b": SKIPPED, "c": RAN, "d": RAN}


def test_a_failed_step_is_tried_again_as_often_as_its_tag_says(trial: Any, pipeline: Any, spec: Any) -> None:
    left = [1, 1]
    trial.executor.prepare = {"left": left}
    trial.run(pipeline({"a": spec("if left: left.pop(); raise OSError('not yet')", retry=2)}))
    assert trial.statuses == {"a": RAN}
    assert [event.attempt for event in trial.of(StepStarted)] == [1, 2, 3]
    assert [event.failure.message for event in trial.of(StepRetried)] == ["not yet", "not yet"]


def test_the_last_attempt_fails_the_step(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(pipeline({"a": spec("1 / 0", retry=1)}))
    assert len(trial.of(StepStarted)) == 2
    assert len(trial.of(StepFailed)) == 1


def test_a_broken_executor_that_is_plugged_in_is_a_plug_in_error(trial: Any, pipeline: Any, spec: Any) -> None:
    class Broken:
        name = "broken"

        def run_step(self, *_: object) -> Any:
            raise ValueError("no such queue")

    with pytest.raises(PluginError, match="executor `broken` failed in step `a`: ValueError: no such queue"):
        trial.run(pipeline({"a": spec("")}), executor=Broken())


def test_a_record_that_cannot_be_written_ends_the_run_and_stops_its_steps(trial: Any, pipeline: Any, spec: Any) -> None:
    problem: list[Exception] = []
    trial.executor.prepare = {"fill": lambda: problem.append(InternalError("the disk is full"))}
    began = time.monotonic()
    with pytest.raises(InternalError, match="disk is full"):
        trial.run(pipeline({"a": spec("fill(); wait(30)")}), broken=lambda: problem[0] if problem else None)
    assert time.monotonic() - began < 5


# -- gates


@pytest.mark.parametrize(("value", "after"), [(0.95, RAN), (0.5, SKIPPED)])
def test_a_gate_lets_pass_what_comes_after_its_step(
    trial: Any, pipeline: Any, spec: Any, value: float, after: StepStatus
) -> None:
    end = trial.run(
        pipeline(
            {
                "check": spec(f"metric('acc', {value})", gate="acc >= 0.9", metrics=True),
                "deploy": spec("", after=("check",)),
                "mail": spec("", after=("deploy",)),
                "other": spec(""),
            }
        )
    )
    assert end.status is RunStatus.SUCCEEDED
    assert trial.statuses == {"check": RAN, "deploy": after, "mail": after, "other": RAN}
    assert {event.reason for event in trial.of(StepSkipped)} <= {SkipReason.GATE}


def test_a_gate_does_not_act_through_a_random_generator_alone(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "check": spec("draw(); metric('acc', 0)", gate="acc > 1", metrics=True, draws=True),
                "next": spec("draw()", after=("check",), after_random=("check",), draws=True),
                "other": spec("x = draw()", after_random=("check",), draws=True, gives=("x",)),
            }
        )
    )
    assert trial.statuses == {"check": RAN, "next": SKIPPED, "other": RAN}
    assert trial.value("x") == 102


def test_a_gate_sees_the_metrics_of_steps_above_it_however_slow_they_are(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(
        pipeline(
            {
                "measure": spec("wait(0.2); metric('acc', 1)", metrics=True),
                "check": spec("", gate="acc == 1"),
                "below": spec("metric('acc', 5)", metrics=True),
            }
        )
    )
    assert trial.statuses == dict.fromkeys(("measure", "check", "below"), RAN)


def test_a_gate_without_its_metric_fails_its_step_and_suggests_a_name(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline({"check": spec("metric('accuracy', 1)", gate="acuracy > 0"), "deploy": spec("", after=("check",))})
    )
    assert end.status is RunStatus.FAILED
    assert "`acuracy`" in end.failure.message
    assert end.failure.hint == "did you mean `accuracy`?"
    assert trial.statuses == {"check": FAILED, "deploy": SKIPPED}
    assert [note.code for note in trial.of(Noted)] == ["NB511"]


def test_metrics_of_the_run_are_the_last_of_each_name_in_notebook_order(trial: Any, pipeline: Any, spec: Any) -> None:
    end = trial.run(
        pipeline({"a": spec("wait(0.2); metric('m', 1); metric('k', 7)"), "b": spec("metric('m', 2)")}), jobs=2
    )
    assert end.metrics == {"m": 2, "k": 7}


# -- interruption


def test_an_interruption_stops_running_steps_soon_and_begins_nothing_new(trial: Any, pipeline: Any, spec: Any) -> None:
    cancel = threading.Event()
    trial.executor.prepare = {"interrupt": cancel.set}
    began = time.monotonic()
    end = trial.run(
        pipeline(
            {
                "a": spec("x = 1", gives=("x",)),
                "b": spec("interrupt(); wait(30)", takes={"x": "a"}),
                "c": spec("", after=("b",)),
            }
        ),
        cancel=cancel,
    )
    assert time.monotonic() - began < 2
    assert end.status is RunStatus.INTERRUPTED
    assert trial.statuses == {"a": RAN, "b": INTERRUPTED, "c": INTERRUPTED}


def test_a_step_that_does_not_stop_is_given_up(
    trial: Any, pipeline: Any, spec: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nb2pipe.execution.drive.GRACE_SECONDS", 0.2)
    cancel, release = threading.Event(), threading.Event()

    class Deaf:
        name = "deaf"

        def run_step(self, *_: object) -> Any:
            cancel.set()
            release.wait(20)
            return Cancelled()

    end = trial.run(pipeline({"a": spec("")}), executor=Deaf(), cancel=cancel)
    release.set()
    assert end.status is RunStatus.INTERRUPTED


def test_a_step_that_ends_although_the_run_is_interrupted_keeps_its_results(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    cancel = threading.Event()
    trial.executor.prepare = {"interrupt": cancel.set}
    end = trial.run(
        pipeline({"a": spec("interrupt(); x = 1", gives=("x",)), "b": spec("", after=("a",))}), cancel=cancel
    )
    assert trial.statuses["a"] is RAN
    assert end.status is RunStatus.INTERRUPTED


# -- nested pipelines


def nested(pipeline: Any, spec: Any, code: str = "total = sum(rows)") -> Any:
    return pipeline(
        {
            "read": spec("rows = list(range(globals().get('n', 2)))", parameters=("n",), gives=("rows",)),
            "sum": spec(code, takes={"rows": "read"}, gives=("total",)),
        },
        path="inner/inner.ipynb",
        parameters={"n": 2},
    )


def test_a_nested_pipeline_runs_in_the_same_run(trial: Any, pipeline: Any, spec: Any) -> None:
    outer = {
        "start": spec(""),
        "report": spec("", after=("start",), nested=nested(pipeline, spec)),
        "end": spec("", after=("report",)),
    }
    trial.run(pipeline(outer))
    assert trial.statuses == dict.fromkeys(("start", "report/read", "report/sum", "report", "end"), RAN)
    assert trial.executor.ran == ["start", "report/read", "report/sum", "end"]
    assert trial.value("total") == 1
    assert {call.surroundings.folder.name for call in trial.executor.calls if "/" in call.step.name} == {"inner"}


@pytest.mark.parametrize("given", [{}, {"n": 5}])
def test_a_nested_pipeline_takes_parameters_of_the_same_name(
    trial: Any, pipeline: Any, spec: Any, given: dict[str, int]
) -> None:
    trial.run(pipeline({"report": spec("", nested=nested(pipeline, spec))}, parameters={"n": 4}), parameters=given)
    assert trial.value("total") == (10 if given else 6)


def test_a_nested_pipeline_takes_variables_of_the_same_name(trial: Any, pipeline: Any, spec: Any) -> None:
    outer = {
        "size": spec("n = 6", gives=("n",)),
        "report": spec("", takes={"n": "size"}, nested=nested(pipeline, spec)),
    }
    trial.run(pipeline(outer))
    assert trial.value("total") == 15


def test_names_meet_across_a_nested_pipeline(trial: Any, pipeline: Any, spec: Any) -> None:
    inner = pipeline(
        {
            "change": spec("rows.append(2); own = 1", takes={"rows": None}, gives=("rows", "own")),
            "sum": spec("total = sum(rows) + own", takes={"rows": "change", "own": "change"}, gives=("total",)),
        },
        path="inner/inner.ipynb",
    )
    outer = {
        "make": spec("rows = [1]; x = draw()", gives=("rows", "x")),
        "report": spec("", takes={"rows": "make"}, gives=("rows", "total"), nested=inner),
        "use": spec("seen = (rows, total)", takes={"rows": "report", "total": "report"}, gives=("seen",)),
    }
    end = trial.run(pipeline(outer))
    assert end.status is RunStatus.SUCCEEDED, end.failure
    assert trial.value("seen") == ([1, 2], 4)
    made = {step.name: {name for group in step.outputs for name in group.names} for step in end.steps}
    assert made["report"] == {"rows", "total"}


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("n = {1, 2}", "it holds a `set`"),
        ("n = [{'deep': [object]}]", "it holds a `type`"),
        ("n = []; n.append(n)", "it holds itself"),
        ("n = 'many'", "n"),
    ],
)
def test_a_variable_that_is_no_fit_for_a_nested_parameter_fails_the_step(
    trial: Any, pipeline: Any, spec: Any, code: str, message: str
) -> None:
    outer = {"size": spec(code, gives=("n",)), "report": spec("", takes={"n": "size"}, nested=nested(pipeline, spec))}
    end = trial.run(pipeline(outer))
    assert message in end.failure.message
    assert (end.failure.step, end.failure.kind) == ("report", "ParameterError")
    assert trial.statuses == {"size": RAN, "report/read": SKIPPED, "report/sum": SKIPPED, "report": FAILED}


def test_a_failing_nested_step_fails_the_step_around_it(trial: Any, pipeline: Any, spec: Any) -> None:
    outer = {"report": spec("", nested=nested(pipeline, spec, "1 / 0")), "end": spec("", after=("report",))}
    end = trial.run(pipeline(outer))
    assert trial.statuses == {"report/read": RAN, "report/sum": FAILED, "report": FAILED, "end": SKIPPED}
    assert end.failure.step == "report/sum"


def test_steps_of_a_nested_pipeline_are_tried_as_often_as_the_step_around_says(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    trial.run(pipeline({"report": spec("", nested=nested(pipeline, spec, "1 / 0"), retry=1)}))
    assert trial.executor.ran == ["report/read", "report/sum", "report/sum"]


def test_a_nested_pipeline_that_has_run_has_ended_although_another_step_failed(
    trial: Any, pipeline: Any, spec: Any
) -> None:
    outer = {
        "fails": spec("hear('in'); 1 / 0"),
        "report": spec("", nested=nested(pipeline, spec, "tell('in'); wait(0.2)")),
    }
    trial.run(pipeline(outer))
    assert trial.statuses == {"fails": FAILED, "report/read": RAN, "report/sum": RAN, "report": RAN}


def test_a_nested_pipeline_behind_a_gate_is_skipped_as_a_whole(trial: Any, pipeline: Any, spec: Any) -> None:
    outer = {
        "check": spec("metric('m', 0)", gate="m > 1"),
        "report": spec("", after=("check",), nested=nested(pipeline, spec)),
    }
    trial.run(pipeline(outer))
    assert trial.statuses == {"check": RAN, "report/read": SKIPPED, "report/sum": SKIPPED, "report": SKIPPED}
    assert {event.reason for event in trial.of(StepSkipped)} == {SkipReason.GATE}


def test_the_events_name_what_a_step_took_and_made(trial: Any, pipeline: Any, spec: Any) -> None:
    trial.run(pipeline({"a": spec("x = draw()", gives=("x",), draws=True), "b": spec("x", takes={"x": "a"})}))
    made = [(event.step, event.names, event.kind) for event in trial.of(ArtifactMade)]
    used = [(event.step, event.names, event.kind) for event in trial.of(ArtifactUsed)]
    assert made == [("a", ("x",), "group"), ("a", ("random",), "state")]
    assert used == [("b", ("x",), "group"), ("b", ("random",), "state")]
