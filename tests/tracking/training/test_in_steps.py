"""A training in a step of a run: its checkpoints stand in the record, and it is one that is reused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

import nb2pipe
from nb2pipe.records.files import read_run

NOTEBOOK = """# %% tags=["imports"]
import os
import torch
from nb2pipe import track
# %% tags=["step:train"]
net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
seen = []
training = track.training(net, optimizer, state={"seen": seen}, keep=2)
for epoch in training.epochs(4):
    for batch in epoch.batches(list(torch.randn(6, 2).split(2))):
        optimizer.zero_grad()
        loss = net(batch).pow(2).sum()
        loss.backward()
        optimizer.step()
    seen.append(loss.item())
    print(int(epoch), loss.item())
    if epoch == 2 and not os.path.exists("there"):
        raise ValueError("not yet")
# %% tags=["step:score"]
print(seen)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a run leaves that does not fail."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "n.py").write_text(NOTEBOOK)
    (folder / "there").touch()
    run = nb2pipe.run(folder / "n.py", home=folder / "home", executor="subprocess", seed=3)
    assert run.status == "succeeded"
    return run.value("seen")


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_a_run_after_a_failure_goes_on(tmp_path: Path, executor: str, undisturbed: Any) -> None:
    path = tmp_path / "n.py"
    path.write_text(NOTEBOOK)
    options: dict[str, Any] = {"home": tmp_path / "home", "executor": executor, "seed": 3}
    assert nb2pipe.run(path, **options).status == "failed"
    (failed,) = (tmp_path / "home" / "runs").iterdir()
    kept = read_run(failed).checkpoints
    assert [each.epoch for each in kept] == [0, 1]
    for each in kept:
        assert hashlib.sha256(Path(each.path).read_bytes()).hexdigest() == each.sha256
    (tmp_path / "there").touch()
    went_on = nb2pipe.run(path, **options)
    assert went_on.status == "succeeded"
    assert went_on.value("seen") == undisturbed
    assert len(undisturbed) == 4
    runs = [read_run(folder) for folder in (tmp_path / "home" / "runs").iterdir()]
    assert [note.code for run in runs for note in run.notes if note.code == "NB692"] == ["NB692"]
    assert nb2pipe.run(path, **options).steps[0].status == "reused"
