"""The text of the target `dvc`; what the real DVC makes of it is in `tests/engines`."""

from __future__ import annotations

import shlex
from textwrap import dedent
from typing import TYPE_CHECKING

import yaml

import nb2pipe

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
name = "${rate} `x`"
workers = os.getpid()
pair = (1, 2)

# %% tags=["imports"]
import helpers
import pandas as pd

# %% tags=["step:load"]
table = pd.read_csv("data/a b.csv")

# %% tags=["step:scale", "label:team:${rate}", "retry:2", "cache:disabled"]
scaled = table * rate

# %% tags=["step:show"]
print(helpers.shown(scaled), name)
"""


def emitted(folder: Path) -> Bundle:
    (folder / "n.py").write_text(dedent(NOTEBOOK))
    (folder / "helpers.py").write_text("def shown(x):\n    return x\n")
    (folder / "data").mkdir()
    (folder / "data" / "a b.csv").write_text("x\n1\n")
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="dvc", include=["data/*.csv"])


def test_a_stage_has_what_its_step_depends_on(tmp_path: Path) -> None:
    stages = yaml.safe_load(emitted(tmp_path).text("dvc.yaml"))["stages"]
    assert list(stages) == ["setup", "load", "scale", "show"]  # `workers` is computed once
    assert stages["load"]["deps"] == [
        "helpers.py",
        "n_pipeline/definitions.py",
        "n_pipeline/steps/load.py",
        "data/a b.csv",
    ]
    assert stages["scale"]["deps"][0] == "values/load"
    assert stages["scale"]["params"] == ["rate"]
    assert stages["scale"]["outs"] == ["values/scale"]
    assert stages["scale"]["always_changed"] is True
    assert stages["scale"]["meta"]["labels"] == {"team": "\\${rate}"}
    assert shlex.split(stages["show"]["cmd"])[3:7] == [
        "--nb2pipe-inputs",
        "values/load",
        "--nb2pipe-inputs",
        "values/scale",
    ]


def test_parameters_stand_in_params_yaml_and_others_are_told(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    assert yaml.safe_load(bundle.text("params.yaml")) == {"rate": 0.5, "name": "${rate} `x`"}
    told = [each.message for each in bundle.diagnostics if each.code == "NB410"]
    assert len(told) == 2
    assert "`workers`" in told[0]
    assert "`pair`" in told[1]


def test_what_dvc_cannot_express_is_told(tmp_path: Path) -> None:
    told = [each.message for each in emitted(tmp_path).diagnostics if each.code == "NB408"]
    assert told == [
        "the target `dvc` cannot express the parallel steps",
        "the target `dvc` cannot express the retries of `scale`",
    ]


def test_in_notebook_mode_a_stage_depends_on_its_notebook_and_keeps_what_was_executed(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text('# %% tags=["step:load", "env:COLOR:${x} it\'s"]\ntable = 1\n')
    bundle = nb2pipe.emit(nb2pipe.load(tmp_path / "n.py"), target="dvc", mode="notebook")
    stage = yaml.safe_load(bundle.text("dvc.yaml"))["stages"]["load"]
    assert stage["deps"] == ["n_pipeline/definitions.py", "notebooks/load.ipynb"]
    assert stage["outs"] == ["values/load", "executed/load.ipynb"]
    assert shlex.split(stage["cmd"].replace("\\${", "${"))[:2] == ["env", "COLOR=${x} it's"]
