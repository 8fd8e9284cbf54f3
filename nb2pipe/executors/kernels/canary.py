"""A child of the parent that tries what hangs for ever where a fork was not safe: work in parallel."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

_SECONDS = 5
"""Time that the canary gets; on a free machine it needs a tenth of a second."""
_SIDE = 384
"""Rows of matrices that libraries multiply with several threads."""


def release() -> tuple[int, int]:
    """Forks the canary.

    Returns:
        Its process, and a pipe that gives one byte once it sang, and closes without one if it never did.
    """
    answer, sings = os.pipe()
    process = os.fork()
    if process:
        os.close(sings)
        return process, answer
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(_SECONDS)  # ends the process, whatever it waits for
    os.setsid()
    try:
        work()
        os.write(sings, b"y")
    finally:
        os._exit(0)


def work() -> None:
    """Works in parallel with every library that is there and may do so."""
    if "numpy" in sys.modules:
        _multiply(sys.modules["numpy"])
    if "scipy.linalg" in sys.modules:
        _solve(sys.modules["numpy"], sys.modules["scipy.linalg"])
    if "sklearn.metrics" in sys.modules:
        _compare(sys.modules["numpy"], sys.modules["sklearn.metrics"])
    if "torch" in sys.modules:
        _train(sys.modules["torch"])


def _multiply(numpy: Any) -> None:
    matrix = numpy.ones((_SIDE, _SIDE))
    matrix @ matrix


def _solve(numpy: Any, linalg: Any) -> None:
    linalg.lu(numpy.eye(_SIDE) + 1.0)


def _compare(numpy: Any, metrics: Any) -> None:
    matrix = numpy.eye(_SIDE)
    metrics.pairwise_distances_argmin(matrix, matrix)


def _train(torch: Any) -> None:
    weight = torch.ones(_SIDE, _SIDE, requires_grad=True)
    (torch.ones(_SIDE, _SIDE) @ weight).relu().sum().backward()
