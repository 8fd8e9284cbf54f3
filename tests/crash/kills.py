"""`make crash`: kills runs at random moments, at least N times, and prints what came of each trial.

`python tests/crash/kills.py [N] [FIRST] [SIDE_BY_SIDE]`: the trials are numbered from FIRST; one number is one trial.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Lock

sys.path.insert(0, str(Path(__file__).parent))
from crashes import Trial, undisturbed

KINDS = [("small", "papermill")] * 7 + [("small", "subprocess")] * 4 + [("torch", "papermill")]
KINDS += [("training", "papermill"), ("training-2", "subprocess")]


class Kills:
    """Trials until there were enough kills.

    Args:
        wanted: How many kills there are to be.
        first: The number of the first trial.
        folder: Where they happen; those of trials that failed stay.
    """

    def __init__(self, wanted: int, first: int, folder: Path) -> None:
        self.wanted = wanted
        self.kills = 0
        self.trials = 0
        self.failed: list[int] = []
        self.slowest = 0.0
        self._numbers = count(first)
        self._folder = folder
        self._lock = Lock()
        self._expected = {
            kind: undisturbed(folder / "-".join(("undisturbed", *kind)), *kind) for kind in dict.fromkeys(KINDS)
        }

    def work(self) -> None:
        """Makes trials until there were enough kills."""
        while self.kills < self.wanted:
            with self._lock:
                number = next(self._numbers)
            self._one(number)

    def _one(self, number: int) -> None:
        kind = random.Random(number).choice(KINDS)
        expected, seconds = self._expected[kind]
        trial = Trial(
            number=number, notebook=kind[0], executor=kind[1], folder=self._folder / str(number), jobs=number % 3 + 1
        )
        began = time.monotonic()
        try:
            trial.conduct(expected, seconds)
        except AssertionError as error:
            self.failed.append(number)
            print(f"FAILED {error}", flush=True)
        else:
            shutil.rmtree(trial.folder)
        with self._lock:
            self.kills += trial.kills
            self.trials += 1
            self.slowest = max(self.slowest, trial.orphans)
            hits = ", ".join(word for word in trial.told if word.startswith("killed"))
            print(f"{self.kills:4} trial {number} {kind} {time.monotonic() - began:.1f} s: {hits}", flush=True)


def main(wanted: int = 200, first: int = 1, side_by_side: int = 2) -> int:
    """Makes the trials; the exit code."""
    folder = Path(tempfile.mkdtemp(prefix="nb2pipe-crash-"))
    began = time.monotonic()
    kills = Kills(wanted, first, folder)
    with ThreadPoolExecutor(side_by_side) as pool:
        for future in [pool.submit(kills.work) for _ in range(side_by_side)]:
            future.result()
    print(
        f"{kills.kills} kills in {kills.trials} trials, {time.monotonic() - began:.0f} s; "
        f"the last process was gone after {kills.slowest:.2f} s at most; failed: {kills.failed or 'none'}"
    )
    if not kills.failed:
        shutil.rmtree(folder)
        return 0
    print(f"their folders are in {folder}; one alone: make crash N=1 FIRST={kills.failed[0]}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
