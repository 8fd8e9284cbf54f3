"""A training in a converted notebook, from files to files, without nb2pipe's home: killed, and gone on with."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.records.series import recorded

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """# %% tags=["imports"]
import hashlib, os, signal
import torch
from nb2pipe import track
# %% tags=["step:train"]
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
loader = torch.utils.data.DataLoader(torch.randn(24, 4), 4, shuffle=True)
history = []
training = track.training(net, optimizer, state={"history": history}, every="2 steps")
for epoch in training.epochs(4):
    for i, x in enumerate(epoch.batches(loader)):
        if epoch == 2 and i == 3 and os.environ.get("KILLED"):
            os.kill(os.getpid(), signal.SIGKILL)
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        history.append((i, loss.item()))
    print("epoch", int(epoch), loss.item())
digest = hashlib.sha256(b"".join(one.numpy().tobytes() for one in net.state_dict().values())).hexdigest()
print(digest, len(history), torch.rand(1).item())
"""


def step(folder: Path, outputs: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "n_pipeline.steps.train", "--outputs", outputs, "--seed", "3"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_killed_step_goes_on_to_the_same_weights_with_one_series(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(NOTEBOOK)
    folder = tmp_path / "made"
    write(nb2pipe.emit(nb2pipe.load(path), target="python"), folder)
    undisturbed = step(folder, "A")
    assert undisturbed.returncode == 0, undisturbed.stderr
    assert step(folder, "B", KILLED="1").returncode == -signal.SIGKILL
    went_on = step(folder, "B")
    assert (went_on.returncode, went_on.stdout) == (0, undisturbed.stdout), went_on.stderr
    one, two = (recorded(folder / name / "train.series") for name in "AB")
    assert [len(series["loss"]) for series in (one, two)] == [24, 24]
    assert list(one["loss"]) == list(two["loss"])
    assert (folder / "B" / "train.checkpoints" / "1" / "went_on.json").exists()
