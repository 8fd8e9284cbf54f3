"""What the text of modules calls where the notebook has IPython syntax: it prints and gives what IPython does."""

from __future__ import annotations

from nb2pipe.runtime.display import display, get_ipython
from nb2pipe.runtime.magics.commands import run_script, run_shell, shell_lines
from nb2pipe.runtime.magics.places import (
    UsageError,
    change_folder,
    current_folder,
    environment,
    set_environment,
    set_precision,
    write_file,
)
from nb2pipe.runtime.magics.printed import captured
from nb2pipe.runtime.magics.timing import time_calls, timed, timing

__all__ = [
    "UsageError",
    "captured",
    "change_folder",
    "current_folder",
    "display",
    "environment",
    "get_ipython",
    "run_script",
    "run_shell",
    "set_environment",
    "set_precision",
    "shell_lines",
    "time_calls",
    "timed",
    "timing",
    "write_file",
]
