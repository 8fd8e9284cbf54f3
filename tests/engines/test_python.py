"""The target `python`: steps from files to files, as the bundle's README says; and all of them in one process."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from examples import EngineContract
from programs import variables as own_variables

from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES
from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VARIABLES = {("db", "password"): "DB_PASSWORD", ("account", "home"): "HOME"}


class Python:
    """A process for each step, in notebook order; values, and files, in a folder that they share."""

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        given = {_VARIABLES[secret]: value for secret, value in secrets.items()}
        description = json.loads((folder / "pipeline.json").read_text("utf-8"))
        (folder / "values").mkdir(exist_ok=True)
        for old in (folder / "values").glob("*.json"):
            old.unlink()
        for step in description["steps"]:
            taken = {one["name"] for one in step["parameters"]}
            words = [f"--{name}={_text(value)}" for name, value in parameters.items() if name in taken]
            values = ["--nb2pipe-inputs", "values", "--nb2pipe-outputs", "values", "--nb2pipe-files"]
            values += ["--nb2pipe-gated"] if step.get("gates") else []
            command = [sys.executable, "-m", f"{description['package']}.steps.{step['module']}", *values, *words]
            done = subprocess.run(command, cwd=folder, env=own_variables(**variables, **given), check=False)
            if done.returncode:
                return Ran(succeeded=False, records={})
        records = [json.loads(file.read_text("utf-8")) for file in (folder / "values").glob("*.json")]
        metrics = {name: value for record in records for name, value in record.get("metrics", {}).items()}
        return Ran(succeeded=True, records={record["step"]: record for record in records}, metrics=metrics)


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class TestPython(EngineContract):
    name = "python"

    @pytest.fixture
    def engine(self) -> Python:
        return Python()

    def accepts(self, folder: Path) -> None:
        module = next(folder.glob("*_pipeline")).name
        done = subprocess.run([sys.executable, "-m", module, "--help"], cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr

    def emitted_image(self, folder: Path) -> None:
        assert f"\nFROM {CASES[Feature.IMAGE].flags['image']}\n" in (folder / "Dockerfile").read_text("utf-8")
