"""`python -m PACKAGE.steps.STEP`: one step, from folder to folder; and the same in cells."""

from __future__ import annotations

import json
import shutil
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bundle

STEPS = "digits_pipeline.steps"


def record(bundle: Bundle, path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle.folder / path).read_text())
    return found


def run(bundle: Bundle, step: str, *arguments: str) -> str:
    done = bundle.run(f"{STEPS}.{step}", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_steps_hand_over_in_folders_and_give_what_one_process_gives(bundle: Bundle) -> None:
    printed = run(bundle, "data", "--outputs", "A", "--size", "2", "--seed", "3")
    printed += run(bundle, "train", "--inputs", "A", "--outputs", "B")
    printed += run(bundle, "report", "--inputs", "A", "--inputs", "B", "--outputs", "C", "--title", "t")
    printed += run(bundle, "outer.fetch", "--inputs", "C", "--outputs", "C")
    assert printed == bundle.run("digits_pipeline", "--size", "2", "--seed", "3", "--title", "t").stdout
    train = record(bundle, "B/train.json")
    assert train["metrics"].keys() == {"accuracy"}
    assert train["types"] == {"accuracy": "float", "net": "definitions.Net"}
    assert train["seed"] == 3
    assert record(bundle, "C/outer.fetch.json")["step"] == "outer/fetch"


def test_the_version_of_the_last_step_above_counts_whatever_the_order_of_the_folders(bundle: Bundle) -> None:
    run(bundle, "data", "--outputs", "A", "--seed", "3")
    run(bundle, "train", "--inputs", "A", "--outputs", "B")
    one = run(bundle, "report", "--inputs", "B", "--inputs", "A", "--outputs", "C")
    two = run(bundle, "report", "--inputs", "A", "--inputs", "B", "--outputs", "C")
    assert one == two


def test_each_step_takes_folders_since_random_state_goes_along_with_them(bundle: Bundle) -> None:
    (bundle.folder / "A").mkdir()
    run(bundle, "data", "--inputs", "A", "--outputs", "A")


def test_a_folder_is_whole_when_it_is_copied(bundle: Bundle) -> None:
    run(bundle, "data", "--outputs", "A", "--seed", "3")
    shutil.move(bundle.folder / "A", bundle.folder / "moved")
    run(bundle, "train", "--inputs", "moved", "--outputs", "B")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "takes `net` from the step `data`; no folder of inputs was given"),
        (["--inputs", "nowhere"], 2, "there is no folder"),
        (["--inputs", "empty"], 2, "there is no `data.json` in"),
        (["--inputs", "damaged"], 7, "cannot be read"),
        (["--inputs", "foreign"], 7, "is nothing that a step of this version left"),
        (["--inputs", "A", "--outputs", "file"], 7, "`file"),
        (["--inputs", "without"], 7, "is in none of the folders"),
        (["--inputs", "A", "--factor", "x"], 2, "'x' is no float"),
        (["--inputs", "A", "--size", "3"], 2, "unrecognized arguments"),
        (["--inputs", "A", "--factor", "0", "--outputs", "B"], 5, "digits.ipynb, cell 8, line 4"),
    ],
)
def test_exit_codes_tell_usage_the_authors_code_and_the_folders_apart(
    bundle: Bundle, arguments: list[str], code: int, said: str
) -> None:
    run(bundle, "data", "--outputs", "A")
    for name, text in (("empty", None), ("damaged", "{"), ("foreign", "{}"), ("without", "")):
        (bundle.folder / name).mkdir()
        if text is not None:
            (bundle.folder / name / "data.json").write_text(text or (bundle.folder / "A" / "data.json").read_text())
    (bundle.folder / "file").write_text("")
    done = bundle.run(f"{STEPS}.train", *arguments)
    assert (done.returncode, said in done.stderr.replace(str(bundle.folder) + "/", "")) == (code, True), done.stderr
    assert not (bundle.folder / "B" / "train.json").exists()


def test_a_value_that_cannot_be_passed_on_is_5_where_a_later_step_takes_it(bundle: Bundle) -> None:
    bundle.change("steps/data.py", "key = lambda row: -row", "key = open('pipeline.json')")
    done = bundle.run(f"{STEPS}.data", "--outputs", "A")
    assert done.returncode == 5
    assert "`key` cannot be passed to another step: it is an open file" in done.stderr


def test_a_value_that_cannot_be_passed_on_is_a_warning_where_nobody_takes_it(bundle: Bundle) -> None:
    bundle.change("steps/train.py", "accuracy = 1", "accuracy = open('pipeline.json') or 1")
    run(bundle, "data", "--outputs", "A")
    done = bundle.run(f"{STEPS}.train", "--inputs", "A", "--outputs", "A")
    assert done.returncode == 0
    assert "warning: the variable `accuracy` cannot be passed" in done.stderr


def test_random_state_and_hidden_state_go_along(bundle: Bundle) -> None:
    bundle.change("steps/data.py", "key = lambda row: -row", "key = None; import os; os.environ['SET'] = 'here'")
    bundle.change(
        "steps/train.py", "# %% cell 9", "# %% cell 9\n    import os, random; print(os.environ['SET'], random.random())"
    )
    run(bundle, "data", "--outputs", "A", "--seed", "3")
    apart = run(bundle, "train", "--inputs", "A", "--outputs", "A")
    together = bundle.run("digits_pipeline", "--seed", "3").stdout
    assert apart.strip() in together


def test_cells_take_and_leave_what_modules_do(bundle: Bundle) -> None:
    run(bundle, "data", "--outputs", "A", "--seed", "3")
    code = """
        from pathlib import Path
        from nb2pipe.runtime import handover
        handover.begin("train", handover.Folders(inputs=(Path("A"),), outputs=Path("B")), pipeline="pipeline.json")
        from dataclasses import dataclass
        @dataclass
        class Net:
            size: int
            weights: list
            def total(self):
                return sum(self.weights)
        handover.take()
        for place, row in enumerate(rows):
            net.weights[place] = row * 2.0
        accuracy = 1 - 1 / (1 + net.total())
        handover.measure(9)
        handover.leave()
    """
    done = bundle.python("-c", dedent(code))
    assert done.returncode == 0, done.stderr
    run(bundle, "train", "--inputs", "A", "--outputs", "C")
    for key in ("metrics", "types", "seed"):
        assert record(bundle, "B/train.json")[key] == record(bundle, "C/train.json")[key]
    assert run(bundle, "report", "--inputs", "A", "--inputs", "B") == run(
        bundle, "report", "--inputs", "A", "--inputs", "C"
    )
