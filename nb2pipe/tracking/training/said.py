"""What a training shows and logs, kept in a file beside its checkpoints, so that one that goes on shows all of it.

A line is a JSON list: `["stdout", TEXT]`, `["stderr", TEXT]`, `["display", {...}]`, `["clear", WAIT]`,
`["log", NUMBERS, INDEX, TIME]`, `["params", VALUES]`. A checkpoint says how much of the file belongs to it.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nb2pipe.records.masking import Masking

FILE = "said.jsonl"

_STREAMS = ("stdout", "stderr")
_open: list[Said] = []
"""Those of the trainings that run in this process, the innermost last."""


class Said:
    """What one training shows and logs.

    Args:
        folder: That of its checkpoints; it is made if it is not there.
        secrets: What is not kept.

    Attributes:
        muted: What is shown and logged now was shown and logged before, and is dropped.
    """

    def __init__(self, folder: Path, secrets: Masking) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._secrets = secrets
        self._path = folder / FILE
        self._process = os.getpid()
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        self._undo: list[Callable[[], None]] = []
        self.muted = False

    @staticmethod
    def size_in(folder: Path) -> int:
        """How much of such a file is in a folder."""
        try:
            return (folder / FILE).stat().st_size
        except OSError:
            return -1

    @property
    def offset(self) -> int:
        """How much of the file is written."""
        return os.fstat(self._handle).st_size

    def begin(self, offset: int = 0) -> Iterator[list[Any]]:
        """From now on it takes what is shown.

        Args:
            offset: What of the file still counts; the rest is dropped.

        Returns:
            What counts, entry by entry; whoever takes it shows it again.
        """
        os.ftruncate(self._handle, offset)
        lines = os.pread(self._handle, offset, 0).splitlines()
        for name in _STREAMS:
            self._watch(name)
        self._watch_display()
        _open.append(self)
        return map(json.loads, lines)

    def show(self, entry: list[Any]) -> None:
        """Shows something again, without taking it anew."""
        kind, *rest = entry
        before, self._process = self._process, -1
        try:
            if kind in _STREAMS:
                getattr(sys, kind).write(rest[0])
            elif kind == "display":
                _publisher().publish(**rest[0])
            elif kind == "clear":
                _publisher().clear_output(*rest)
        finally:
            self._process = before

    def note(self, *entry: object) -> None:
        """Takes an entry; an error of the disk is the checkpoints' to tell."""
        with suppress(OSError, TypeError, ValueError):
            os.write(self._handle, json.dumps(self._secrets.value(entry)).encode() + b"\n")

    def end(self) -> None:
        """It takes nothing any more."""
        if self in _open:
            _open.remove(self)
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        with suppress(OSError):
            os.close(self._handle)

    @property
    def is_here(self) -> bool:
        """Whether this is the process of the training, rather than a worker that it forked."""
        return self._process == os.getpid()

    def _watch(self, name: str) -> None:
        stream = getattr(sys, name)
        plain = stream.write

        def write(text: str) -> Any:
            if not self.is_here:
                return plain(text)
            if self.muted:
                return len(text)
            self.note(name, text)
            return plain(text)

        self._set(stream, "write", write)

    def _watch_display(self) -> None:
        publisher = _publisher()
        if publisher is None:
            return
        publish, clear = publisher.publish, publisher.clear_output

        def published(data: Any, metadata: Any = None, **more: Any) -> None:
            if self.is_here and self.muted:
                return
            if self.is_here:
                kept = {key: value for key, value in more.items() if key in {"transient", "update"}}
                self.note("display", {"data": data, "metadata": metadata, **kept})
            publish(data, metadata, **more)

        def cleared(wait: bool = False) -> None:  # noqa: FBT001, FBT002  # as IPython has it
            if self.is_here and self.muted:
                return
            if self.is_here:
                self.note("clear", wait)
            clear(wait)

        self._set(publisher, "publish", published)
        self._set(publisher, "clear_output", cleared)

    def _set(self, owner: Any, name: str, value: Any) -> None:
        """Sets a method of one object; all who hold the object see it."""
        before = vars(owner).get(name) if hasattr(owner, "__dict__") else None
        try:
            setattr(owner, name, value)
        except AttributeError:  # it takes no attributes, so it is not heard
            return
        self._undo.append(lambda: delattr(owner, name) if before is None else setattr(owner, name, before))


def is_muted() -> bool:
    """Whether what is logged now was logged before."""
    return any(each.muted and each.is_here for each in _open)


def note_log(values: Mapping[str, float], index: int | None, time: float) -> None:
    """Keeps numbers that code logs."""
    for each in _open:
        if each.is_here:
            each.note("log", dict(values), index, time)


def note_params(values: Mapping[str, Any]) -> None:
    """Keeps parameters that code notes."""
    for each in _open:
        if each.is_here:
            each.note("params", masked(values))


def _publisher() -> Any:
    """IPython's, in a kernel."""
    module = sys.modules.get("IPython.core.getipython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "display_pub", None) if hasattr(shell, "kernel") else None
