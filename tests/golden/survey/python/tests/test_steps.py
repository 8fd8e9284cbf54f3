"""Each step of the pipeline is imported, and runs from files to files.

`python -m unittest discover tests` and `python -m pytest tests` both run them, in a
temporary folder. The environment variable PIPELINE_PARAMETERS, a JSON object, gives
parameters other values than the defaults, such as ones that are quick.
"""

from __future__ import annotations

import inspect
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

ROOT = Path(__file__).resolve().parents[1]
PIPELINE = json.loads((ROOT / "pipeline.json").read_text(encoding="utf-8"))
PACKAGE = PIPELINE["package"]
STEPS = {step["name"]: step for step in PIPELINE["steps"]}
GIVEN = json.loads(os.environ.get("PIPELINE_PARAMETERS", "{}"))

DATA: tuple[str, ...] = ()
"""Files of the bundle that steps read."""

READS: dict[str, tuple[str, ...]] = {}
"""Files that steps read and that are not made by earlier ones."""

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


class TestSteps(unittest.TestCase):
    """One test a step; a step runs once, after those that it takes something from."""

    place: ClassVar[tempfile.TemporaryDirectory[str]]
    outcomes: ClassVar[dict[str, str]]

    @classmethod
    def setUpClass(cls) -> None:
        """Makes the temporary folder: the working directory, and what steps leave."""
        cls.place = tempfile.TemporaryDirectory()
        cls.outcomes = {}
        for path in DATA:
            target = Path(cls.place.name, "work", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, target)
        Path(cls.place.name, "work").mkdir(exist_ok=True)

    @classmethod
    def tearDownClass(cls) -> None:
        """Removes the temporary folder."""
        cls.place.cleanup()

    def check(self, name: str) -> None:
        """A step has the signature that the pipeline knows, and runs."""
        step = STEPS[name]
        module = import_module(f"{PACKAGE}.steps.{step['module']}")
        signature = inspect.signature(getattr(module, step["function"]))
        parameters = {one["name"] for one in step["parameters"]}
        taken = [name for name in signature.parameters if name not in parameters]
        inputs = {port["name"]: port["kind"] for port in step["inputs"]}
        self.assertLessEqual(parameters, set(signature.parameters))
        self.assertLessEqual(set(taken), set(inputs))
        missing = {name for name in inputs if name not in taken}
        self.assertEqual({inputs[name] for name in missing} - {"function"}, set())
        outcome = self.outcome(name)
        if outcome:
            self.skipTest(outcome)

    def outcome(self, name: str) -> str:
        """Runs a step once; why it is left out, or nothing."""
        if name not in self.outcomes:
            step = STEPS[name]
            self.outcomes[name] = f"the step `{name}` failed"
            self.outcomes[name] = self.obstacle(step) or self.run_step(step)
        return self.outcomes[name]

    def obstacle(self, step: dict[str, Any]) -> str:
        """What keeps a step from running here, or nothing."""
        for earlier in step["after"]:
            if reason := self.outcome(earlier):
                return reason
        for secret in step.get("resources", {}).get("secrets", ()):
            variable = secret.rpartition(":")[2]
            if variable not in os.environ:
                return f"the environment variable {variable} is not set"
        if missing := self.secrets(step):
            value = json.dumps(dict.fromkeys(missing, "..."))
            return f"the bundle does not keep the secrets; set PIPELINE_PARAMETERS to {value}"
        for gate in step["gates"]:
            if not self.holds(STEPS[gate]):
                return f"the gate of the step `{gate}` does not hold"
        for path in READS.get(step["name"], ()):
            if not Path(self.place.name, "work", path).exists():
                return f"the file {path} is not part of the bundle"
        return ""

    def secrets(self, step: dict[str, Any]) -> list[str]:
        """The parameters of a step whose defaults are secret, so that they have to be given."""
        from nb2pipe.runtime.description import read_description

        facts = read_description(ROOT / "pipeline.json").step(step["name"])
        return sorted(facts.secrets - facts.given_by.keys() - GIVEN.keys())

    def holds(self, step: dict[str, Any]) -> bool:
        """Whether the gate of a step that has run holds for what steps measured."""
        from nb2pipe.runtime.gates import gate_holds

        metrics: dict[str, float] = {}
        for name in STEPS:
            file = Path(self.place.name, "values", f"{name.replace('/', '.')}.json")
            if file.exists():
                metrics |= json.loads(file.read_text(encoding="utf-8"))["metrics"]
        return gate_holds(step["gate"], metrics)

    def run_step(self, step: dict[str, Any]) -> str:
        """Runs a step as its command line does."""
        values = str(Path(self.place.name, "values"))
        module = f"{PACKAGE}.steps.{step['module']}"
        words = [sys.executable, "-m", module, "--nb2pipe-outputs", values]
        if Path(values).exists():
            words += ["--nb2pipe-inputs", values]
        for one in step["parameters"]:
            if one["name"] in GIVEN:
                value = GIVEN[one["name"]]
                text = value if isinstance(value, str) else json.dumps(value)
                words.append(f"--{one['name']}={text}")
        path = filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])
        done = subprocess.run(
            words,
            cwd=Path(self.place.name, "work"),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, f"{done.stdout}\n{done.stderr}")
        return ""

    def test_1_load(self) -> None:
        """The step `load`."""
        self.check("load")

    def test_2_clean(self) -> None:
        """The step `clean`."""
        self.check("clean")

    def test_3_split(self) -> None:
        """The step `split`."""
        self.check("split")

    def test_4_linear(self) -> None:
        """The step `linear`."""
        self.check("linear")

    def test_5_ridge(self) -> None:
        """The step `ridge`."""
        self.check("ridge")

    def test_6_forest(self) -> None:
        """The step `forest`."""
        self.check("forest")

    def test_7_boosting(self) -> None:
        """The step `boosting`."""
        self.check("boosting")

    def test_8_neighbors(self) -> None:
        """The step `neighbors`."""
        self.check("neighbors")

    def test_9_compare(self) -> None:
        """The step `compare`."""
        self.check("compare")


if __name__ == "__main__":
    unittest.main()
