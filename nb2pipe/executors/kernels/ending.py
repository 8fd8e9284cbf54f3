"""The end of a forked kernel: what a program does as it ends, without taking apart what the parent imported.

Python's own way clears every module, and copies the parent's memory for that: a second with torch and scikit-learn.
Here only the author's variables and modules are cleared. Whatever they hold ends as it does in Python.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import io
import os
import sys
import threading
import weakref
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from nb2pipe.executors.kernels.early import is_installed
from nb2pipe.runtime import session

if TYPE_CHECKING:
    import socket

_LAST = ("last_type", "last_value", "last_traceback", "last_exc")
"""What Python keeps in `sys` of the last error, with all that its frames hold."""


def end(told: socket.socket) -> NoReturn:
    """Ends this process, which is a kernel whose loop has ended.

    Args:
        told: Hears that there is nothing left to wait for: the system takes a while to clear the memory away.
    """
    threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001  # waits for threads, and ends pools of them
    atexit._run_exitfuncs()  # noqa: SLF001  # IPython's clears the author's variables
    for name in _LAST:
        vars(sys).pop(name, None)
    session._sessions.clear()  # noqa: SLF001  # what the step was given
    for name, module in list(sys.modules.items()):
        if _is_authors(name, module):
            _clear(vars(module))
    gc.collect()
    _flush()
    told.send(b'{"ended": 0}')
    os._exit(0)  # as processes of `multiprocessing` end


def disown() -> None:
    """Leaves to the parent what the imports made there, such as temporary folders: all kernels share it.

    It is called right after the fork.
    """
    for each in list(weakref.finalize._registry):  # type: ignore[attr-defined]  # noqa: SLF001  # nothing else lists them
        each.atexit = False


def _is_authors(name: str, module: object) -> bool:
    ours = name.partition(".")[0] in {"nb2pipe", "__main__"}
    return not ours and type(module) is ModuleType and not is_installed(getattr(module, "__file__", None))


def _clear(names: dict[str, object]) -> None:
    """As Python does it: first what begins with an underscore, and the builtins not at all."""
    for private in (True, False):
        for name in list(names):
            if name.startswith("_") is private and name != "__builtins__":
                names[name] = None


def _flush() -> None:
    """Writes out files that nobody closed, and that something of the parent's still holds."""
    ctypes.CDLL(None).fflush(None)
    for each in gc.get_objects():
        if isinstance(each, io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom):
            with suppress(ValueError, OSError):  # it is closed, or its other end is
                each.flush()
