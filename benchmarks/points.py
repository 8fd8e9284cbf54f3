"""Logs points of one series with one tool, and prints how long that took: `python benchmarks/points.py TOOL COUNT`.

It runs in the environment of the tool, so that it imports nothing else. What is printed is JSON: the microseconds a
point that the loop waits, and those until all of it is written.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Log = Callable[[float, int], object]
    Close = Callable[[], object]

BATCH = 1000


def nb2pipe(folder: Path) -> tuple[Log, Close]:
    """`track.log` in a step."""
    from nb2pipe import track  # noqa: PLC0415  # other tools' environments lack it
    from nb2pipe.runtime.journal import Journal  # noqa: PLC0415

    journal = Journal(folder / "points.jsonl", folder / "series")
    journal.begin()
    return lambda value, step: track.log({"loss": value}, step=step), journal.end


def tensorboard(folder: Path) -> tuple[Log, Close]:
    """`SummaryWriter` of torch."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))
    return lambda value, step: writer.add_scalar("loss", value, step), writer.close


def mlflow(folder: Path) -> tuple[Log, Close]:
    """`mlflow.log_metric` into its SQLite store, one by one."""
    client = _mlflow(folder)
    return lambda value, step: client.log_metric("loss", value, step=step), client.end_run


def mlflow_later(folder: Path) -> tuple[Log, Close]:
    """The same, with a thread that writes: `synchronous=False`."""
    client = _mlflow(folder)

    def close() -> None:
        client.flush_async_logging()
        client.end_run()

    return lambda value, step: client.log_metric("loss", value, step=step, synchronous=False), close


def mlflow_batches(folder: Path) -> tuple[Log, Close]:
    """`MlflowClient.log_batch` of a thousand points each, which the author of the loop gathers."""
    mlflow = _mlflow(folder)
    from mlflow.entities import Metric

    client, run, waiting = mlflow.MlflowClient(), mlflow.active_run().info.run_id, []

    def log(value: float, step: int) -> None:
        waiting.append(Metric("loss", value, int(time.time() * 1000), step))
        if len(waiting) == BATCH:
            client.log_batch(run, waiting)
            waiting.clear()

    return log, mlflow.end_run


def aim(folder: Path) -> tuple[Log, Close]:
    """`Run.track` of Aim."""
    from aim import Run  # noqa: PLC0415  # only its own environment has it

    run = Run(repo=str(folder), capture_terminal_logs=False, system_tracking_interval=None)
    return lambda value, step: run.track(value, name="loss", step=step), run.close


def _mlflow(folder: Path) -> Any:
    import mlflow as library

    library.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    library.set_experiment("points")
    library.start_run()
    return library


TOOLS: dict[str, Callable[[Path], tuple[Log, Close]]] = {
    each.__name__: each for each in (nb2pipe, tensorboard, mlflow, mlflow_later, mlflow_batches, aim)
}


def main(tool: str, count: int) -> None:
    """Logs so many points."""
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        log, close = TOOLS[tool](Path(name))
        log(0.0, 0)
        begin = time.perf_counter()
        for step in range(1, count + 1):
            log(1 / step, step)
        waited = time.perf_counter()
        close()
        end = time.perf_counter()
        print(json.dumps({"loop": (waited - begin) / count * 1e6, "written": (end - begin) / count * 1e6}), flush=True)
        shutil.rmtree(name, ignore_errors=True)
        os._exit(0)  # threads of some tools go on, and would miss their files


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
