"""The process that runs a step notebook through papermill, which belongs to the requirements of such a bundle."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from importlib import import_module

_FAILED = 5
_PATIENCE = 5.0
"""Seconds that a kernel gets to end."""


def main() -> None:
    """Runs the notebook that the line on the standard input names.

    Raises:
        SystemExit: It failed.
    """
    told = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_program, daemon=True).start()
    papermill = import_module("papermill")
    try:
        papermill.execute_notebook(
            told["notebook"],
            told["out"],
            parameters=told["parameters"],
            kernel_name=told["kernel"],
            language="python",
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
        )
    except papermill.PapermillExecutionError:
        raise SystemExit(_FAILED) from None


def _end_with_the_program() -> None:
    """Ends the kernel and this process when nobody holds the other end of the standard input any more."""
    with suppress(OSError, ValueError):
        while sys.stdin.read(1 << 16):
            pass
    os.kill(os.getpid(), signal.SIGTERM)  # it ends its kernel
    time.sleep(_PATIENCE)
    os._exit(1)
