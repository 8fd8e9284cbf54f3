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
_MOST_ERRORS = 10
"""Of what went wrong, as much is kept."""


class Follows(Protocol):
    """Hears of training loops."""

    def backward(self, tensors: Any, gradients: Any, /) -> None: ...  # noqa: D102
    def apart(self, tensors: Any, inputs: Any, gradients: Any, graph: Any, /) -> None: ...  # noqa: D102
    def scaled(self, outputs: Any, result: Any, /) -> None: ...  # noqa: D102
    def zeroes(self, optimizer: Any, /) -> None: ...  # noqa: D102
    def begins_step(self, optimizer: Any, /) -> None: ...  # noqa: D102
    def ends_step(self, optimizer: Any, /) -> None: ...  # noqa: D102
    def asks(self, iterator: Any, /) -> None: ...  # noqa: D102
    def gives(self, iterator: Any, data: Any, /) -> None: ...  # noqa: D102


class NotesFiles(Protocol):
    """Hears of files that are saved."""

    def begins(self, file: Any) -> None: ...  # noqa: D102
    def ends(self, file: Any, *, whole: bool) -> None: ...  # noqa: D102
    def renamed(self, source: str, target: str) -> None: ...  # noqa: D102


_loops: list[Follows] = []
_saves: list[NotesFiles] = []
"""Who listens; at most one each."""
_errors: list[str] = []
"""What went wrong since."""
_deaf: list[str] = []
"""Functions of loops that could not be made to tell, whatever happens in them."""
_torch: list[Any] = []
_installed: set[str] = set()


def listen(follows: Follows, notes: NotesFiles) -> None:
    """From now on, what loops do and what is saved is told."""
    install()
    _loops[:] = [follows]
    _saves[:] = [notes]
    _errors.clear()


def stop_listening(follows: Follows, notes: NotesFiles) -> None:
    """Nothing is told to them any more."""
    _loops[:] = [each for each in _loops if each is not follows]
    _saves[:] = [each for each in _saves if each is not notes]


def errors(*, trained: bool = True) -> tuple[str, ...]:
    """Why something could not be recorded since somebody listens, each reason once.

    Args:
        trained: An optimizer has stepped, so that functions matter which cannot be followed.
    """
    return tuple(dict.fromkeys([*_errors, *(_deaf if trained else ())]))


def install() -> None:
    """Puts the hooks into what is imported, and into the rest once it is; nothing is told before `listen`."""
    if "torch" in _installed:
        return
    _installed.add("torch")
    after_import("torch", lambda: _torch.append(sys.modules["torch"]))
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_loops.clear)
        os.register_at_fork(after_in_child=_saves.clear)
    _follows("torch.autograd", "backward", Told(names=("tensors", "grad_tensors"), before=_tells("backward")))
    apart = ("outputs", "inputs", "grad_outputs", "create_graph")
    _follows("torch.autograd", "grad", Told(names=apart, before=_tells("apart")))
    _follows("torch.amp.grad_scaler", "GradScaler.scale", Told(names=("outputs",), result=_passes_on("scaled")))
    given = Told(names=("self",), before=_tells("asks"), result=_passes_on("gives"))
    _follows("torch.utils.data.dataloader", "_BaseDataLoaderIter.__next__", given)
    optimizers = "torch.optim.optimizer"
    _follows(optimizers, "Optimizer.zero_grad", Told(names=("self",), before=_tells("zeroes")))
    for name, hook in (("_global_optimizer_pre_hooks", "begins_step"), ("_global_optimizer_post_hooks", "ends_step")):
        _change(optimizers, name, partial(_add_hook, _tells(hook, count=1)))
    for module, name, argument in _SAVING:
        _inserts(module, name, Told(names=(argument,), around=_Saving))


def _inserts(module: str, name: str, told: Told) -> None:
    _change(module, name, lambda function: insert(function, told))


def _follows(module: str, name: str, told: Told) -> None:
    """As `_inserts`, of a function without which a loop is known in part only."""

    def change(function: Any) -> None:
        try:
            insert(function, told)
        except ValueError as error:
            _deaf.append(f"`{module}.{name}` cannot be followed: {error}")

    _change(module, name, change)


def _add_hook(hook: Callable[..., None], hooks: Any) -> None:
    hooks[_KEY] = hook


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


def _tells(name: str, count: int | None = None) -> Callable[..., None]:
    """What tells who listens of a call, but for those that torch makes to compile code rather than to run it.

    Args:
        name: What is called.
        count: How many of the arguments are of interest; all by default.
    """

    def tell(*arguments: Any) -> None:
        if _loops and not _torch[0].compiler.is_compiling():
            try:
                getattr(_loops[0], name)(*arguments[:count])
            except Exception as error:  # noqa: BLE001
                _note(_loops, error)

    return tell


def _passes_on(name: str) -> Callable[..., Any]:
    """As `_tells`, for a result."""

    def pass_on(given: Any, result: Any) -> Any:
        if _loops and not _torch[0].compiler.is_compiling():
            try:
                getattr(_loops[0], name)(given, result)
            except Exception as error:  # noqa: BLE001
                _note(_loops, error)
        return result

    return pass_on


class _Saving:
    """The context in which a file is saved."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> None:
        if _saves:
            try:
                _watch_names()
                _saves[0].begins(self._file)
            except Exception as error:  # noqa: BLE001
                _note(_saves, error)

    def __exit__(self, kind: object, _error: object, _trace: object) -> None:
        if _saves:
            try:
                _saves[0].ends(self._file, whole=kind is None)
            except Exception as error:  # noqa: BLE001
                _note(_saves, error)


def _watch_names() -> None:
    """Has renamed files told, in a process that saves any: to hear of it costs time with all that Python does."""
    if "names" not in _installed:
        _installed.add("names")
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "os.rename" or not _saves:
        return
    try:
        source, target = (os.path.abspath(os.fsdecode(each)) for each in arguments[:2])  # noqa: PTH100
        _saves[0].renamed(source, target)
    except Exception as error:  # noqa: BLE001
        _note(_saves, error)


def _note(who: list[Any], error: Exception) -> None:
    """The author's code must not fail because of us: what cannot be recorded is left out."""
    _log.debug("a call could not be followed", exc_info=error)
    if len(_errors) < _MOST_ERRORS:
        _errors.append(f"{type(error).__name__}: {error}")
    if who is _loops and isinstance(error, OSError):  # there is no space for rows
        who.clear()
