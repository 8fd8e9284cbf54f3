"""A step that is killed, and begins again on another machine: its disk is empty, and what is there lies elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.records.series import recorded
from nb2pipe.runtime.elsewhere.mirrored import at_home, fetch
from nb2pipe.store.place import place

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """# %% tags=["imports"]
import hashlib, os, time
import torch
from nb2pipe import track
# %% tags=["parameters"]
lr = 0.01
# %% tags=["step:train"]
rows = [float(line) for line in open("data.txt")]
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=lr)
loader = torch.utils.data.DataLoader(torch.tensor(rows).reshape(-1, 4), 4, shuffle=True)
history = []
training = track.training(net, optimizer, state={"history": history}, every="2 steps")
for epoch in training.epochs(4):
    for i, x in enumerate(epoch.batches(loader)):
        if epoch == 2 and i == 3 and os.environ.get("WAITS"):
            time.sleep(60)
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        history.append((i, loss.item()))
    print("epoch", int(epoch), loss.item())
digest = hashlib.sha256(b"".join(one.numpy().tobytes() for one in net.state_dict().values())).hexdigest()
print(digest, len(history), torch.rand(1).item())
del loss, loader
"""
STEPS = 24
FIRST = 2
"""The step of the first checkpoint."""
MOST = 4
"""Checkpoints that stay: the last three, and the one from which the last part can be done again."""
LINES = "".join(f"{(7 * place % 13) / 13}\n" for place in range(96))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "n.py").write_text(NOTEBOOK)
    write(nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="python"), folder / "bundle")
    return folder / "bundle"


def start(bundle: Path, disk: Path, store: str, *words: str, **variables: str) -> subprocess.Popen[str]:
    """Starts the step on a disk of its own."""
    disk.mkdir()
    (disk / "data.txt").write_text(LINES)
    named = {"NB2PIPE_STORE": store, "NB2PIPE_RUN": "nightly", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(bundle)}
    return subprocess.Popen(
        [sys.executable, "-m", "n_pipeline.steps.train", *words],
        cwd=disk,
        env={**os.environ, **named, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    assert "store" not in err
    return out


def kill_with_checkpoints(process: subprocess.Popen[str], store: str) -> list[str]:
    """Kills it once the store has a checkpoint."""
    to, path, deadline = place(store), "runs/nightly/checkpoints/train/1", time.monotonic() + 60
    while not (names := [name for name in to.names(path) if name.endswith(".json")]):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return names


@pytest.fixture(scope="module")
def undisturbed(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What it prints when nobody disturbs it; the SHA-256 of the weights is in it."""
    disk = tmp_path_factory.mktemp("undisturbed") / "disk"
    return ended(start(bundle, disk, str(disk.parent / "store"), "--outputs", "left"))


def test_it_goes_on_from_the_store_to_the_same_weights(bundle: Path, undisturbed: str, tmp_path: Path, s3: str) -> None:
    kill_with_checkpoints(start(bundle, tmp_path / "one", s3, "--outputs", "left", WAITS="1"), s3)
    assert ended(start(bundle, tmp_path / "two", s3, "--outputs", "left")) == undisturbed
    left = tmp_path / "two" / "left"
    went_on = json.loads((left / "train.checkpoints" / "1" / "went_on.json").read_text())
    assert went_on["step"] >= FIRST
    assert {len(points) for points in recorded(left / "train.series").values()} >= {STEPS}, "points before it are there"
    names = place(s3).names("runs/nightly/checkpoints/train/1")
    assert "done" in names
    assert sum(name.endswith(".json") for name in names) <= MOST, "what is not kept here is not kept there"
    assert place(s3).names("runs/nightly/checkpoints/train/series") == []


def test_through_a_store_and_as_a_notebook_it_goes_on_too(bundle: Path, undisturbed: str, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    words = ("--nb2pipe-through-store", "--nb2pipe-told", "told.json")
    kill_with_checkpoints(start(bundle, tmp_path / "one", store, *words, WAITS="1"), store)
    shown = ended(start(bundle, tmp_path / "two", store, *words, "--nb2pipe-notebook", "out.ipynb"))
    assert shown == undisturbed, "what the first attempt printed is shown, too"
    record = json.loads((tmp_path / "store" / "runs" / "nightly" / "run.json").read_text())
    assert record["series"]["loss"] == STEPS


def test_an_attempt_that_came_to_its_end_is_not_gone_on_from(tmp_path: Path) -> None:
    store, path = place(str(tmp_path / "store")), "runs/nightly/checkpoints/train"
    for name in ("1/epoch-1.json", "1/done", "2/epoch-1.json"):
        store.write(f"{path}/{name}", b"{}")
    home = tmp_path / "home"
    facts = {"url": str(tmp_path / "store"), "path": path, "folder": str(home), "series": str(home / "s"), "work": "/"}
    fetch(facts)
    assert [str(found.relative_to(home)) for found in home.rglob("*.json")] == ["2/epoch-1.json"]


def test_files_that_were_read_count_by_their_content_wherever_they_lie_now(tmp_path: Path) -> None:
    (tmp_path / "same.csv").write_text("1")
    (tmp_path / "other.csv").write_text("2")
    one = hashlib.sha256(b"1").hexdigest()
    contents = {
        "same.csv": one,
        "other.csv": one,
        "missing.csv": one,
        "never.csv": None,
        str(tmp_path / "same.csv"): one,
    }
    found = at_home({"step": 3, "reads": {"/elsewhere/same.csv": [1, 2, 3]}, "contents": contents}, tmp_path)
    state = (tmp_path / "same.csv").stat()
    gone = [-1, -1, -1]
    assert found == {
        "step": 3,
        "reads": {
            str(tmp_path / "same.csv"): [1, state.st_mtime_ns, state.st_ino],
            str(tmp_path / "other.csv"): gone,
            str(tmp_path / "missing.csv"): gone,
            str(tmp_path / "never.csv"): None,
        },
    }
