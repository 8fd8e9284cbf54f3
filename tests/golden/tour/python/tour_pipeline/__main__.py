"""The pipeline `tour` in one process: `python -m tour_pipeline --help`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.runtime.program import run_pipeline

if TYPE_CHECKING:
    from nb2pipe.runtime.program import Run


def pipeline(
    run: Run,
    *,
    factor: float = 2.0,
    count: int = 5,
    title: str = "a tour",
) -> None:
    """Every tag, small and quick."""
    load = run("load", count=count, title=title)
    scale = run("scale", numbers=load.numbers, factor=factor)
    summary = run("summary", big=scale.big)
    run("side", numbers=load.numbers)
    given_step = run("halving/given", big=scale.big)
    halve = run("halving/halve", given=given_step.given, factor=factor)
    if run.passes("summary"):
        run("publish", halves=halve.halves, largest=summary.largest, mean=summary.mean)


if __name__ == "__main__":
    sys.exit(run_pipeline("tour_pipeline", pipeline))
