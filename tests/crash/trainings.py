"""`make crash`: kills plain trainings at random moments, goes on with them, and compares the SHA-256 of their weights.

`python tests/crash/trainings.py [KILLS] [FIRST]`: each trial is known by its number alone. torch is imported once; each
training is a process that is forked from this one, which never computes anything itself.
"""

from __future__ import annotations

import json
import os
import random
import runpy
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import torch
import torch._dynamo

import nb2pipe.tracking.training.session

CASES = Path(__file__).parent.parent / "cases"
NOTEBOOK = CASES / "crash" / "training.py"
SHAPES = sorted((CASES / "trainings").glob("*.py"))
WITH_WORKERS = {"training", "weighted", "own_sampler"}
EVERY = ("7 steps", "1 epoch", "0.05 s")
KINDS = [(NOTEBOOK, workers, every) for workers in (0, 2) for every in EVERY]
KINDS += [(path, workers, "") for path in SHAPES for workers in (0, 2) if not workers or path.stem in WITH_WORKERS]
"""The notebook, the workers of its loader, and how often it is saved; empty where that is its own to say."""
FIRST = "import random, time, numpy, torch\ntorch.manual_seed(1), random.seed(2), numpy.random.seed(3)\n"
SLOWLY = "WORKERS = {workers}\ndef trip():\n    time.sleep(0.008)\n"
LAST = """
import hashlib
data = b"".join(one.contiguous().numpy().tobytes() for net in nets for one in net.state_dict().values())
with open("left_weights.txt", "w") as stream:
    stream.write(hashlib.sha256(data + torch.get_rng_state().numpy().tobytes()).hexdigest())
"""
MOST = 30
"""Attempts after which a training that is killed each time is left alone."""


@dataclass(slots=True)
class Trainings:
    """Trials of one kind after the other."""

    folder: Path
    kills: int = 0
    went_on: int = 0
    failed: list[str] = field(default_factory=list)
    shapes: set[str] = field(default_factory=set)
    _expected: dict[tuple[str, int], tuple[str, str, float]] = field(default_factory=dict)

    def trial(self, number: int) -> None:
        """Kills a training up to three times, lets it go on, and compares it with an undisturbed one."""
        dice = random.Random(number)
        path, workers, every = dice.choice(KINDS)
        known = path.stem, workers
        if known not in self._expected:
            place = self._place(f"undisturbed-{path.stem}-{workers}", path, workers, every)
            began = time.monotonic()
            assert self._run(place, None) == 0, (place / "said.txt").read_text()
            self._expected[known] = (*_left(place), time.monotonic() - began)
        weights, said, seconds = self._expected[known]
        place = self._place(str(number), path, workers, every)
        code = -1
        for _ in range(dice.randint(1, 3)):
            code = self._run(place, dice.uniform(0.1, seconds), group=dice.random() < 0.5)
            self.kills += code != 0
            if code == 0:
                break
        steps = _checkpoints(place)
        code = code and self._run(place, None)
        self.went_on += bool(steps)
        self.shapes.add(path.stem)
        if code or _left(place) != (weights, said):
            what = f"{path.stem}, {workers} workers, {every}"
            self.failed.append(f"trial {number} ({what}) in {place}: exit code {code}")
        else:
            shutil.rmtree(place)

    def _place(self, name: str, path: Path, workers: int, every: str) -> Path:
        place = self.folder / name
        place.mkdir()
        text = path.read_text()
        if path == NOTEBOOK:
            text = text.replace("workers = 0", f"workers = {workers}").replace("7 steps", every)
        else:
            text = SLOWLY.format(workers=workers) + text + LAST
        (place / "train.py").write_text(FIRST + text)
        return place

    def _run(self, place: Path, seconds: float | None, *, group: bool = False) -> int:
        """Runs the training in a process of its own, which is killed after some seconds; its exit code."""
        (place / "said.txt").unlink(missing_ok=True)
        child = os.fork()
        if not child:
            _become(place)
        end = time.monotonic() + (60.0 if seconds is None else seconds)
        while time.monotonic() < end:
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        with suppress(ProcessLookupError):
            (os.killpg if group else os.kill)(child, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _become(place: Path) -> None:
    """Makes this process the training."""
    code = 1
    try:
        os.setsid()
        os.chdir(place)
        os.environ["NB2PIPE_HOME"] = str(place / "home")
        torch.set_num_threads(1)  # so many processes at once would wait for each other
        said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        runpy.run_path("train.py", run_name="__main__")
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _left(place: Path) -> tuple[str, str]:
    """The SHA-256 of the weights, and what was printed, other than that the training goes on."""
    file = place / "left_weights.txt"
    said = (place / "said.txt").read_text().splitlines()
    shown = "\n".join(line for line in said if not line.startswith("nb2pipe: the training goes on"))
    return (file.read_text() if file.exists() else "", shown)


def _checkpoints(place: Path) -> int:
    return len(list(place.glob("home/runs/*/checkpoints/*/*/*.safetensors")))


def main(wanted: int = 100, first: int = 1) -> int:
    """Makes trials until there were enough kills; the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="nb2pipe-trainings-"))
    trainings = Trainings(folder)
    began = time.monotonic()
    for number in count(first):
        if trainings.kills >= wanted:
            break
        trainings.trial(number)
    told = {
        "kills": trainings.kills,
        "went_on": trainings.went_on,
        "shapes": sorted(trainings.shapes),
        "failed": trainings.failed,
    }
    print(json.dumps({**told, "seconds": round(time.monotonic() - began, 1)}))
    if not trainings.failed:
        shutil.rmtree(folder)
    return int(bool(trainings.failed))


if __name__ == "__main__":
    assert torch.__version__
    assert nb2pipe.tracking.training.session
    sys.exit(main(*map(int, sys.argv[1:])))
