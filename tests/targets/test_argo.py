"""The text of the target `argo`; what Argo's schema, Hera and a DAG of processes make of it is in `tests/engines`."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import nb2pipe
from nb2pipe.targets.argo.text import BRACE, expanded, is_left_alone
from nb2pipe.targets.cron import without_seven

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
name = "$(HOME) `x` {{ y }}"
other = "{{workflow.name}}"
names = ["{{=1}}", "$$"]
flag = True
workers = os.getpid()
größe = 3

# %% tags=["imports"]
import pandas as pd

# %% tags=["step:load", "image:registry.example.com/own:1", "secret:db:password:HOME", "limit:gpu:2", "limit:disk:1"]
table = [rate, name, other, größe]

# %% tags=["step:scale", "label:team:a b", "label:area:vision", "annotation:x:{{workflow.name}}", "retry:2:30s"]
scaled = [table, flag, names]

# %% tags=["step:measure", "gate:accuracy >= 0.5", "timeout:90s"]
accuracy = rate

# %% tags=["pipeline-metrics"]
print(accuracy)

# %% tags=["step:show", "env:A:{{workflow.name}} $(x) $5 $$", "secret:Bad_Name:key:B"]
print(scaled, accuracy)

# %% tags=["step:pipeline"]
print("beside", workers)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("argo")
    (folder / "n.py").write_text(dedent(NOTEBOOK), "utf-8")
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="argo")


@pytest.fixture
def spec(bundle: Bundle) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(bundle.text("workflow.yaml"))["spec"]
    return content


def by_name(many: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in many}


def test_a_task_waits_for_those_right_above_it_and_takes_from_all_above(spec: dict[str, Any]) -> None:
    templates = by_name(spec["templates"])
    assert spec["entrypoint"] == "pipeline--nb2pipe"  # a step has the name
    tasks = by_name(templates["pipeline--nb2pipe"]["dag"]["tasks"])
    assert list(tasks) == ["setup", "load", "scale", "measure", "show", "pipeline"]
    assert "depends" not in tasks["load"]
    assert tasks["scale"]["depends"] == "load.Succeeded"
    assert tasks["show"]["depends"] == "scale.Succeeded && measure.Succeeded"
    assert tasks["show"]["when"] == "{{tasks.measure.outputs.parameters.gate}} == true"
    assert "when" not in tasks["pipeline"]
    assert by_name(tasks["show"]["arguments"]["artifacts"])["load"]["from"] == "{{tasks.load.outputs.artifacts.values}}"


def test_parameters_are_texts_with_what_they_are_and_those_that_argo_would_change_are_told(
    spec: dict[str, Any], bundle: Bundle
) -> None:
    parameters = by_name(spec["arguments"]["parameters"])
    assert parameters["rate"] == {"name": "rate", "value": "0.5", "description": "float"}
    assert parameters["flag"]["enum"] == ["true", "false"]
    assert parameters["names"]["value"] == '["{\\u007b=1}}", "$$"]'
    assert parameters["name"]["value"] == "$(HOME) `x` {{ y }}"
    assert parameters.keys() == {"pipeline-image", "pipeline-store", "rate", "name", "names", "flag"}
    told = {each.code: each.message for each in bundle.diagnostics if "größe" in each.message}
    assert told.keys() == {"NB411"}
    told_410 = [each.message for each in bundle.diagnostics if each.code == "NB410"]
    assert [re.findall("`(.*?)`", each)[0] for each in told_410] == ["other", "workers"]


def test_values_are_given_so_that_kubernetes_takes_no_dollar_for_a_variable(spec: dict[str, Any]) -> None:
    arguments = by_name(spec["templates"])["load"]["container"]["args"]
    assert "--rate={{inputs.parameters.rate}}" in arguments
    assert "--name={{=replace(inputs.parameters.name, '$', '$$')}}" in arguments
    assert not any("other" in each for each in arguments)


def test_a_step_with_an_image_of_its_own_gets_the_code_from_the_pipelines(spec: dict[str, Any]) -> None:
    load = by_name(spec["templates"])["load"]
    assert load["container"]["image"] == "registry.example.com/own:1"
    (first,) = load["initContainers"]
    assert first["image"] == "{{workflow.parameters.pipeline-image}}"
    variables = by_name(load["container"]["env"])
    assert variables["PYTHONPATH"]["value"] == "/bundle"
    assert len(load["container"]["env"]) == len(variables)
    assert variables["HOME"] == {"name": "HOME", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}
    assert load["container"]["resources"] == {"limits": {"nvidia.com/gpu": "2"}}


def test_what_kubernetes_refuses_is_left_out_and_told(spec: dict[str, Any], bundle: Bundle) -> None:
    assert by_name(spec["templates"])["scale"]["metadata"] == {"labels": {"area": "vision"}}
    told = [each.message for each in bundle.diagnostics if each.code == "NB411" and "größe" not in each.message]
    named = [re.findall("`(.*?)`", each)[:2] for each in told]
    assert sorted(named) == [["Bad_Name", "show"], ["disk", "load"], ["team", "scale"], ["x", "scale"]]
    assert "B" not in by_name(by_name(spec["templates"])["show"]["container"]["env"])


def test_retries_and_time_limits_are_said_as_argo_reads_them(spec: dict[str, Any]) -> None:
    templates = by_name(spec["templates"])
    wanted = {"limit": "2", "retryPolicy": "Always", "backoff": {"duration": "30s"}}
    assert templates["scale"]["retryStrategy"] == wanted
    assert templates["measure"]["activeDeadlineSeconds"] == 90


def test_a_variable_may_hold_what_argo_and_kubernetes_would_replace(spec: dict[str, Any]) -> None:
    variables = by_name(spec["templates"])["show"]["container"]["env"]
    assert variables[:2] == [
        {"name": BRACE, "value": "{"},
        {"name": "A", "value": "{$(BRACE)workflow.name}} $$(x) $5 $$$"},
    ]


def of_kubernetes(text: str, variables: Mapping[str, str]) -> str:
    """What Kubernetes makes of a text: `$(NAME)` is a variable, if there is one, and `$$` a dollar."""
    return re.sub(
        r"\$\$|\$\(([^)]*)\)",
        lambda found: "$" if found.group() == "$$" else variables.get(found.group(1), found.group()),
        text,
    )


@given(st.text(st.sampled_from("${}()ax= .\\'\"")) | st.text())
@settings(max_examples=200, deadline=None)
def test_a_variable_has_the_very_text(text: str) -> None:
    written = expanded(text)
    assert "{{" not in written
    assert of_kubernetes(written, {BRACE: "{", "a": "hacked", "": "hacked", "x": "hacked"}) == text


@pytest.mark.parametrize(
    "text", ["{{=1}}", "{{ inputs.parameters.x }}", "{{", "a {{ {{ x }}", "{{item}}", "{{workflow"]
)
def test_what_argo_would_replace_or_refuse_is_known(text: str) -> None:
    assert not is_left_alone(text)


@pytest.mark.parametrize(
    ("notebook", "argo"),
    [
        ("0 3 * * *", "0 3 * * *"),
        ("*/5 3 1 jan 7", "*/5 3 1 jan 0"),
        ("0 3 * * 1-7", "0 3 * * 0,1,2,3,4,5,6"),
        ("0 3 * * 1-7/2", "0 3 * * 0,1,3,5"),
        ("0 3 * * mon,7", "0 3 * * 0,1"),
        ("0 3 * * */7", "0 3 * * */7"),
    ],
)
def test_sunday_is_never_seven(notebook: str, argo: str) -> None:
    assert without_seven(notebook) == argo


def test_a_schedule_makes_a_cron_workflow(
    tmp_path: Path, write_notebook: Callable[[Path, list[tuple[list[str], str]]], Path]
) -> None:
    path = write_notebook(tmp_path / "My Pipeline.ipynb", [(["step:a"], "x = 1")])
    made = nb2pipe.emit(nb2pipe.load(path), target="argo", schedule="0 3 * * *", timezone="Europe/Berlin")
    content = yaml.safe_load(made.text("workflow.yaml"))
    assert (content["kind"], content["metadata"]["name"]) == ("CronWorkflow", "my-pipeline")
    assert content["spec"]["workflowSpec"]["entrypoint"] == "pipeline"
    assert made.command.startswith("argo cron create workflow.yaml")
    assert "--from cronwf/my-pipeline" in made.text("README.md")
