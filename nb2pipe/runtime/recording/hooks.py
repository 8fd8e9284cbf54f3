"""Has torch, and what saves models, tell of what training loops do.

This is done once a process, when the library is imported, and stays. What is told goes to who listens; where nobody
does, and in processes that were forked from this one, it costs next to nothing.
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from nb2pipe.runtime.imports import after_import
from nb2pipe.runtime.recording.inserted import Told, insert

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)
_KEY = "nb2pipe"
_SAVING = (
    ("torch.serialization", "save", "f"),
    ("torch.jit._serialization", "save", "f"),
    ("torch.jit._script", "RecursiveScriptModule.save", "f"),
    ("torch.export", "save", "f"),
    ("safetensors.torch", "save_file", "filename"),
    ("safetensors.numpy", "save_file", "filename"),
    ("safetensors.flax", "save_file", "filename"),
)
"""The module that has it, its name, and the name of its path."""


class Follows(Protocol):
    """Hears of training loops."""

    def backward(self, tensors: Any, gradients: Any) -> None: ...  # noqa: D102
    def scaled(self, outputs: Any, result: Any) -> None: ...  # noqa: D102
    def begins_step(self, optimizer: Any) -> None: ...  # noqa: D102
    def ends_step(self, optimizer: Any) -> None: ...  # noqa: D102
    def asks(self, iterator: Any) -> None: ...  # noqa: D102
    def gives(self, iterator: Any, data: Any) -> None: ...  # noqa: D102


class NotesFiles(Protocol):
    """Hears of files that are saved."""

    def begins(self, file: Any) -> None: ...  # noqa: D102
    def ends(self, file: Any, *, whole: bool) -> None: ...  # noqa: D102


_loops: list[Follows] = []
_saves: list[NotesFiles] = []
"""Who listens; at most one each."""
_torch: list[Any] = []
_installed: list[bool] = []


def listen(follows: Follows, notes: NotesFiles) -> None:
    """From now on, what loops do and what is saved is told."""
    install()
    _loops[:] = [follows]
    _saves[:] = [notes]


def stop_listening(follows: Follows, notes: NotesFiles) -> None:
    """Nothing is told to them any more."""
    _loops[:] = [each for each in _loops if each is not follows]
    _saves[:] = [each for each in _saves if each is not notes]


def install() -> None:
    """Puts the hooks into what is imported, and into the rest once it is; nothing is told before `listen`."""
    if _installed:
        return
    _installed.append(True)
    after_import("torch", lambda: _torch.append(sys.modules["torch"]))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_loops.clear)
        os.register_at_fork(after_in_child=_saves.clear)
    told = Told(names=("tensors", "grad_tensors"), before=_backward)
    _change("torch.autograd", "backward", lambda function: insert(function, told))
    scaled = Told(names=("outputs",), result=_scaled)
    _change("torch.amp.grad_scaler", "GradScaler.scale", lambda function: insert(function, scaled))
    given = Told(names=("self",), before=_asks, result=_gives)
    _change("torch.utils.data.dataloader", "_BaseDataLoaderIter.__next__", lambda function: insert(function, given))
    _change("torch.optim.optimizer", "_global_optimizer_pre_hooks", lambda hooks: hooks.update({_KEY: _begins_step}))
    _change("torch.optim.optimizer", "_global_optimizer_post_hooks", lambda hooks: hooks.update({_KEY: _ends_step}))
    for module, name, argument in _SAVING:
        _change(module, name, partial(_watch_saving, argument))


def _watch_saving(argument: str, function: Any) -> None:
    insert(function, Told(names=(argument,), around=_Saving))


def _change(module: str, name: str, change: Callable[[Any], None]) -> None:
    """Changes something in a module once it is imported; another version of a library, without it, is left alone."""

    def act() -> None:
        found: Any = sys.modules[module]
        with suppress(AttributeError, ValueError):
            for part in name.split("."):
                found = getattr(found, part)
            change(found)

    after_import(module, act)


# -- what is put into the functions; nothing here may change what the author's code does


def _compiles() -> bool:
    """Whether torch looks at the code to compile it, rather than running it."""
    return bool(_torch[0].compiler.is_compiling())


def _backward(tensors: Any, gradients: Any) -> None:
    if _loops and not _compiles():
        try:
            _loops[0].backward(tensors, gradients)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)


def _scaled(outputs: Any, result: Any) -> Any:
    if _loops and not _compiles():
        try:
            _loops[0].scaled(outputs, result)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)
    return result


def _begins_step(optimizer: Any, _arguments: Any, _keywords: Any) -> None:
    if _loops and not _compiles():
        try:
            _loops[0].begins_step(optimizer)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)


def _ends_step(optimizer: Any, _arguments: Any, _keywords: Any) -> None:
    if _loops and not _compiles():
        try:
            _loops[0].ends_step(optimizer)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)


def _asks(iterator: Any) -> None:
    if _loops:
        try:
            _loops[0].asks(iterator)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)


def _gives(iterator: Any, data: Any) -> Any:
    if _loops:
        try:
            _loops[0].gives(iterator, data)
        except Exception as error:  # noqa: BLE001
            _give_up(_loops, error)
    return data


class _Saving:
    """The context in which a file is saved."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> None:
        if _saves:
            try:
                _saves[0].begins(self._file)
            except Exception as error:  # noqa: BLE001
                _give_up(_saves, error)

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if _saves:
            try:
                _saves[0].ends(self._file, whole=kind is None)
            except Exception as error:  # noqa: BLE001
                _give_up(_saves, error)


def _give_up(who: list[Any], error: Exception) -> None:
    """The author's code must not fail because of us: what cannot be recorded is left out, from here on."""
    _log.debug("training is not recorded any more", exc_info=error)
    who.clear()
