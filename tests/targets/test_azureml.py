"""The text of the target `azureml`; what its SDK and a shell for each job make of it is in `tests/engines`."""

from __future__ import annotations

import re
import subprocess
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import nb2pipe
from nb2pipe.targets.azureml.text import is_plain, vault_name, word

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
count = 3
COUNT = 4
name = "$(HOME) `x` {{ y }}"
bound = "${{parent.inputs.x}}"
names = ["${{x}}", "$$"]
flag = True
limit = float("inf")
huge = 2**63
empty = ""
from_load = "taken"
größe = 3

# %% tags=["imports"]
import pandas as pd

# %% tags=["step:load", "image:registry.example.com/own:1", "secret:db:pass.word:TOKEN", "limit:gpu:2", "limit:cpu:1"]
table = [rate, name, bound, größe, COUNT, limit, huge, empty]

# %% tags=["step:scale-it", "label:team:a b", "annotation:x:${{name}}", "retry:2:30s", "timeout:90s"]
scaled = [table, flag, names, from_load]

# %% tags=["step:measure", "gate:accuracy >= 0.5", "cache:disabled"]
accuracy = rate

# %% tags=["pipeline-metrics"]
print(accuracy)

# %% tags=["step:show", "env:A:plain", "env:B:${{name}} '"]
print(scaled, accuracy, count)
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("azureml")
    (folder / "n.py").write_text(dedent(NOTEBOOK), "utf-8")
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="azureml")


@pytest.fixture
def pipeline(bundle: Bundle) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(bundle.text("pipeline.yml"))
    return content


