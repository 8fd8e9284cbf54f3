"""What a checkpoint of `track.training` costs a training: `python benchmarks/checkpoints.py [EPOCHS]`.

A network of 100 MB with its optimizer, in epochs of a second at least. Every fourth epoch is saved: the epoch that ends
with the copy and the one beside which it is written are compared with the two between, so that a machine that gets
slower or faster does not count. Once with one thread, beside which a processor is free, and once with all of them.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from nb2pipe import track

EVERY = 4
SECONDS = 1.1


def measure(threads: int, epochs: int) -> dict[str, float]:
    """The times of epochs, and what one more checkpoint adds to them."""
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(1024, 4096), torch.nn.ReLU(), torch.nn.Linear(4096, 1024))
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
    rows = torch.randn(128, 1024)

    def batch() -> None:
        optimizer.zero_grad()
        net(rows).pow(2).mean().backward()
        optimizer.step()

    for _ in range(3):
        batch()
    began = time.perf_counter()
    for _ in range(5):
        batch()
    batches = max(1, round(SECONDS * 5 / (time.perf_counter() - began)))
    begins: list[tuple[float, float]] = []
    training = track.training(net, optimizer, state={"begins": begins}, every=f"{EVERY} epochs")
    before = children()
    for epoch in training.epochs(EVERY * epochs + 3):
        begins.append((time.perf_counter(), time.process_time()))
        for _ in epoch.batches(range(batches)):
            batch()
    wall, own = (added([one[which] for one in begins]) for which in (0, 1))
    return {
        "threads": threads,
        "epoch_seconds": wall[0],
        "added_part": wall[1] / wall[0],
        "added_part_of_own_processor_time": own[1] / own[0],
        "seconds_of_the_process_that_writes": (children() - before) / epochs,
    }


def children() -> float:
    """The processor time of processes that have ended."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def added(begins: list[float]) -> tuple[float, float]:
    """The length of an epoch, and what a checkpoint adds to the two that it touches."""
    times = [two - one for one, two in pairwise(begins)][EVERY - 1 :]
    groups = [times[place : place + EVERY] for place in range(0, len(times) - EVERY + 1, EVERY)]
    plain = statistics.median(time for group in groups for time in group[2:])
    return plain, statistics.median(sum(group[:2]) - sum(group[2:]) for group in groups)


def main(epochs: int = 10) -> None:
    """Measures, and prints JSON."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NB2PIPE_HOME"] = folder
        found = [measure(threads, epochs) for threads in dict.fromkeys((1, os.cpu_count() or 1))]
        sizes = [path.stat().st_size for path in Path(folder).glob("runs/*/checkpoints/*/*/*.safetensors")]
    print(json.dumps({"megabytes": round(max(sizes) / 1e6, 1), "runs": found}, indent=1))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
