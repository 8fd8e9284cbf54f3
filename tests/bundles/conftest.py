"""What tests of bundles share: a Python in which nb2pipe is not installed, and a notebook that uses most of it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Cells = list[tuple[list[str], str]]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A Python with the libraries of this one, but without nb2pipe.

    Attributes:
        python: The interpreter.
        home: An empty folder, its user's home.
    """

    python: Path
    home: Path

    def run(
        self, *words: object, bundle: Path, cwd: Path, variables: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs Python with a bundle on its path."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        own = {"PYTHONPATH": str(bundle), "HOME": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(
            [self.python, *map(str, words)],
            cwd=cwd,
            env={**kept, **own, **(variables or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """A virtual environment whose packages are links to those of this one, nb2pipe left out."""
    folder = tmp_path_factory.mktemp("elsewhere")
    venv.create(folder / "env", symlinks=True)
    packages = folder / "packages"
    packages.mkdir()
    for place in dict.fromkeys(Path(path) for path in sys.path if path.endswith("-packages")):
        for entry in place.iterdir():
            hidden = "nb2pipe" in entry.name.lower() or entry.suffix == ".pth"
            if not hidden and not (packages / entry.name).exists():
                (packages / entry.name).symlink_to(entry)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    (site / "linked.pth").write_text(f"{packages}\n", "utf-8")
    (folder / "home").mkdir()
    return Elsewhere(folder / "env" / "bin" / "python", folder / "home")


IMPORTS = """\
import numpy as np
import helpers
from nb2pipe import track"""

FUNCTIONS = """\
class Box:
    def __init__(self, values):
        self.values = values

def total(box):
    return float(box.values.sum()) + offset"""

LOAD = """\
box = Box(np.arange(count) * factor)
table = open('data/table.csv').read()
print(name, len(table))"""

COUNT = """\
import os
offset = 10
sum_of_all = total(box)
assert os.environ['ACCOUNT_KEY']
size = len(box.values)"""

SAVE = """\
track.log({'doubled': helpers.double(sum_of_all)})
with open('out.txt', 'w') as file:
    file.write(str(helpers.double(sum_of_all)))"""

CELLS: Cells = [
    (["imports"], IMPORTS),
    (["parameters"], "count = 3\nfactor = 2.0\nname = 'a b'"),
    (["functions"], FUNCTIONS),
    (["step:load"], LOAD),
    (["step:count", "gate:size >= 1", "secret:account:key:ACCOUNT_KEY"], COUNT),
    (["pipeline-metrics"], "print(size)"),
    (["step:save"], SAVE),
]


@pytest.fixture
def notebook(tmp_path: Path, write_notebook: Callable[[Path, Cells], Path]) -> Path:
    """A notebook with a local module, data, a gate, a secret, a step in namespace form, and tracking."""
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "table.csv").write_text("1,2\n", "utf-8")
    (folder / "helpers.py").write_text("def double(value):\n    return 2 * value\n", "utf-8")
    return write_notebook(folder / "boxes.ipynb", CELLS)
