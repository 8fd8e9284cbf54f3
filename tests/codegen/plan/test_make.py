"""The plan of a package: what each step is called with, which gates it stands behind, its names and its docstring."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nb2pipe.codegen.model import Argument, Form, SourceKind
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.codegen.plan.names import free_name, function_name, identifier, module_names, reserved_names, result_name
from nb2pipe.notebook.environment import Environment
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from nb2pipe.codegen.model import PackagePlan

EXAMPLES = Path(__file__).parents[3] / "example_notebooks"
HEAD = "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n#     display_name: a\n#     language: python\n# ---\n"


def plan_of(path: Path) -> PackagePlan:
    return make_plan(compile_notebook(path), Environment())


def plan_of_text(folder: Path, text: str) -> PackagePlan:
    path = folder / "My notes.py"
    path.write_text(f"{HEAD}\n{text}", encoding="utf-8")
    return plan_of(path)


GATED = """
# %% tags=["step:load"]
x = 3
# %% [markdown]
# # The score
# How good it is.
# %% tags=["step:score", "gate:score > 1"]
score = x
# %% tags=["pipeline-metrics"]
print(score)
# %% tags=["step:use"]
y = score + 1
# %% tags=["step:show"]
print(y)
# %% tags=["step:side"]
print(x)
# %% tags=["step:after", "prev:score"]
print("after")
"""


def test_a_step_stands_behind_the_gates_that_it_depends_on(tmp_path: Path) -> None:
    gates = {step.name: step.gates for step in plan_of_text(tmp_path, GATED).steps}
    behind = ("score",)
    assert gates == {"load": (), "score": (), "use": behind, "show": behind, "side": (), "after": behind}


def test_the_markdown_right_above_a_step_is_its_docstring(tmp_path: Path) -> None:
    told = {step.name: step.docstring for step in plan_of_text(tmp_path, GATED).steps}
    assert told["score"] == "# The score\nHow good it is."
    assert told["use"] == ""


def test_an_argument_comes_from_the_step_that_bound_or_changed_the_name_last(tmp_path: Path) -> None:
    plan = plan_of_text(
        tmp_path,
        """
# %% tags=["parameters"]
lr = 0.1
# %% tags=["step:a"]
x = [1]
# %% tags=["step:b"]
x.append(2)
# %% tags=["step:c"]
print(x, lr)
""",
    )
    assert plan.steps[2].arguments == (
        Argument(name="x", kind=SourceKind.OUTPUT, step="b", source="x"),
        Argument(name="lr", kind=SourceKind.PARAMETER, source="lr"),
    )


def test_steps_of_a_nested_notebook_take_what_is_around_it() -> None:
    plan = plan_of(EXAMPLES / "tour.ipynb")
    steps = {step.name: step for step in plan.steps}
    given = {argument.name: argument for argument in steps["halving/given"].arguments}
    assert given["big"].step == "scale"
    assert steps["halving/halve"].module == "halving.halve"
    assert {chunk.notebook for chunk in steps["halving/halve"].chunks} == {"tour_nested.ipynb"}
    taken = {argument.name: argument for argument in steps["publish"].arguments}
    assert taken["halves"].step == "halving/halve"


def test_all_steps_of_the_examples_that_can_be_functions_are() -> None:
    forms = {
        step.name: step.form
        for name in ("digits", "survey", "tour")
        for step in plan_of(EXAMPLES / f"{name}.ipynb").steps
    }
    assert {name for name, form in forms.items() if form is Form.NAMESPACE} == {"scale"}


def test_the_package_is_named_after_the_pipeline(tmp_path: Path) -> None:
    plan = plan_of_text(tmp_path, '# %% tags=["step:a"]\nprint(1)\n')
    assert (plan.name, plan.title, plan.notebook) == ("My_notes_pipeline", "My notes", "My notes.py")


@pytest.mark.parametrize(
    ("text", "name"),
    [("train", "train"), ("a b-c", "a_b_c"), ("1st", "step_1st"), ("for", "for_"), ("größe", "größe"), ("!", "step")],
)
def test_every_name_becomes_an_identifier(text: str, name: str) -> None:
    assert identifier(text) == name
    assert identifier(text).isidentifier()


def test_no_module_hides_another_one() -> None:
    found = module_names(["a", "A", "a b", "a-b", "a/x", "b/y", "b"])
    assert len({name.casefold() for name in found.values()}) == len(found)
    folders = {name.partition(".")[0] for name in found.values() if "." in name}
    assert not folders & {name for name in found.values() if "." not in name}


def test_names_of_ours_give_way() -> None:
    assert function_name("train", {"train"}) == "train_step"
    assert function_name("sys", ()) == "sys_step"
    assert result_name("a", {"A"}) == "AResult"
    assert free_name("a", {"a", "a_2"}) == "a_3"
    assert reserved_names({"definitions", "definitions_", "x"}) == {"definitions": "definitions__"}
