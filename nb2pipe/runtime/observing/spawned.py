"""Processes that Python starts anew, rather than by a fork: each observes itself, from what it is given to begin with.

Such a process first unpickles what it has to know of the one that started it. One thing more stands in there, which
is a call that begins to observe.
"""

from __future__ import annotations

import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import
from nb2pipe.runtime.observing.seen import PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable

_MODULES = ("multiprocessing.spawn", "joblib.externals.loky.backend.spawn")
"""Those that make what a process is given, by a function of one name."""

_BEGIN = """\
import sys
sys.path.insert(0, {root!r})
try:
    from nb2pipe.runtime.observing.observer import Observer
    Observer({apart!r}, {folder!r}).begin()
except Exception as error:
    import json, os
    reason = f"a process that it started could not be observed ({{type(error).__name__}})"
    try:
        with open(os.path.join({folder!r}, f"{prefix}{{os.getpid()}}.jsonl"), "a") as notes:
            notes.write(json.dumps(["reasons", reason, None]) + chr(10))
    except OSError:
        pass
finally:
    sys.path.remove({root!r})
"""
"""Where that fails, the author's program goes on, and a reason is noted that keeps the step from being reused."""


def begin(root: str, apart: tuple[str, ...], folder: str) -> str:
    """The code that begins to observe a process which was started anew.

    Args:
        root: The folder that nb2pipe lies in.
        apart: Folders whose files do not count.
        folder: For what is seen.
    """
    return _BEGIN.format(root=root, apart=apart, folder=folder, prefix=PREFIX)


class _Call:
    """What is unpickled as a call of `exec`, with a text; nb2pipe need not be installed there."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self._text, {})


def watch_processes(where: Callable[[], tuple[tuple[str, ...], str] | None]) -> None:
    """Has processes that are started from now on observe themselves.

    Args:
        where: The folders whose files do not count, and the folder for what is seen; None while nobody observes.
    """
    for module in _MODULES:
        after_import(module, functools.partial(_wrap, module, where))


def _wrap(module: str, where: Callable[[], tuple[tuple[str, ...], str] | None]) -> None:
    holder: Any = sys.modules[module]
    plain = holder.get_preparation_data

    @functools.wraps(plain)
    def get_preparation_data(*arguments: Any, **keywords: Any) -> Any:
        found, place = plain(*arguments, **keywords), where()
        if place is None or not isinstance(found, dict):
            return found
        root = str(Path(__file__).resolve().parents[3])
        return {**found, "nb2pipe": _Call(begin(root, *place))}

    holder.get_preparation_data = get_preparation_data
