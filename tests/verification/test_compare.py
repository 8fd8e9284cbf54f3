"""What two runs are compared by, on small sides made by hand."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.events import Failure
from nb2pipe.verification.compare import NOT_TAKEN, compare, judge
from nb2pipe.verification.conduct import without_gates
from nb2pipe.verification.looks import looks
from nb2pipe.verification.model import Output, Side, Status, Value, What
from nb2pipe.verification.outputs import output_of, scrubbed

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.pipeline.work import Work
    from nb2pipe.verification.compare import Judged

CELLS = [
    (["step:a"], "x = 1\ny = [x]\nalone = 5"),
    (["step:b"], "z = x + 1"),
    (["step:a"], "w = 3"),
    (["step:c"], "y.append(z)\nprint(w)"),
]
STEPS = ("a", "b", "c")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "execution_count": None,
            "metadata": {"tags": tags},
            "outputs": [],
            "source": text,
        }
        for n, (tags, text) in enumerate(CELLS)
    ]
    path = tmp_path / "n.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return make_work(compile_notebook(path), tmp_path)


def value(letter: str, shown: str = "") -> Value:
    return Value(digest=letter * 64, shown=shown or letter)


def side(**changed: Value) -> Side:
    """A side on which all is as always, but for some variables."""
    values = {(step, name): value("a") for step, name in [("a", "x"), ("a", "y"), ("a", "w"), ("b", "z"), ("c", "y")]}
    values |= {(step, name): value for name, value in changed.items() for step, known in list(values) if known == name}
    outputs = {("a", 1): Output(), ("b", 2): Output(), ("a", 3): Output(), ("c", 4): Output(texts={"stdout": "3\n"})}
    return Side(values=values, outputs=outputs)


def failing(step: str, cell: int, message: str = "bad", kind: str = "ValueError") -> Side:
    """A side on which a step fails."""
    whole = side()
    failure = Failure(step=step, cell=cell, line=1, kind=kind, message=message)
    return Side(values=whole.values, outputs=whole.outputs, failures={step: failure})


def judged(work: Work, one: Side, two: Side, again: Side | None = None) -> Judged:
    found = compare(work, looks(work), one, two, printed_only=False)
    itself = compare(work, looks(work), one, again, printed_only=False) if again else None
    return judge(found, itself, work)


def test_a_variable_is_looked_at_after_the_part_of_the_step_that_last_touches_it(work: Work) -> None:
    found = {(look.step, look.name): (look.cell, look.line, look.after) for look in looks(work)}
    assert found["a", "x"] == (1, 1, 1)
    assert found["a", "w"] == (3, 1, 3)
    assert found["b", "z"] == (2, 1, 2)
    assert found["c", "y"] == (4, 1, 4)
    assert ("a", "alone") not in found


def test_sides_that_agree_are_identical(work: Work) -> None:
    found = judged(work, side(), side())
    assert (found.status, found.first) == (Status.IDENTICAL, None)
    assert [each.step for each in found.steps] == list(STEPS)
    assert dict(found.steps[0].left_out) == {"alone": NOT_TAKEN}


def test_the_first_difference_is_the_first_in_notebook_order(work: Work) -> None:
    found = judged(work, side(), side(y=value("b"), z=value("c")), side())
    assert found.status is Status.DIFFERENT
    assert found.first is not None
    assert (found.first.step, found.first.cell, found.first.line, found.first.name) == ("a", 1, 2, "y")
    assert (found.first.straight, found.first.pipeline) == ("a", "b")


def test_a_variable_that_one_side_does_not_bind_is_a_difference(work: Work) -> None:
    found = judged(work, side(), side(z=Value()), side())
    assert found.first is not None
    assert (found.first.name, found.first.pipeline) == ("z", "(not bound)")


def test_what_cannot_be_stored_is_not_compared(work: Work) -> None:
    found = judged(work, side(), side(z=Value(problem="it is an open file")))
    assert found.status is Status.IDENTICAL
    assert dict(found.steps[1].left_out) == {"z": "it is an open file"}


def test_variables_that_are_known_to_be_alike_are_no_difference(work: Work) -> None:
    other = side(z=value("b"))
    found = compare(work, looks(work), side(), other, printed_only=False, alike=frozenset({("b", "z")}))
    assert found.differences == ()
    assert [each.status for each in found.steps] == ["identical"] * 3


def test_outputs_differ_by_their_first_line_that_does(work: Work) -> None:
    other = side()
    outputs = {**other.outputs, ("c", 4): Output(texts={"stdout": "3\nmore\n"})}
    found = judged(work, side(), Side(values=other.values, outputs=outputs), side())
    assert found.first is not None
    assert (found.first.what, found.first.cell, found.first.straight) == (What.OUTPUT, 4, "(nothing)")
    assert found.first.pipeline == "more"


def test_what_differs_between_straight_runs_is_undetermined_and_hides_nothing_else(work: Work) -> None:
    clock = side(x=value("b"))
    assert judged(work, side(), clock, side(x=value("c"))).status is Status.UNDETERMINED
    found = judged(work, side(), side(x=value("b"), z=value("d")), side(x=value("c")))
    assert found.status is Status.DIFFERENT
    assert found.first is not None
    assert found.first.name == "z"
    assert [each.status for each in found.steps] == ["undetermined", "different", "identical"]


def test_the_same_failure_on_both_sides_is_a_failure(work: Work) -> None:
    found = judged(work, failing("b", 2), failing("b", 2))
    assert (found.status, found.first) == (Status.FAILED, None)
    assert [each.step for each in found.steps] == ["a", "b"]


def test_a_kernel_that_died_and_a_process_that_died_are_the_same(work: Work) -> None:
    one, two = failing("b", 2, "SIGKILL", "KernelDied"), failing("b", 2, "it was killed", "ProcessDied")
    assert judged(work, one, two).status is Status.FAILED


@pytest.mark.parametrize("other", [side(), failing("b", 2, "worse"), failing("c", 4), failing("a", 1)])
def test_another_end_is_a_difference(work: Work, other: Side) -> None:
    found = judged(work, failing("b", 2), other, failing("b", 2))
    assert found.status is Status.DIFFERENT
    assert found.first is not None
    assert found.first.what is What.FAILURE


def test_what_comes_after_a_failure_of_one_straight_run_alone_is_undetermined(work: Work) -> None:
    assert judged(work, side(), failing("b", 2), failing("a", 1)).status is Status.UNDETERMINED


def test_gates_are_taken_out_of_steps(tmp_path: Path) -> None:
    path = tmp_path / "g.py"
    path.write_text('# %% tags=["step:a"]\nx = 1\n# %% tags=["pipeline-metrics", "gate:x > 2"]\nprint(x)\n')
    pipeline = compile_notebook(path)
    assert pipeline.steps[0].gate is not None
    assert without_gates(pipeline).steps[0].gate is None


def test_what_differs_between_any_two_runs_is_left_out() -> None:
    assert scrubbed("<A at 0x7f00aabbccdd>") == scrubbed("<A at 0x7f00aabbcc00>")
    assert scrubbed("/tmp/ipykernel_12/345.py:3: W") == scrubbed("/tmp/ipykernel_99/1.py:3: W")
    assert scrubbed("CPU times: user 3 ms\nWall time: 4 ms\nx") == scrubbed("CPU times: user 1 ms\nWall time: 9 s\nx")
    assert scrubbed("/w/x_pipeline/steps/a.py:31: W") == scrubbed("/w/x_pipeline/definitions.py:7: W") == "(cell) W"
    assert scrubbed("/tmp/ipykernel_12/345.py:3: W") == "(cell) W"
    assert scrubbed("a\r\nb") == "a\nb"
    assert scrubbed("loss 0.25") != scrubbed("loss 0.26")


def test_long_outputs_take_no_time_that_grows_with_their_square() -> None:
    text = "ab/cd+" * 200_000 + ".py /steps/"
    began = time.perf_counter()
    assert len(scrubbed(text)) == len(text)
    assert time.perf_counter() - began < 5


def test_rich_output_counts_only_where_jupyter_shows_it() -> None:
    result = {"output_type": "execute_result", "execution_count": 3, "data": {"text/plain": "4"}, "metadata": {}}
    assert output_of([result], printed_only=False).rich == ("text/plain: 4",)
    assert output_of([result], printed_only=True) == Output()
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["a"]}
    assert output_of([error], printed_only=True).error == "ValueError: no"