def component(bundle: Bundle, name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(bundle.text(f"components/{name}.yml"))
    return content


def test_a_job_binds_what_its_component_takes(bundle: Bundle, pipeline: dict[str, Any]) -> None:
    assert list(pipeline["jobs"]) == ["load", "scale_it", "measure", "show"]
    job = pipeline["jobs"]["scale_it"]
    assert job["component"] == "./components/scale_it.yml"
    assert job["inputs"]["from_load_"] == "${{parent.jobs.load.outputs.values}}"  # a parameter has the shorter name
    assert job["inputs"]["from_load"] == "${{parent.inputs.from_load}}"
    assert component(bundle, "scale_it")["inputs"]["from_load_"] == {"type": "uri_folder", "mode": "download"}
    assert job["inputs"].keys() == component(bundle, "scale_it")["inputs"].keys()


def test_parameters_have_types_and_what_cannot_be_an_input_is_told(bundle: Bundle, pipeline: dict[str, Any]) -> None:
    assert {name: value for name, value in pipeline["inputs"].items() if name != "key_vault_url"} == {
        "rate": 0.5,
        "count": 3,
        "name": "$(HOME) `x` {{ y }}",
        "names": '["\\u0024{{x}}", "$$"]',
        "flag": True,
        "from_load": "taken",
    }
    inputs = {**component(bundle, "load")["inputs"], **component(bundle, "scale_it")["inputs"]}
    assert inputs["rate"] == {"type": "number", "default": 0.5}
    assert inputs["flag"] == {"type": "boolean", "default": True}
    assert inputs["names"]["type"] == "string"
    told = {code: [] for code in ("NB410", "NB411")}
    for each in bundle.diagnostics:
        if each.code in told:
            told[each.code].append(re.findall("`(.*?)`", each.message)[0])
    assert sorted(told["NB410"]) == ["bound", "empty", "huge", "limit"]
    assert sorted(told["NB411"]) == ["COUNT", "größe"]


def test_texts_come_into_commands_by_variables_alone(bundle: Bundle) -> None:
    command = component(bundle, "load")["command"]
    assert '${AZUREML_PARAMETER_name:+"--name=$AZUREML_PARAMETER_name"}' in command
    assert set(re.findall(r"\$\{\{(.*?)\}\}", command)) == {"outputs.values"}
    assert "HOME" not in command


def test_a_step_is_tried_again_and_stopped_as_its_tags_say(bundle: Bundle, pipeline: dict[str, Any]) -> None:
    command = component(bundle, "scale_it")["command"]
    assert "timeout -k 30 90" in command
    assert "sleep 30" in command
    assert pipeline["jobs"]["scale_it"]["limits"] == {"timeout": 3 * 120 + 2 * 30}


def test_secrets_images_and_clusters_are_those_of_the_step(bundle: Bundle, pipeline: dict[str, Any]) -> None:
    load = component(bundle, "load")
    assert "python with_secrets.py TOKEN=db--pass-word -- python -m n_pipeline.steps.load" in load["command"]
    assert load["environment"]["build"]["dockerfile_path"] == "load.Dockerfile"
    assert "FROM registry.example.com/own:1\n" in bundle.text("environment/load.Dockerfile")
    assert pipeline["jobs"]["load"]["compute"] == "azureml:gpu-cluster"
    assert pipeline["jobs"]["load"]["identity"] == {"type": "managed"}
    assert "az keyvault secret set --vault-name NAME --name db--pass-word" in bundle.text("README.md")
    compile(bundle.text("with_secrets.py"), "with_secrets.py", "exec")
    compile(bundle.text("log_metrics.py"), "log_metrics.py", "exec")


def test_a_variable_that_azure_ml_would_read_is_set_by_the_shell(bundle: Bundle, pipeline: dict[str, Any]) -> None:
    assert pipeline["jobs"]["show"]["environment_variables"] == {"A": "plain"}
    assert """export B='$''{{name}} '"'"''\n""" in component(bundle, "show")["command"]


def test_what_stands_below_a_gate_looks_at_it_itself_and_that_is_told(bundle: Bundle) -> None:
    assert "--nb2pipe-gated" in component(bundle, "show")["command"]
    assert "--nb2pipe-gated" not in component(bundle, "measure")["command"]
    assert [each.message for each in bundle.diagnostics if each.code == "NB412"] == [
        "the target `azureml` has no conditions: what a gate stops begins and does nothing: `show`"
    ]


def test_only_steps_that_make_the_same_again_are_reused(bundle: Bundle) -> None:
    assert component(bundle, "scale_it")["is_deterministic"] is True
    assert component(bundle, "measure")["is_deterministic"] is False
    assert component(bundle, "scale_it")["tags"] == {"team": "a b", "x": "$ {{name}}"}


@given(st.text(st.sampled_from("${}[]()ax= '\"\\")) | st.text(st.characters(exclude_categories=["Cs", "Cc"])))
@settings(max_examples=15, deadline=None)
def test_a_word_is_the_very_text_to_a_shell_and_plain_to_azure_ml(text: str) -> None:
    assert is_plain(word(text))
    done = subprocess.run(["sh", "-c", f"printf %s {word(text)}"], capture_output=True, check=True)
    assert done.stdout.decode() == text


@pytest.mark.parametrize(
    ("asked", "trigger", "told"),
    [
        (("30 3 * * mon-fri", "Europe/Berlin"), ("30 3 * * 1,2,3,4,5", "W. Europe Standard Time"), []),
        (("*/5 3 * * 7", None), ("*/5 3 * * 0", "UTC"), []),
        (("0 3 1 * *", "Antarctica/Troll"), ("0 3 * * *", "UTC"), ["0 3 1 * *", "Antarctica/Troll"]),
    ],
)
def test_schedules_are_what_azure_ml_knows_of_cron(
    asked: tuple[str, str | None],
    trigger: tuple[str, str],
    told: list[str],
    tmp_path: Path,
    write_notebook: Callable[[Path, list[tuple[list[str], str]]], Path],
) -> None:
    path = write_notebook(tmp_path / "My Pipeline.ipynb", [(["step:a"], "x = 1")])
    made = nb2pipe.emit(nb2pipe.load(path), target="azureml", schedule=asked[0], timezone=asked[1])
    content = yaml.safe_load(made.text("schedule.yml"))
    assert content["trigger"] == {"type": "cron", "expression": trigger[0], "time_zone": trigger[1]}
    assert content["create_job"] == "./pipeline.yml"
    found = [re.findall("`(.*?)`", each.message)[0] for each in made.diagnostics if each.code == "NB411"]
    assert found == told
    assert "az ml schedule create --file schedule.yml" in made.text("README.md")


def test_names_of_secrets_are_those_that_a_vault_takes() -> None:
    assert vault_name("db", "a_b.c") == "db--a-b-c"


def test_the_code_of_a_job_is_the_bundle_without_the_definition(
    tmp_path: Path, write_notebook: Callable[[Path, list[tuple[list[str], str]]], Path]
) -> None:
    for folder in ("components", "tests", "environment"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text("1")
    path = write_notebook(tmp_path / "n.ipynb", [(["step:a"], "x = open('components/a.csv').read()")])
    made = nb2pipe.emit(nb2pipe.load(path), target="azureml", include=["*/*.csv"])
    ignored = {line.removeprefix("/") for line in made.text(".amlignore").splitlines()}
    assert {"pipeline.yml", "components/a.yml", "environment/Dockerfile", "README.md"} <= ignored
    assert ignored <= set(made.paths)
    assert not ignored & {"components/a.csv", "tests/a.csv", "environment/a.csv", "pipeline.json", "requirements.lock"}
