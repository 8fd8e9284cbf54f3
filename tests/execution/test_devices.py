"""Which step has which GPU."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import nb2pipe
from nb2pipe.execution.devices import VISIBLE, Devices, visible_gpus

if TYPE_CHECKING:
    from pathlib import Path


def test_the_gpus_are_those_that_the_environment_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    monkeypatch.delenv(VISIBLE, raising=False)
    assert visible_gpus(tmp_path) == ("0", "1")
    monkeypatch.setenv(VISIBLE, "1, GPU-5")
    assert visible_gpus(tmp_path) == ("1", "GPU-5")
    monkeypatch.setenv(VISIBLE, "")
    assert visible_gpus(tmp_path) == ()


def test_no_gpu_is_given_twice_and_all_come_back() -> None:
    devices, never = Devices(("0", "1", "2")), threading.Event()
    with devices.taken(2, never) as one, devices.taken(1, never) as two:
        assert (one, two) == (("0", "1"), ("2",))
        cancelled = threading.Event()
        cancelled.set()
        with devices.taken(1, cancelled) as none:
            assert none == ()
    with devices.taken(9, never) as most:
        assert most == ("0", "1", "2")


NOTEBOOK = """
# %% tags=["imports"]
import os
import time

# %% tags=["step:a", "limit:nvidia.com/gpu:1"]
a = [os.environ["CUDA_VISIBLE_DEVICES"], time.monotonic()]
time.sleep(0.5)
a.append(time.monotonic())

# %% tags=["step:b", "limit:nvidia.com/gpu:1"]
b = [os.environ["CUDA_VISIBLE_DEVICES"], time.monotonic()]
time.sleep(0.5)
b.append(time.monotonic())

# %% tags=["step:c"]
c = os.environ["CUDA_VISIBLE_DEVICES"]

# %% tags=["step:end"]
print(a, b, c)
"""


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
@pytest.mark.parametrize("gpus", ["3", "3,5"])
def test_a_step_sees_only_the_gpu_that_it_has_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: str, gpus: str
) -> None:
    monkeypatch.setenv(VISIBLE, gpus)
    path = tmp_path / "n.py"
    path.write_text(NOTEBOOK)
    result = nb2pipe.run(path, jobs=3, executor=executor, home=tmp_path / ".nb2pipe")
    found: dict[str, Any] = {name: result.value(name) for name in "abc"}
    assert found["c"] == gpus
    if gpus == "3":
        assert (found["a"][0], found["b"][0]) == ("3", "3")
        assert found["a"][2] <= found["b"][1] or found["b"][2] <= found["a"][1]
    else:
        assert {found["a"][0], found["b"][0]} == {"3", "5"}


def test_which_gpu_a_step_had_is_no_reason_to_run_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "n.py"
    seen = 'len(os.environ["CUDA_VISIBLE_DEVICES"])'
    path.write_text(
        f'# %% tags=["imports"]\nimport os\n# %% tags=["step:a", "limit:nvidia.com/gpu:1"]\na = {seen}\n'
        f'# %% tags=["step:b"]\nb = {seen}\n# %% tags=["step:end"]\nprint(a, b)\n'
    )
    monkeypatch.setenv(VISIBLE, "3")
    nb2pipe.run(path, home=tmp_path / ".nb2pipe")
    monkeypatch.setenv(VISIBLE, "7")
    again = nb2pipe.run(path, home=tmp_path / ".nb2pipe")
    assert [step.status for step in again.steps] == ["reused", "ran", "reused"]  # `b` has none for itself
