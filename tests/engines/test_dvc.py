"""The target `dvc` with the real DVC: the values of the notebook, and nothing is done twice."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from examples import EngineContract
from programs import EXAMPLES, program, variables

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES
from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def dvc(folder: Path, *arguments: str) -> str:
    done = called(folder, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def called(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program("dvc", "dvc"), *arguments],
        cwd=folder,
        env=variables(DVC_NO_ANALYTICS="1", **more),
        capture_output=True,
        text=True,
        check=False,
    )


_VARIABLES = {("db", "password"): "DB_PASSWORD", ("account", "home"): "HOME"}


class Dvc:
    """`dvc repro`, in the folder of the bundle."""

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        if not (folder / ".dvc").exists():
            dvc(folder, "init", "--no-scm", "--quiet")
        known = yaml.safe_load((folder / "params.yaml").read_text("utf-8")) or {}
        (folder / "params.yaml").write_text(yaml.safe_dump({**known, **parameters}), "utf-8")
        # DVC takes the environment as it is
        given = {_VARIABLES[secret]: value for secret, value in secrets.items()}
        done = called(folder, "repro", **variables, **given)
        sys.stderr.write(done.stdout + done.stderr)
        records = [json.loads(file.read_text("utf-8")) for file in folder.glob("values/*/*.json")]
        shown = json.loads(dvc(folder, "metrics", "show", "--json"))[""]["data"]
        return Ran(
            succeeded=done.returncode == 0,
            records={record["step"]: record for record in records},
            notebooks={path.stem: path for path in folder.glob("executed/*.ipynb")},
            metrics={name: value for each in shown.values() for name, value in each["data"].items()},
        )


class TestDvc(EngineContract):
    name = "dvc"

    def accepts(self, folder: Path) -> None:
        dvc(folder, "init", "--no-scm", "--quiet")
        dvc(folder, "stage", "list", "--all")

    @pytest.fixture
    def engine(self) -> Dvc:
        return Dvc()

    def emitted_labels(self, folder: Path) -> None:
        stages = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"]
        assert stages["make"]["meta"] == {"labels": {"team": "vision"}, "annotations": {}}
        dvc(folder, "init", "--no-scm", "--quiet")
        dvc(folder, "stage", "list", "--all")

    def emitted_annotations(self, folder: Path) -> None:
        stages = yaml.safe_load((folder / "dvc.yaml").read_text("utf-8"))["stages"]
        wanted = {"example.com/page": "https://h:80/?a=b&c='d'"}
        assert stages["make"]["meta"] == {"labels": {}, "annotations": wanted}
        dvc(folder, "init", "--no-scm", "--quiet")
        dvc(folder, "stage", "list", "--all")

    def emitted_image(self, folder: Path) -> None:
        line = next(each for each in (folder / "Dockerfile").read_text("utf-8").splitlines() if each.startswith("FROM"))
        assert line == f"FROM {CASES[Feature.IMAGE].flags['image']}"


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="dvc", **options), folder)
    dvc(folder, "init", "--no-scm", "--quiet")
    return folder


def written(folder: Path, text: str) -> Path:
    path = folder / "n.py"
    path.write_text(dedent(text))
    return path


def test_the_digits_are_not_run_twice_and_a_parameter_runs_what_depends_on_it(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "digits.ipynb", tmp_path)
    folder = bundle_of(tmp_path / "digits.ipynb", tmp_path / "bundle")
    parameters = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(parameters.replace("epochs: 10", "epochs: 1"))
    dvc(folder, "repro")
    measured = json.loads((folder / "metrics" / "evaluate.json").read_text())
    assert 0 < measured["accuracy"] < 1
    assert "accuracy" in dvc(folder, "metrics", "show")
    assert "Running stage" not in dvc(folder, "repro")
    (folder / "params.yaml").write_text(parameters.replace("epochs: 10", "epochs: 2"))
    changed = dvc(folder, "repro")
    assert "Running stage 'train'" in changed
    assert "Running stage 'data'" not in changed


FILES = """
# %% tags=["parameters"]
rows = 3
scale = 1e-3
names = ["a", "b"]
title = "it's ${rows} and $(touch hacked) `x`"
flag = True

# %% tags=["imports"]
import pathlib

# %% tags=["step:make", "label:team:${rows}"]
pathlib.Path("table.csv").write_text("\\n".join(str(n * scale) for n in range(rows)))
made = (title, names, flag)

# %% tags=["step:use", "cache:disabled"]
total = sum(map(float, pathlib.Path("table.csv").read_text().split()))
print(made, total)
"""


def test_parameters_of_all_types_and_files_between_steps_come_out_of_the_cache(tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, FILES), tmp_path / "bundle")
    printed = dvc(folder, "repro")
    assert "(\"it's ${rows} and $(touch hacked) `x`\", ['a', 'b'], True) 0.003" in printed
    assert not (folder / "hacked").exists()
    stages = yaml.safe_load(dvc(folder, "stage", "list", "--all") and (folder / "dvc.yaml").read_text())["stages"]
    assert stages["use"]["always_changed"] is True
    (folder / "table.csv").unlink()
    shutil.rmtree(folder / "values")
    again = dvc(folder, "repro")  # `make` comes out of the cache, and its file with it
    assert "Running stage 'make'" not in again
    assert "0.003" in again
    assert "table.csv" in json.loads((folder / "values" / "make" / "make.json").read_text())["files"]
    dvc(folder, "repro", "--force")
    (folder / "params.yaml").write_text('rows: 5\nscale: 1e-2\nnames:\n- c\n- "d e"\ntitle: plain text\nflag: false\n')
    assert "('plain text', ['c', 'd e'], False) 0.1" in dvc(folder, "repro")


GATED = """
# %% tags=["parameters"]
score = 0.1

# %% tags=["step:measure", "gate:accuracy > 0.4"]
accuracy = score

# %% tags=["pipeline-metrics"]
print(accuracy)

# %% tags=["step:use"]
used = accuracy + 1
print("used", used)
"""


def test_what_comes_after_a_closed_gate_is_skipped_and_runs_once_it_opens(tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, GATED), tmp_path / "bundle")
    dvc(folder, "repro")
    assert "skipped" in json.loads((folder / "values" / "use" / "use.json").read_text())
    (folder / "params.yaml").write_text("score: 0.5\n")
    assert "used 1.5" in dvc(folder, "repro")


@pytest.mark.parametrize("value", ["rows: [1]\n", "rows: x\n", "rows: {\n", "- 1\n"])
def test_a_wrong_params_file_is_told_with_the_name(value: str, tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, FILES), tmp_path / "bundle")
    (folder / "params.yaml").write_text(value)
    done = subprocess.run(
        ["python", "-m", "n_pipeline.steps.make", "--parameters", "params.yaml"],
        cwd=folder,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "params.yaml" in done.stderr
