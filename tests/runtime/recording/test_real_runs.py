"""Plain loops of notebooks stand in the record of their run, under each executor, also where they end badly."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import nbformat
import pytest

import nb2pipe
from nb2pipe.records.files import read_run, read_series

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.model import RunRecord

IMPORTS = "import os, signal, torch\nfrom torch import nn\nfrom torch.utils.data import DataLoader, TensorDataset"
DATA = "x = torch.arange(40.0).reshape(20, 2)\ndata_loader = DataLoader(TensorDataset(x, x.sum(1)), batch_size=4)"
LOOP = """
net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
losses = []
for epoch in range(3):
    for data, target in data_loader:
        optimizer.zero_grad()
        loss = ((net(data)[:, 0] - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        {last}
    torch.save(net.state_dict(), "{name}.pt")
"""


def write(folder: Path, **steps: str) -> Path:
    cells = [("imports", IMPORTS), ("step:data", DATA)]
    cells += [(f"step:{name}", LOOP.format(name=name, last=last)) for name, last in steps.items()]
    path = folder / "trial.ipynb"
    made = [nbformat.v4.new_code_cell(code, metadata={"tags": [tag]}) for tag, code in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    return path


def run(folder: Path, path: Path, home: str = "home", **options: Any) -> tuple[nb2pipe.RunResult, RunRecord, Path]:
    result = nb2pipe.run(nb2pipe.load(path), home=folder / home, seed=1, **options)
    kept = folder / home / "runs" / result.run
    return result, read_run(kept), kept


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_a_loop_and_one_that_fails(tmp_path: Path, executor: str) -> None:
    path = write(tmp_path, train="pass", broken="assert len(losses) < 7")
    result, record, folder = run(tmp_path, path, executor=executor)
    assert result.status == "failed"
    trained, broken = record.step("train"), record.step("broken")
    assert trained.series == {
        "loss": 15, "epoch_loss": 3, "lr": 15, "epoch": 15, "batch": 15, "examples_per_second": 3
    }  # fmt: skip
    assert [(each.step, each.epoch) for each in trained.checkpoints] == [(5, 1), (10, 2), (15, 3)]
    kept = tmp_path / "train.pt"
    assert trained.checkpoints[-1].path == str(kept)
    assert trained.checkpoints[-1].sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert broken.series["loss"] == 7
    assert [each.epoch for each in broken.checkpoints] == [1]
    assert record.checkpoints == trained.checkpoints + broken.checkpoints
    losses = [value for _, value in read_series(folder)["loss"]]
    assert losses[:15] == result.value("losses", step="train")
    assert len(losses) == 22


@pytest.mark.parametrize("home", ["home", "other"])
def test_a_step_that_is_reused_shows_what_was_recorded_of_it(tmp_path: Path, home: str) -> None:
    path = write(tmp_path, train="pass")
    (tmp_path / "place").mkdir()
    _, first, one = run(tmp_path, path, store=str(tmp_path / "place"))
    result, second, two = run(tmp_path, path, home, store=str(tmp_path / "place"))
    assert [step.status for step in result.steps] == ["reused", "reused"]
    assert second.series == first.series
    assert second.checkpoints == first.checkpoints
    assert list(read_series(two)["loss"]) == list(read_series(one)["loss"])
    assert result.series("loss").tolist() == result.value("losses")


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_a_process_that_is_killed_leaves_every_step_that_it_made(tmp_path: Path, executor: str) -> None:
    path = write(tmp_path, train="os.kill(os.getpid(), signal.SIGKILL) if len(losses) == 12 else None")
    result, record, folder = run(tmp_path, path, executor=executor)
    assert result.status == "failed"
    assert record.series["loss"] == 12
    assert list(read_series(folder)["epoch"])[-1] == (12, 3)
    assert [each.step for each in record.checkpoints] == [5, 10]
    assert os.listdir(tmp_path / "home" / "runs" / result.run / "series") == ["train"]  # noqa: PTH208


def test_what_could_not_be_recorded_is_told_in_the_record(tmp_path: Path) -> None:
    blocked = (
        "from nb2pipe.runtime.recording.recording import _current\n"
        "folder = _current[0]._folder\n"
        "folder.parent.mkdir(parents=True, exist_ok=True), folder.write_text('no folder')\n"
    )
    path = tmp_path / "trial.ipynb"
    cells = [("imports", IMPORTS), ("step:train", f"{DATA}\n{blocked}{LOOP.format(name='train', last='pass')}")]
    made = [nbformat.v4.new_code_cell(code, metadata={"tags": [tag]}) for tag, code in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)
    result, record, _ = run(tmp_path, path, executor="subprocess")
    assert result.status == "succeeded"
    (note,) = [note for note in record.notes if note.code == "NB523"]
    assert note.message.startswith("the training in `train` is recorded in part only: FileExistsError: ")
    assert len(result.value("losses", step="train")) == 15
