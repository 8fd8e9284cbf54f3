"""The examples of the project on every target: accepted, run, and the same values as a run of the notebook.

What is found stands in `docs/conformance.json`, which the README shows as a table; `--update-golden` writes it anew.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from programs import EXAMPLES, ROOT

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.testing.targets import TargetContract, digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.testing.targets import Engine

NAMES = ("digits", "survey", "tour")
TABLE = ROOT / "docs" / "conformance.json"
SECRETS = {("account", "home"): "/tmp"}  # what `tour` asks for
FIGURES = frozenset({"plot.figure", "plot.left", "plot.right"})
"""Drawings of matplotlib hold numbers that count up in a process."""


class EngineContract(TargetContract):
    """The contract of targets, and the examples."""

    def accepts(self, folder: Path) -> None:
        """Raises, if the platform's own validator refuses a bundle."""
        raise NotImplementedError

    @pytest.mark.parametrize("example", NAMES)
    def test_an_example_is_accepted_and_runs_and_has_the_same_values(
        self, example: str, engine: Engine, *, update_golden: bool
    ) -> None:
        folder, source = self.folder / "bundle", self.folder / "source"
        source.mkdir()
        _copy(example, source)
        write(nb2pipe.emit(nb2pipe.load(source / f"{example}.ipynb"), target=self.name, folder=folder), folder)
        self.accepts(folder)
        ran = self.run_with(engine, folder, SECRETS)
        wanted, metrics = _of_a_run(example)
        made = digests(ran.records)
        assert made.keys() == wanted.keys()
        different = {name for name in made if made[name] != wanted[name]} - FIGURES
        measured = {name: ran.metrics.get(name) for name in metrics}
        row = {
            "accepted": True,
            "ran": ran.succeeded,
            "same values": len(made) - len(different),
            "different": sorted(different) + sorted(name for name in metrics if measured[name] != metrics[name]),
        }
        table = json.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}
        if update_golden:
            table.setdefault(self.name, {})[example] = row
            TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n", "utf-8")
        assert ran.succeeded
        assert row == table[self.name][example]


def _copy(example: str, folder: Path) -> None:
    for file in EXAMPLES.glob(f"{example}*.ipynb"):
        shutil.copy(file, folder)


@functools.cache
def _of_a_run(example: str) -> tuple[dict[str, str], Mapping[str, float]]:
    """The digests of all values, and the metrics, of a run of the notebook itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy(example, folder)
        ran = nb2pipe.run(folder / f"{example}.ipynb", home=folder / "home", executor="subprocess")
        files = (folder / "home" / "runs" / ran.run / "steps").rglob("*.json")
        records = [json.loads(file.read_text("utf-8")) for file in files]
        return digests({record["name"]: record for record in records}), dict(ran.metrics)
