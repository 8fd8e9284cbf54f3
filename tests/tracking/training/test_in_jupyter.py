"""A training in a plain Jupyter kernel, outside of any pipeline: run again, interrupted, and after the kernel died."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from jupyter_client.manager import start_new_kernel

from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import read_run, read_series
from nb2pipe.records.index import list_runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nb2pipe.records.model import RunRecord

SETUP = """
import os, signal, torch
from nb2pipe import track
torch.set_num_threads(1)
def make():
    global net, optimizer, history, loader
    torch.manual_seed(3)
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    history = []
    loader = torch.utils.data.DataLoader(torch.randn(24, 4), 4, shuffle=True)
def begin(stop=-1, signal=signal.SIGINT):
    make()
    os.environ.update(ROUNDS="0", STOP=str(stop), SIGNAL=str(int(signal)))
"""
TRAIN = """
training = track.training(net, optimizer, state={"history": history}, every="4 steps")
for epoch in training.epochs(4):
    for i, x in enumerate(epoch.batches(loader)):
        os.environ["ROUNDS"] = str(int(os.environ["ROUNDS"]) + 1)
        if os.environ["ROUNDS"] == os.environ["STOP"]:
            os.kill(os.getpid(), int(os.environ["SIGNAL"]))
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        history.append(i)
    epoch.log(score=loss.item())
    print("epoch", int(epoch), loss.item())
"""
TELL = """
import hashlib
data = b"".join(one.numpy().tobytes() for one in net.state_dict().values())
print(hashlib.sha256(data).hexdigest(), history, os.environ["ROUNDS"])
"""


class Jupyter:
    """A kernel as JupyterLab starts it."""

    def __init__(self, folder: Path) -> None:
        self.manager, self.client = start_new_kernel(
            startup_timeout=60,
            kernel_name="python3",
            cwd=str(folder),
            env={**os.environ, "NB2PIPE_HOME": str(folder / "home")},
        )

    def run(self, code: str) -> tuple[str, str]:
        """What a cell prints, and the name of its error."""
        shown: list[str] = []

        def hear(message: dict[str, object]) -> None:
            content = message["content"]
            if message["msg_type"] == "stream" and isinstance(content, dict) and content["name"] == "stdout":
                shown.append(content["text"])

        reply = self.client.execute_interactive(code, output_hook=hear, timeout=60)
        return "".join(shown), reply["content"].get("ename", "")

    def close(self) -> None:
        """Ends it."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jupyter")


@pytest.fixture(scope="module")
def jupyter(folder: Path) -> Iterator[Jupyter]:
    kernel = Jupyter(folder)
    kernel.run(SETUP)
    yield kernel
    kernel.close()


def records(folder: Path) -> list[RunRecord]:
    """What stands of its runs, the oldest first."""
    rows = list_runs(folder / "home")
    return sorted((read_run(folder / "home" / "runs" / row.run) for row in rows), key=lambda one: one.started)


def test_a_cell_that_is_run_again_after_it_finished_begins_anew(jupyter: Jupyter, folder: Path) -> None:
    first = jupyter.run(f"begin()\n{TRAIN}")[0], jupyter.run(TELL)[0]
    second = jupyter.run(f"begin()\n{TRAIN}")[0], jupyter.run(TELL)[0]
    assert first == second
    assert first[1].split()[-1] == "24"
    assert [one.status for one in records(folder)] == [RunStatus.SUCCEEDED] * 2
    series = read_series(folder / "home" / "runs" / records(folder)[-1].run)
    assert len(series["score"]) == 4
    assert len(series["loss"]) == 24


def test_a_cell_that_is_run_again_after_ctrl_c_goes_on(jupyter: Jupyter, folder: Path) -> None:
    shown, _ = jupyter.run(f"begin()\n{TRAIN}")
    expected = jupyter.run(TELL)[0].split()
    jupyter.run("begin(15)")
    assert jupyter.run(TRAIN)[1] == "KeyboardInterrupt"
    interrupted = records(folder)[-1]
    assert interrupted.status is RunStatus.INTERRUPTED
    assert jupyter.run(TRAIN) == (shown, "")  # the model is as the interrupt left it, and is set to the checkpoint
    found = jupyter.run(TELL)[0].split()
    assert found[:-1] == expected[:-1]
    assert 24 < int(found[-1]) <= 24 + 4, "it began anew"
    record = records(folder)[-1]
    assert (record.run, record.status, record.resumed) == (interrupted.run, RunStatus.SUCCEEDED, 1)
    assert [note.code for note in record.notes] == ["NB692"]
    assert len(read_series(folder / "home" / "runs" / record.run)["loss"]) == 24


def test_other_settings_begin_anew(jupyter: Jupyter) -> None:
    jupyter.run("begin(15)")
    assert jupyter.run(TRAIN)[1] == "KeyboardInterrupt"
    jupyter.run("begin()\noptimizer = torch.optim.Adam(net.parameters(), lr=0.02)")
    jupyter.run(TRAIN)
    assert jupyter.run(TELL)[0].split()[-1] == "24"


def test_a_kernel_that_died_is_no_loss(jupyter: Jupyter, folder: Path) -> None:
    shown, _ = jupyter.run(f"begin()\n{TRAIN}")
    expected = jupyter.run(TELL)[0].split()
    killed = Jupyter(folder)
    killed.run(f"{SETUP}\nbegin(15, signal.SIGKILL)")
    killed.client.execute(TRAIN)
    end = time.monotonic() + 30
    while killed.manager.is_alive() and time.monotonic() < end:
        time.sleep(0.02)
    killed.close()
    jupyter.run("begin()")
    assert jupyter.run(TRAIN) == (shown, "")
    found = jupyter.run(TELL)[0].split()
    assert found[:-1] == expected[:-1]
    assert int(found[-1]) <= 24 - 14 + 4, "it began anew"
    assert records(folder)[-1].resumed == 1
