"""The notebooks of the contract of targets, one for each feature."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET = "pa55 'word' ${{ x }}"  # noqa: S105  # of nothing
DEFAULT_SCORE = 0.25

_IMPORTS = ("imports",)
_PARAMETERS = ("parameters",)
_TRACER = """\
import os
import socket
import time


def ask(*words):
    with socket.create_connection(("127.0.0.1", int(os.environ["CONTRACT"])), timeout=30) as line:
        line.sendall((" ".join(map(str, words)) + "\\n").encode())
        return line.makefile().readline().strip()


def trace(words):
    ask("trace", words)


def attempts():
    return int(ask("count", "tried"))


def meet(name, other):
    ask("here", name)
    until = time.time() + 20
    while ask("is", other) != "yes" and time.time() < until:
        time.sleep(0.05)
    trace(f"{name} met {other}" if ask("is", other) == "yes" else f"{name} was alone")
"""
"""A module beside the notebook, by which steps tell what they do: files would be order between the steps."""
_IMPORT = (_IMPORTS, "import os\nimport time\n\nfrom contract_traces import attempts, meet, trace\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A notebook, and how it is converted.

    Attributes:
        name: The notebook's file name.
        cells: Code cells with their tags.
        settings: The metadata `nb2pipe`.
        flags: Options of `nb2pipe.emit`.
        files: Other files beside it, by name.
    """

    name: str
    cells: tuple[tuple[tuple[str, ...], str], ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    flags: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def with_settings(self, more: Mapping[str, object]) -> Case:
        """The case with other metadata."""
        return replace(self, settings={**self.settings, **more}) if more else self

    def write(self, folder: Path) -> None:
        """Writes the notebook and the files beside it into a folder."""
        for name, text in {"contract_traces.py": _TRACER, **self.files}.items():
            (folder / name).write_text(text, "utf-8")
        (folder / self.name).write_text(_notebook(self.cells, self.settings), "utf-8")


def _notebook(cells: tuple[tuple[tuple[str, ...], str], ...], settings: Mapping[str, object]) -> str:
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "nb2pipe": dict(settings),
        },
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{place}",
                "metadata": {"tags": list(tags)}
                | ({"notebook_path": "inner.ipynb"} if tags[0].startswith("notebook:") else {}),
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
            for place, (tags, source) in enumerate(cells)
        ],
    }
    return json.dumps(content, indent=1)


def _asking(name: str, *tags: str) -> Case:
    """A step with tags, and one without."""
    return Case(name=f"{name}.ipynb", cells=((("step:make", *tags), "x = 1\n"), (("step:use",), "y = x + 1\n")))


_NESTED = _notebook(
    (
        (("step:halve",), "half = values[0] / 2\n"),
        (("step:quarter",), "quarter = half / 2\n"),
    ),
    {},
)

_GATED = (
    _IMPORT,
    (_IMPORTS, "import random\n"),
    (_PARAMETERS, f"score = {DEFAULT_SCORE}\n"),
    (("step:measure", "gate:accuracy > 0.5"), 'accuracy = score\ntrace(f"measured {accuracy}")\n'),
    (("pipeline-metrics",), "print(accuracy)\n"),
    (("step:after",), 'result = accuracy + random.random()\ntrace("after")\n'),
    (("step:deep",), 'trace("deep")\nmore = result + 1\n'),
    (("step:beside",), 'drawn = random.random()  # after the draw of `after`, if that is made\ntrace("beside")\n'),
)

_FAILING_ONCE = """\
trace("tried")
if attempts() < 2:
    raise RuntimeError("not yet")
x = 1
"""

_DRAWING = """\
import random

import numpy as np

random.seed(7)
np.random.seed(8)
first = (random.random(), float(np.random.rand()))
os.environ["SHADE"] = "dark"
"""

_OF_ALL_TYPES = """\
count = 3
rate = 0.5
title = "plain: {{ x }} 'q' ${y} # %"
flag = True
names = ["a", "b"]
table = {"k": 1.5}
"""

