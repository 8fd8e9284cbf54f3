"""What nothing can be faster than on this machine: the imports, a forked kernel, SHA-256, Python's own start."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from workloads import IMPORTS, chain

from nb2pipe.executors.kernels.pool import Kernels, Place
from nb2pipe.notebook.read import read_notebook

TIMES = 5
GIBIBYTE = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds, medians of some times.

    Attributes:
        start: Python's start and that of a command line of `click`.
        imports: The imports of the workloads, in a process of their own.
        kernel: From the wish for a forked kernel until it is ready.
        hashing: SHA-256 of 1 GiB in memory.
    """

    start: float
    imports: float
    kernel: float
    hashing: float


@cache
def limits() -> Limits:
    """Measures them, once a process."""
    return Limits(
        start=_process("import click; click.Command('x')"),
        imports=_process(IMPORTS),
        kernel=_kernel(),
        hashing=_hashing(),
    )


def _process(code: str) -> float:
    own = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}  # as for the rows

    def run() -> float:
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=own)
        return time.perf_counter() - begin

    run()
    return statistics.median(run() for _ in range(TIMES))


def _kernel() -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        chain(1).write(folder / "n.ipynb")
        notebook, _ = read_notebook(folder / "n.ipynb")
        place = Place(notebook=notebook, kernel="python3", folder=folder, environment=dict(os.environ), seed=0)
        kernels = Kernels(steps=TIMES + 1, jobs=0)  # none is forked ahead of need
        times = []
        try:
            for _ in range(TIMES + 1):
                begin = time.perf_counter()
                kernel = kernels.take(place, {}, lambda _event: None, lambda: False)
                times.append(time.perf_counter() - begin)
                assert kernel is not None
                kernel.dispose()
        finally:
            kernels.close()
        return statistics.median(times[1:])  # the first waits for the imports


def _hashing() -> float:
    data = bytes(GIBIBYTE)
    times = []
    for _ in range(TIMES):
        begin = time.perf_counter()
        hashlib.sha256(data).digest()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
