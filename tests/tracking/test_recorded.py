"""What a notebook logs stands in the record of its run, under each executor, also where a step failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import nb2pipe
from nb2pipe.records.files import read_run, read_series

if TYPE_CHECKING:
    from pathlib import Path

CELLS = [
    ("imports", "from nb2pipe import track"),
    ("parameters", "lr = 0.5"),
    (
        "step:train",
        """
track.params(optimizer='adam', lr=0.25, layers=[1, 2])
for epoch in range(3):
    track.log({'loss/val': 1 / (epoch + 1)}, step=epoch)
track.log(accuracy=lr, loss=float('nan'))
net = 1
""",
    ),
    ("step:report gate:accuracy~>=~0.5", "track.log(seen=net)"),
    ("step:broken", "track.log(n=1)\ntrack.log(curve=2, step=7)\nprint(net)\n1 / (net - 1)"),
]


def write(folder: Path, cells: list[tuple[str, str]] = CELLS) -> Path:
    made = [
        nbformat.v4.new_code_cell(code, metadata={"tags": [tag.replace("~", " ") for tag in tags.split()]})
        for tags, code in cells
    ]
    path = folder / "trial.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_what_code_logs_is_in_the_record(tmp_path: Path, executor: str) -> None:
    options: dict[str, Any] = {"executor": executor, "home": tmp_path / "home"}
    assert nb2pipe.run(nb2pipe.load(write(tmp_path)), **options).status == "failed"
    (folder,) = (tmp_path / "home" / "runs").iterdir()
    record = read_run(folder)
    assert record.metrics["accuracy"] == 0.5
    assert record.metrics["loss"] != record.metrics["loss"]
    assert record.metrics["seen"] == 1.0
    assert record.step("broken").metrics == {"n": 1.0}
    assert record.series == {"loss/val": 3, "curve": 1}
    assert read_series(folder) == {"loss/val": [(0, 1.0), (1, 0.5), (2, 1 / 3)], "curve": [(7, 2.0)]}
    assert record.parameters == {"lr": 0.5, "optimizer": "adam", "layers": [1, 2]}
    assert record.step("train").parameters["lr"] == 0.25
    assert record.given == ()
