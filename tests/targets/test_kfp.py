"""The text of the target `kfp`; what the real KFP makes of it is in `tests/engines`."""

from __future__ import annotations

import ast
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import nb2pipe
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.targets.kfp.schedule import six_fields
from nb2pipe.targets.kfp.types import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
lr = 0.1
layers = [64, 32]
ratios = [1.0, 0.5]
mixed = [None, 1]
workers = os.getpid()
api_key = "abc"
train = "x"

# %% tags=["imports"]
import pandas as pd
from torch import nn

# %% tags=["functions"]
class Net(nn.Module):
    pass

class Deep(Net):
    pass

# %% [markdown]
# ## Loads `{{$.inputs}}` "quoted" \\"\\"\\"

# %% tags=["step:load", "limit:memory:1.5Gi", "label:team:a b", "limit:nvidia.com/gpu:2"]
table = pd.DataFrame({"a": layers})
ratio = ratios[0]

# %% tags=["step:train", "retry:2:90s", "timeout:15m", "cache:disabled"]
net = Deep()
used = (lr, table, train)

# %% tags=["step:use"]
print(net, used, table)
"""


def emitted(folder: Path, text: str = NOTEBOOK, **wishes: Any) -> Bundle:
    (folder / "n.py").write_text(dedent(text))
    return emit(nb2pipe.load(folder / "n.py"), Wishes(target="kfp", **wishes))


def content_of(bundle: Bundle) -> dict[str, Any]:
    content: dict[str, Any] = next(yaml.safe_load_all(bundle.text("pipeline.yaml")))
    return content


def artifacts(component: Mapping[str, Any], side: str) -> dict[str, str]:
    found = component[side]["artifacts"]
    return {name: each["artifactType"]["schemaTitle"] for name, each in found.items()}


def test_artifacts_are_typed_by_the_types_of_values_only(tmp_path: Path) -> None:
    types = {"load.table": "pandas.DataFrame", "train.net": "definitions.Deep", "train.used": "tuple"}
    components = content_of(emitted(tmp_path, types=types))["components"]
    assert artifacts(components["comp-load"], "outputDefinitions")["table"] == "system.Dataset"
    assert artifacts(components["comp-train-step"], "outputDefinitions")["net"] == "system.Model"
    assert artifacts(components["comp-use"], "inputDefinitions")["net"] == "system.Model"
    untyped = content_of(emitted(tmp_path))["components"]
    assert set(artifacts(untyped["comp-train-step"], "outputDefinitions").values()) == {"system.Artifact"}


def test_parameters_have_types_and_defaults_that_come_back_as_they_are(tmp_path: Path) -> None:
    found = content_of(emitted(tmp_path))["root"]["inputDefinitions"]["parameters"]
    assert found["lr"] == {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.1, "isOptional": True}
    assert found["layers"]["parameterType"] == "LIST"
    assert found["ratios"] == {"parameterType": "LIST", "defaultValue": [1.0, 0.5], "isOptional": True}
    assert found["mixed"] == {"parameterType": "STRING", "defaultValue": "[null, 1]", "isOptional": True}
    assert found["workers"]["defaultValue"] == ""
    assert found["api_key"] == {"parameterType": "STRING"}


def test_names_that_mean_something_in_the_definition_are_left_to_it(tmp_path: Path) -> None:
    text = """
    # %% tags=["parameters"]
    dsl = 1
    state = 2
    load = 3
    # %% tags=["step:load"]
    kfp = dsl + state + load
    # %% tags=["step:condition-1", "gate:metrics > 1"]
    metrics = kfp
    # %% tags=["pipeline-metrics"]
    print(metrics)
    # %% tags=["step:list"]
    größe = metrics
    # %% tags=["step:pipeline"]
    Output = größe
    """
    bundle = emitted(tmp_path, text.replace("\n    ", "\n"))
    tree = ast.parse(bundle.text("pipeline.py"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names == ["run_step", "load_step", "condition_1_step", "list_step", "pipeline_step", "pipeline"]
    inner = content_of(bundle)["components"]["comp-condition-1"]["dag"]["tasks"]
    assert set(inner) == {"list-step", "pipeline-step"}
    assert inner["list-step"]["taskInfo"]["name"] == "list"
    assert set(content_of(bundle)["root"]["inputDefinitions"]["parameters"]) == {"dsl_", "state_", "load"}


def test_what_kfp_or_kubernetes_would_refuse_is_told(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    told = {each.code: each.message for each in bundle.diagnostics}
    messages = [each.message for each in bundle.diagnostics if each.code == "NB411"]
    assert len(messages) == 2
    assert "label `team` of the step `load`" in messages[0]
    assert "limit `memory`" in messages[1]
    assert "NB410" in told
    assert "resources" in content_of(bundle)["deploymentSpec"]["executors"]["exec-load"]["container"]


def test_texts_of_the_notebook_stand_in_no_command(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    for executor in content_of(bundle)["deploymentSpec"]["executors"].values():
        assert "{{" not in "".join(executor["container"]["command"])
        ast.parse(executor["container"]["command"][3])


def test_only_the_component_of_a_step_that_changed_is_another_one(tmp_path: Path) -> None:
    before = content_of(emitted(tmp_path))["deploymentSpec"]["executors"]
    after = content_of(emitted(tmp_path, NOTEBOOK.replace("net = Deep()", "net = Deep().eval()")))
    after = after["deploymentSpec"]["executors"]
    assert {name for name in before if before[name] != after[name]} == {"exec-train-step"}


def test_what_is_asked_of_a_step_is_said_in_kfps_words(tmp_path: Path) -> None:
    content, platform = yaml.safe_load_all(emitted(tmp_path).text("pipeline.yaml"))
    task = content["root"]["dag"]["tasks"]["train-step"]
    assert task["cachingOptions"] == {}
    assert task["retryPolicy"]["backoffDuration"] == "90s"
    assert task["retryPolicy"]["maxRetryCount"] == 2
    pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert pods["exec-train-step"]["activeDeadlineSeconds"] == "900"


def test_the_definition_is_formatted_as_formatters_would(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text(dedent(NOTEBOOK))
    wanted = {"schedule": "0 3 * * *", "timezone": "America/Argentina/ComodRivadavia", "mode": "notebook"}
    bundle = nb2pipe.emit(nb2pipe.load(tmp_path / "n.py"), target="kfp", **wanted)
    for name in ("pipeline.py", "schedule.py"):
        (tmp_path / "out").mkdir(exist_ok=True)
        (tmp_path / "out" / name).write_text(bundle.text(name))
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--diff", str(tmp_path / "out")]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_schedule_has_a_script_and_its_zone_is_told(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text(dedent(NOTEBOOK))
    wanted = {"schedule": "0 3 * * 7", "timezone": "Europe/Berlin"}
    bundle = nb2pipe.emit(nb2pipe.load(tmp_path / "n.py"), target="kfp", **wanted)
    text = bundle.text("schedule.py")
    assert 'CRON = "0 0 3 * * 0"' in text
    assert "it has to be Europe/Berlin there" in text
    assert [each.message for each in bundle.diagnostics if each.code == "NB408"] == [
        "the target `kfp` cannot express the time zone"
    ]


@pytest.mark.parametrize(
    ("cron", "wanted"),
    [("*/5 * * * *", "0 */5 * * * *"), ("0 0 * * 0-7/2", "0 0 0 * * 0,2,4,6"), ("0 0 * * MON,7", "0 0 0 * * 0,1")],
)
def test_cron_has_six_fields_and_sunday_is_0(cron: str, wanted: str) -> None:
    assert six_fields(cron) == wanted


def test_a_type_that_nobody_knows_is_an_artifact() -> None:
    assert [kind_of(each) for each in ("definitions.Net", "torch.nn.Linear", "torch.utils.data.DataLoader", "str")] == [
        "Artifact",
        "Model",
        "Dataset",
        "Artifact",
    ]
