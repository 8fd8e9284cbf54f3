"""The key of a call: what it depends on, and what it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nb2pipe.digest import Digest
from nb2pipe.execution.keys import call_key, call_parts
from nb2pipe.execution.model import StepCall, Surroundings
from nb2pipe.notebook.model import Magic, MagicKind
from nb2pipe.pipeline.model import Block, Port
from nb2pipe.serializers.groups import Group

AROUND = Surroundings(
    folder=Path("/project"), home=Path("/h"), run_folder=Path("/h/runs/r"), kernel="python3", seed=7,
    variables={"PYTHONHASHSEED": "0"},
)  # fmt: skip
GROUP = Group(names=("x",), digest=Digest("0" * 64))


@pytest.fixture
def call(pipeline: Any, spec: Any) -> StepCall:
    made = pipeline(
        {"a": spec("y = x * lr  # scaled\n", takes={"x": "z"}, gives=("y",), parameters=("lr",))},
        parameters={"lr": 0.5},
    )
    return StepCall(step=made.steps[0], notebook=made.notebook, surroundings=AROUND, inputs=(GROUP,))


def coded(call: StepCall, code: str, **more: Any) -> StepCall:
    cell = replace(call.notebook.cells[0], source=code, python=code, **more)
    return replace(call, notebook=replace(call.notebook, cells=(cell,)))


def around(call: StepCall, **changes: Any) -> StepCall:
    return replace(call, surroundings=replace(call.surroundings, **changes))


def key(call: StepCall, lr: object = 0.5) -> str:
    return call_key(call_parts(call, {"lr": lr, "other": 1}))


def test_the_key_is_pinned(call: StepCall) -> None:
    """If this fails, old runs cannot be gone on with: change it only when what a key covers changes."""
    assert key(call) == "0e0d01dfaaf4694d28838fb7d0e0aa44e7a322afe32e5b84fc27a5c150c80180"


def test_comments_empty_lines_and_spaces_do_not_count(call: StepCall) -> None:
    assert key(coded(call, "\n\n# other\ny = (x*lr)\n")) == key(call)


def test_the_key_itself_and_the_folder_of_the_run_do_not_count(call: StepCall) -> None:
    assert key(around(replace(call, key="k"), run_folder=Path("/h/runs/s"), home=Path("/i"))) == key(call)


def test_how_threads_wait_does_not_count(call: StepCall) -> None:
    variables = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "passive"}
    assert key(around(call, variables=variables)) == key(call)


def test_the_seed_counts_only_where_the_step_draws(call: StepCall) -> None:
    drawing = replace(call, step=replace(call.step, draws=frozenset({"random"})))
    assert key(around(call, seed=8)) == key(call)
    assert key(around(drawing, seed=8)) != key(drawing)


def test_the_state_of_a_generator_counts_only_where_the_step_draws_from_it(call: StepCall) -> None:
    drawing = replace(call, step=replace(call.step, draws=frozenset({"random"})))
    given = {"random": "a" * 64}
    assert key(replace(call, state=given)) == key(call)
    assert key(replace(drawing, state=given)) != key(drawing)
    assert key(replace(call, state={"cwd": "a" * 64})) != key(call)


def test_everything_else_counts(call: StepCall) -> None:
    step = call.step
    magic = Magic(kind=MagicKind.SHELL, name="system", arguments="ls", line=1)
    others = [
        coded(call, "y = x * lr + 0"),
        coded(call, "y = x * lr", magics=(magic,)),
        coded(call, "y = x * lr", magics=(replace(magic, arguments="ls -l"),)),
        replace(call, inputs=(replace(GROUP, digest=Digest("1" * 64)),)),
        replace(call, inputs=(replace(GROUP, names=("w", "x")),)),
        replace(call, parameters={"lr": 0.5}),
        replace(call, step=replace(step, outputs=(*step.outputs, Port(name="z")))),
        replace(call, step=replace(step, metrics=(1,))),
        replace(call, step=replace(step, blocks=(Block(cell=1, may_raise=True),))),
        replace(call, step=replace(step, blocks=(Block(cell=1, lines=frozenset()),))),
        around(call, kernel="other"),
        around(call, folder=Path("/elsewhere")),
        around(call, executor="subprocess"),
        around(call, variables={"PYTHONHASHSEED": "1"}),
    ]
    keys = [key(each) for each in (call, *others)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("value", [1, 1.0, True, "1", None, [1], (1,), {"a": 1}, {"a": 1.0}, float("nan")])
def test_values_of_parameters_are_told_apart_by_type(call: StepCall, value: object) -> None:
    others = [1, 1.0, True, "1", None, [1], (1,), {"a": 1}, {"a": 1.0}, float("nan")]
    assert sum(key(call, other) == key(call, value) for other in others) == 1


def test_a_cell_without_python_is_taken_as_text(call: StepCall) -> None:
    assert key(coded(call, "this is no python")) != key(coded(call, "this is no python either"))
