"""A package as conversion writes it, written by hand: function form, namespace form, a nested and an async step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.runtime.spec import BOOTSTRAP, StepSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

PACKAGE = "digits_pipeline"
TOKEN = "token"

INIT = '"""The pipeline `digits`."""\n'

DEFINITIONS = '''
"""Imports, functions and classes of `digits.ipynb` that its steps share."""

from nb2pipe.runtime.modules import stand_for_notebook

stand_for_notebook(globals())
# fmt: off

# %% cell 1
import random
from dataclasses import asdict, dataclass

# %% cell 2, line 2
@dataclass
class Net:
    size: int
    weights: list

    def total(self):
        return sum(self.weights)

# %% cell 3
def scaled(x):
    return x * factor
'''

DATA = '''
"""Step `data` of the pipeline `digits`."""

from __future__ import annotations

import random
import sys
from typing import Any, NamedTuple

from digits_pipeline.definitions import Net


class Data(NamedTuple):
    """What the step `data` leaves."""

    key: Any
    net: Any
    rows: Any


def data(*, size: int = 3) -> Data:
    """Makes the data.

    It is small: 100 %.
    """
    # fmt: off
    # %% cell 5
    rows = [random.random() for _ in range(size)]
    print("made", len(rows), "rows")

    # %% cell 6
    net = Net(size, [0.0] * size)
    key = lambda row: -row
    # fmt: on
    return Data(key=key, net=net, rows=rows)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "data"))
'''

TRAIN = '''
"""Step `train` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

from digits_pipeline import definitions
from digits_pipeline.definitions import Net, scaled


class Train(NamedTuple):
    """What the step `train` leaves."""

    accuracy: Any
    net: Any


def train(net: Any, rows: Any, *, factor: float = 2.0) -> Train:
    """Trains."""
    definitions.factor = factor
    # fmt: off
    # %% cell 8
    for place, row in enumerate(rows):
        net.weights[place] = scaled(row)
    if factor == 0:
        raise ValueError("factor is 0")

    # %% cell 9
    accuracy = 1 - 1 / (1 + net.total())
    # fmt: on
    return Train(accuracy=accuracy, net=net)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "train"))
'''

REPORT = '''
"""Step `report` of the pipeline `digits`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

from nb2pipe.runtime.cells import run_cells
from nb2pipe.runtime.modules import UNBOUND

from digits_pipeline import definitions

CELLS = Path(__file__).parents[1] / "cells" / "report.py"


class Report(NamedTuple):
    """What the step `report` leaves."""

    lines: Any
    worst: Any


def report(key: Any, net: Any, rows: Any, *, title: str = "Report") -> Report:
    """Reports.

    Its cells run as top-level code, in `cells/report.py`, since `count`, which this step binds, is read by `shown`.
    """
    given = {"key": key, "net": net, "rows": rows, "title": title}
    found = run_cells(CELLS, definitions, given)
    return Report(lines=found["lines"], worst=found.get("worst", UNBOUND))


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "report"))
'''

REPORT_CELLS = '''
"""The cells of the step `report`."""

# ruff: noqa: F401, F821
# fmt: off

# %% cell 4 (definitions)
import math

# %% cell 4, line 3 (definitions)
print("defined once")
def shown(text):
    return f"{count}: {text}"

# %% cell 11
count = 0
lines = []
for row in sorted(rows, key=key):
    count += 1
    lines.append(shown(f"{row:.3f}"))
print(title, __name__, *lines, sep=" | ")

# %% cell 12 (may raise)
before = 1
1 / 0
after = 2

# %% cell 13
if net.total() < 0:
    worst = min(net.weights)
print("before" in globals(), "after" in globals())
'''

FETCH = '''
"""Step `outer/fetch` of the pipeline `digits`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any, NamedTuple


class Fetch(NamedTuple):
    """What the step `fetch` leaves."""

    answer: Any


async def fetch(lines: Any) -> Fetch:
    """Waits."""
    # fmt: off
    # %% inner.ipynb, cell 1
    answer = await asyncio.sleep(0, len(lines))
    print("answer", answer)
    # fmt: on
    return Fetch(answer=answer)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "outer/fetch"))
