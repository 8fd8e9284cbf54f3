"""How a program ends: what it tells of errors of the author's and of ours, and its exit code."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from typing import TYPE_CHECKING

from nb2pipe.errors import INTERRUPTED, Nb2pipeError
from nb2pipe.runtime.display import show_tables_as_in_jupyter
from nb2pipe.runtime.running.told import show, tell, text_of
from nb2pipe.runtime.running.watched import StepFailedError

if TYPE_CHECKING:
    from collections.abc import Callable

_FAILED = 5

_BUG = 70

_PATIENCE = 1.5
"""Seconds that threads and `atexit` functions get after an interrupt."""


def guarded(work: Callable[[], None]) -> int:
    """Does the work; the exit code."""
    _use_streams()
    show_tables_as_in_jupyter()
    try:
        code = _code_of(work)
    except KeyboardInterrupt as error:  # a second one, while the first one is told
        code = _interrupted(error)
    _close_streams()
    return code


def _code_of(work: Callable[[], None]) -> int:
    try:
        work()
    except KeyboardInterrupt as error:
        return _interrupted(error)
    except StepFailedError as failed:
        return _failed(failed)
    except Nb2pipeError as error:
        tell(f"error: {error.message}" + (f"\nhint: {error.hint}" if error.hint else ""))
        return error.exit_code
    except Exception:  # noqa: BLE001  # it is shown as a bug of ours
        traceback.print_exc()
        tell("error: this is a bug of nb2pipe; please report it with the lines above")
        return _BUG
    return 0


def _failed(failed: StepFailedError) -> int:
    error = failed.__cause__
    assert error is not None
    if isinstance(error, SystemExit):
        tell(f"error: {failed}: the cell ended Python: SystemExit({error.code!r})")
        return _FAILED
    if isinstance(error, BrokenPipeError):
        tell(f"error: {failed}: nobody reads its output any more")
        return _FAILED
    show(error)
    text = f"{type(error).__name__}: {text_of(error)}".rstrip(": ")
    tell(f"error: {failed}: {text}")
    if isinstance(error, ModuleNotFoundError) and error.name:
        tell("hint: install what the bundle needs: pip install -r requirements.txt")
    return _FAILED


def _interrupted(error: KeyboardInterrupt) -> int:
    """Says so; threads of the author's do not keep the process alive."""
    timer = threading.Timer(_PATIENCE, os._exit, [INTERRUPTED])
    timer.daemon = True
    timer.start()
    tell(f"interrupted {error}".rstrip())
    return INTERRUPTED


def _use_streams() -> None:
    """Text that a terminal's encoding lacks is written with escapes: it is no error in a notebook either."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _close_streams() -> None:
    """Writes what is left; a reader that went away is no error any more."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None or stream.closed:
            continue
        try:
            stream.flush()
        except OSError:
            devnull = os.open(os.devnull, os.O_WRONLY)
            os.dup2(devnull, stream.fileno())