_WRITING = """\
pathlib.Path("out dir").mkdir(exist_ok=True)
pathlib.Path("out dir/table.csv").write_text("a\\n1\\n2\\n")
made = 2
"""

_ALL: tuple[tuple[Feature, Case], ...] = (
    (
        Feature.PARAMETERS,
        Case(
            name="parameters.ipynb",
            cells=(
                (
                    _PARAMETERS,
                    _OF_ALL_TYPES,
                ),
                (("step:take",), "taken = (count, rate, title, flag, list(names), dict(table))\n"),
                (("step:use",), "again = [taken, names, table]\n"),
            ),
        ),
    ),
    (
        Feature.RUN_DATE,
        Case(
            name="dated.ipynb",
            cells=(_IMPORT, (_PARAMETERS, 'day = "1999-12-31"\n'), (("step:make",), 'trace(f"day {day}")\n')),
            settings={"run_date": "day", "schedule": "0 3 * * *"},
        ),
    ),
    (Feature.SCHEDULE, replace(_asking("scheduled"), flags={"schedule": "30 3 * * 1-5"})),
    (
        Feature.TIMEZONE,
        replace(_asking("zoned"), flags={"schedule": "30 3 * * 1-5", "timezone": "Europe/Berlin"}),
    ),
    (
        Feature.PARALLEL,
        Case(
            name="parallel.ipynb",
            cells=(
                _IMPORT,
                (("step:left",), 'meet("left", "right")\n'),
                (("step:right",), 'meet("right", "left")\n'),
            ),
        ),
    ),
    (
        Feature.ORDER,
        Case(
            name="order.ipynb",
            cells=(
                _IMPORT,
                (("step:first",), 'trace("first begins")\ntime.sleep(1)\ntrace("first ends")\n'),
                (("step:second", "prev:first"), 'trace("second")\n'),
            ),
        ),
    ),
    (Feature.GATE, Case(name="gated.ipynb", cells=_GATED)),
    (
        Feature.NESTED,
        Case(
            name="nesting.ipynb",
            cells=(
                (("step:make",), "values = [8.0, 1.0]\n"),
                (("notebook:inner",), "# inner.ipynb\n"),
                (("step:use",), "total = quarter + half\n"),
            ),
            files={"inner.ipynb": _NESTED},
        ),
    ),
    (
        Feature.RETRY,
        Case(
            name="retried.ipynb",
            cells=(_IMPORT, (("step:make", "retry:2"), _FAILING_ONCE), (("step:use",), 'trace("after")\ny = x\n')),
        ),
    ),
    (
        Feature.RETRY_DELAY,
        Case(
            name="delayed.ipynb",
            cells=(_IMPORT, (("step:make", "retry:2:2s"), _FAILING_ONCE), (("step:use",), 'trace("after")\ny = x\n')),
        ),
    ),
    (
        Feature.TIMEOUT,
        Case(
            name="late.ipynb",
            cells=(
                _IMPORT,
                (("step:make", "timeout:4s"), 'trace("begun")\ntime.sleep(60)\ntrace("slept")\nx = 1\n'),
                (("step:use",), 'trace("after")\ny = x\n'),
            ),
        ),
    ),
    (
        Feature.CACHE,
        Case(
            name="cached.ipynb",
            cells=(
                _IMPORT,
                (("step:make", "cache:enabled"), 'trace("once")\nx = 1\n'),
                (("step:use", "cache:disabled"), 'trace("always")\ny = x\n'),
            ),
        ),
    ),
    (Feature.REPORT, _asking("reported", "report:enabled")),
    (Feature.CPU, _asking("cpu", "limit:cpu:1500m")),
    (Feature.MEMORY, _asking("memory", "limit:memory:3Gi")),
    (Feature.GPU, _asking("gpu", "limit:nvidia.com/gpu:1")),
    (Feature.LIMITS, _asking("disk", "limit:ephemeral-storage:5Gi")),
    (
        Feature.IMAGE,
        replace(
            _asking("image"),
            flags={"image": "registry.example.com:5000/team/python@sha256:" + "0a" * 32},
        ),
    ),
    (Feature.STEP_IMAGES, _asking("images", "image:registry.example.com:5000/team/train:1.2")),
    (
        Feature.ENVIRONMENT,
        Case(
            name="colored.ipynb",
            cells=(
                _IMPORT,
                (
                    ("step:make", "env:COLOR:'it''s: \"{{ red }}\" ${{ x }} $(y)"),
                    "trace(f\"color {os.environ.get('COLOR')}\")\nx = 1\n",
                ),
                (("step:use",), "trace(f\"color {os.environ.get('COLOR')}\")\ny = x\n"),
            ),
        ),
    ),
    (Feature.LABELS, _asking("labeled", "label:team:vision")),
    (Feature.ANNOTATIONS, _asking("annotated", "annotation:example.com/page:https://h:80/?a=b&c='d'")),
    (
        Feature.SECRETS,
        Case(
            name="secret.ipynb",
            cells=(
                _IMPORT,
                (("step:make", "secret:db:password:DB_PASSWORD"), "trace(f\"secret {os.environ['DB_PASSWORD']}\")\n"),
            ),
        ),
    ),
    (
        Feature.STATE,
        Case(
            name="state.ipynb",
            cells=(
                (_IMPORTS, "import os\n"),
                (("step:begin",), _DRAWING),
                (("step:pause",), "paused = first[0] > 2\n"),
                (
                    ("step:end",),
                    "second = (paused, random.random(), float(np.random.rand()), os.environ['SHADE'])\n",
                ),
            ),
        ),
    ),
    (
        Feature.FILES,
        Case(
            name="files.ipynb",
            cells=(
                (_IMPORTS, "import pathlib\n"),
                (
                    ("step:make",),
                    _WRITING,
                ),
                (("step:pause",), "paused = made + 1\n"),
                (("step:use",), 'rows = pathlib.Path("out dir/table.csv").read_text().split()\ntotal = paused\n'),
            ),
        ),
    ),
    (
        Feature.MODULES,
        Case(
            name="modular.ipynb",
            cells=(
                (_IMPORTS, "import contract_helpers\n"),
                (("step:make",), "x = contract_helpers.double(21)\n"),
                (("step:use",), "y = contract_helpers.double(x)\n"),
            ),
            files={"contract_helpers.py": "def double(value):\n    return 2 * value\n"},
        ),
    ),
    (
        Feature.DATA,
        Case(
            name="data.ipynb",
            cells=(
                (_IMPORTS, "import pathlib\n"),
                (("step:make",), 'rows = pathlib.Path("rows.csv").read_text().split()\n'),
                (("step:use",), "count = len(rows)\n"),
            ),
            flags={"include": ["*.csv"]},
            files={"rows.csv": "a\n1\n2\n"},
        ),
    ),
    (
        Feature.METRICS,
        Case(
            name="measured.ipynb",
            cells=(
                (("step:make",), "accuracy, loss = 0.5, 0.25\n"),
                (("pipeline-metrics",), "print(accuracy, loss)\n"),
                (("step:use",), "y = accuracy\n"),
            ),
        ),
    ),
    (Feature.RECORDS, _asking("recorded")),
    (
        Feature.NOTEBOOKS,
        Case(
            name="notebooks.ipynb",
            cells=(
                (_PARAMETERS, "count = 21\n"),
                (("step:make",), "made = 2 * count\n"),
                (("step:use",), 'print("made", made)\ny = made\n'),
            ),
            flags={"mode": "notebook"},
        ),
    ),
    (
        Feature.NOTICE,
        Case(
            name="notice.ipynb",
            cells=((("step:make",), "x = 1 / 0\n"), (("step:use",), "y = x\n")),
            settings={"owner": "team@example.com", "on_failure": "https://example.com/hook"},
        ),
    ),
    (Feature.OWNER, replace(_asking("owned"), settings={"owner": "team@example.com"})),
)
CASES: dict[Feature, Case] = dict(_ALL)
"""The notebook of each feature."""