'''

MAIN = '''
"""Runs the pipeline `digits` in one process."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.runtime.program import run_pipeline

if TYPE_CHECKING:
    from nb2pipe.runtime.program import Run


def pipeline(run: Run, *, size: int = 3, factor: float = 2.0, title: str = "Report") -> None:
    """The steps in notebook order."""
    data = run("data", size=size)
    train = run("train", net=data.net, rows=data.rows, factor=factor)
    if run.passes("train"):
        report = run("report", key=data.key, net=train.net, rows=data.rows, title=title)
        run("outer/fetch", lines=report.lines)


if __name__ == "__main__":
    sys.exit(run_pipeline("digits_pipeline", pipeline))
'''


def _step(name: str, inputs: Mapping[str, str], outputs: str, **more: Any) -> dict[str, Any]:
    module = name.replace("/", ".")
    return {
        "name": name,
        "module": module,
        "function": module.rpartition(".")[2],
        "inputs": [{"name": each, "kind": "variable", "origin": origin} for each, origin in inputs.items()],
        "outputs": [{"name": each, "kind": "variable"} for each in outputs.split()],
        "parameters": [],
        "metrics": {},
        "gate": None,
        "description": None,
        **more,
    }


def _parameter(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind, "default": None, "is_literal": True}


PIPELINE = {
    "schema": 1,
    "name": "digits",
    "package": PACKAGE,
    "notebook": {"path": "digits.ipynb"},
    "parameters": [_parameter("size", "int"), _parameter("factor", "float"), _parameter("title", "str")],
    "steps": [
        _step("data", {}, "key net rows", parameters=[_parameter("size", "int")], description="Making data"),
        _step(
            "train",
            {"net": "data", "rows": "data"},
            "accuracy net",
            parameters=[_parameter("factor", "float")],
            metrics={"9": ["accuracy"]},
            gate="accuracy > 0.1 and accuracy < 1",
        ),
        _step(
            "report",
            {"key": "data", "net": "train", "rows": "data"},
            "lines worst",
            parameters=[_parameter("title", "str")],
        ),
        _step("outer/fetch", {"lines": "report"}, "answer"),
    ],
    "edges": [],
}


@dataclass
class Bundle:
    """A bundle on disk, and processes that run it."""

    folder: Path

    def write(self, path: str, text: str) -> None:
        target = self.folder / PACKAGE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def change(self, path: str, old: str, new: str) -> None:
        text = (self.folder / PACKAGE / path).read_text(encoding="utf-8")
        assert old in text
        (self.folder / PACKAGE / path).write_text(text.replace(old, new), encoding="utf-8")

    def describe(self, **changes: Any) -> None:
        """Changes `pipeline.json`; keyword arguments change steps, by name."""
        steps = [{**step, **changes.get(str(step["name"]), {})} for step in PIPELINE["steps"]]  # type: ignore[attr-defined]
        text = json.dumps({**PIPELINE, "steps": steps})
        (self.folder / "pipeline.json").write_text(text, encoding="utf-8")

    def run(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """Runs `python -m digits_pipeline...`."""
        return self.python("-m", *arguments, **more)

    def python(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, "PYTHONHASHSEED": "0", **more.pop("env", {})}
        command = [sys.executable, *arguments]
        options = {"cwd": self.folder, "env": variables, "capture_output": True, "text": True, "timeout": 60, **more}
        return subprocess.run(command, check=False, **options)

    def spec(self, step: str, result: Path, **more: Any) -> dict[str, Any]:
        """What the executor tells a step."""
        folder, store = str(self.folder), str(self.folder / "store")
        spec = StepSpec(step=step, folder=folder, store=store, result=str(result), seed=3)
        told = {**asdict(spec), "package": folder, "name": PACKAGE, "parameters": {}, "token": TOKEN}
        return told | more

    def launch(self, step: str, inputs: Sequence[Any] = (), outputs: str = "", **more: Any) -> Launched:
        """Runs a step as the executor `subprocess` does."""
        number = len(list(self.folder.glob("result-*")))
        result = self.folder / f"result-{number}" / "result.json"
        result.parent.mkdir()
        options = {"env": more.pop("environment")} if "environment" in more else {}
        spec = self.spec(step, result, inputs=list(inputs), outputs=outputs.split(), **more)
        file = self.folder / "spec.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(BOOTSTRAP.with_name("launch.py")), str(file)],
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=60,
            **options,
        )
        told = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
        assert not file.exists()
        return Launched(done.returncode, done.stdout, done.stderr, told)


@dataclass
class Launched:
    """What came of a step that was launched."""

    code: int
    stdout: bytes
    stderr: bytes
    told: dict[str, Any]

    def groups(self, take: str) -> list[dict[str, Any]]:
        """What it left, as the inputs of another step."""
        names = take.split()
        return [
            {**group, "take": [name for name in group["names"] if name in names]}
            for group in self.told["completed"]["outputs"]
        ]


def write_package(folder: Path) -> Bundle:
    """Writes the package, and what stands beside it."""
    bundle = Bundle(folder)
    files = {
        "__init__.py": INIT,
        "__main__.py": MAIN,
        "definitions.py": DEFINITIONS,
        "steps/__init__.py": INIT,
        "steps/data.py": DATA,
        "steps/train.py": TRAIN,
        "steps/report.py": REPORT,
        "cells/report.py": REPORT_CELLS,
        "steps/outer/__init__.py": INIT,
        "steps/outer/fetch.py": FETCH,
    }
    for path, text in files.items():
        bundle.write(path, text)
    bundle.describe()
    return bundle


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return write_package(tmp_path)
