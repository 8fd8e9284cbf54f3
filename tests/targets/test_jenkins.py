"""The text of the target `jenkins`; what Groovy makes of it is in `tests/engines`."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

import nb2pipe
from nb2pipe.targets.jenkins.text import comment, cron, script, text

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
flag = True
path = "p"
workers = os.getpid()
db_password = "x"

# %% tags=["imports"]
import pandas as pd

# %% tags=["step:load", "limit:cpu:1500m", "limit:amd.com/gpu:1", "secret:db:password:PASSWORD", "env:COLOR:it's $x"]
table = 1

# %% tags=["step:left", "retry:2:5s", "timeout:90s", "gate:score > 0", "image:team/own:1"]
score = table * rate

# %% tags=["pipeline-metrics"]
print(score)

# %% tags=["step:right"]
right = (flag, path, workers, db_password)

# %% tags=["step:show"]
print(score)
"""


def emitted(folder: Path, notebook: str = NOTEBOOK, **options: Any) -> Bundle:
    (folder / "n.py").write_text(dedent(notebook))
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="jenkins", **options)


def test_parameters_have_types_defaults_and_safe_names(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    lines = bundle.text("Jenkinsfile").partition("parameters {")[2].partition("}")[0].strip().splitlines()
    assert [line.strip() for line in lines] == [
        "string(name: 'rate', defaultValue: '0.5', description: 'float')",
        "booleanParam(name: 'flag', defaultValue: true, description: 'bool')",
        "string(name: 'PARAMETER_path', defaultValue: 'p', description: 'path; str')",
        "string(name: 'workers', defaultValue: '', description: 'as the notebook has it if left empty')",
    ]
    told = {each.message.split("`")[1] for each in bundle.diagnostics if each.code == "NB410"}
    assert told == {"workers", "db_password"}


def test_steps_that_do_not_need_each_other_are_side_by_side(tmp_path: Path) -> None:
    text = emitted(tmp_path).text("Jenkinsfile")
    titles = [line.strip() for line in text.splitlines() if line.strip().startswith(("stage(", "parallel"))]
    assert titles == [
        "stage('find the bundle') {",
        "stage('setup, load') {",
        "parallel {",
        "stage('setup') {",
        "stage('load') {",
        "stage('left, right') {",
        "parallel {",
        "stage('left') {",
        "stage('right') {",
        "stage('show') {",
    ]


def test_a_stage_has_image_resources_credentials_and_gates(tmp_path: Path) -> None:
    text = emitted(tmp_path, image="python:3.12").text("Jenkinsfile")
    assert "image 'team/own:1'\n" in text
    assert "image 'python:3.12'\n" in text
    assert "args '-e HOME=/tmp -e USER=jenkins -e LOGNAME=jenkins --cpus 1.5'\n" in text
    assert "PASSWORD = credentials('db-password')\n" in text
    assert "db_password = credentials('db_password')\n" in text
    assert "expression { env.GATE_left == 'true' }\n" in text
    assert "timeout(time: 90, unit: 'SECONDS') {\n" in text
    assert "retry(3) {\n" in text
    assert "sleep(time: 5000, unit: 'MILLISECONDS')" in text
    assert "export COLOR='it'\"'\"'s $x'\n" in text


LEFT_OUT = (
    "the limit `amd.com/gpu` of the step `load` is left out of the definition of the target `jenkins`: Docker knows"
    " GPUs of NVIDIA only by number"
)


def test_what_jenkins_cannot_express_is_told(tmp_path: Path) -> None:
    notebook = NOTEBOOK.replace("limit:cpu:1500m", "cache:enabled")
    told = [each.message for each in emitted(tmp_path, notebook).diagnostics if each.code in {"NB408", "NB411"}]
    assert told == [
        "the target `jenkins` cannot express the reuse by step of `load`",
        LEFT_OUT,
    ]


def test_the_schedule_has_a_zone_in_jenkins_own_words(tmp_path: Path) -> None:
    text = emitted(tmp_path, schedule="5/20 3 * jan mon-fri", timezone="Europe/Berlin").text("Jenkinsfile")
    assert "cron('TZ=Europe/Berlin\\n5-59/20 3 * 1 1-5')\n" in text
    assert cron("*/5 0,12 1-7/2 dec 7") == "*/5 0,12 1-7/2 12 7"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_text_is_one_literal_and_says_what_it_said(value: str) -> None:
    literal = text(value)
    assert (
        ast.literal_eval(literal.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass"))
        .encode("utf-16", "surrogatepass")
        .decode("utf-16")
        == value
    )  # Python's literals between single quotes have the same escapes
    assert "\n" not in literal
    assert "\n" not in comment(value)
    assert "\\u" not in comment(value).replace("\\\\", "")


@given(st.text(st.sampled_from("'\\\nabc $\"{}u0027")))
def test_a_script_ends_where_it_ends(value: str) -> None:
    literal = script(f"x{value}\n")
    said = ast.literal_eval(literal)
    assert [line.strip() for line in said.splitlines()] == ["", *(line.strip() for line in f"x{value}\n".splitlines())]
