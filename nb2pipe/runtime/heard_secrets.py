"""Hears of secrets that a step's own code takes into its environment, and masks them from then on."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from nb2pipe.records.masking import masking_of_environment
from nb2pipe.runtime.new_secrets import PIPE

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.records.masking import Masking

_CHUNK = 1 << 16


class HeardSecrets:
    """The listening end of the pipe that a step's process tells them through.

    Args:
        folder: Where the step's result will lie.
        masking: Takes them.
    """

    def __init__(self, folder: Path, masking: Masking) -> None:
        self._masking = masking
        self._rest = b""
        self._pipe: int | None = None
        with suppress(OSError, AttributeError):  # not every file system has pipes
            os.mkfifo(folder / PIPE, 0o600)
            self._pipe = os.open(folder / PIPE, os.O_RDONLY | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        """Listens from now on."""
        return self

    def __exit__(self, *_error: object) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None

    def listen(self) -> None:
        """Takes what was told by now: all that the code set before it printed what is read next."""
        while data := self._read():
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                with suppress(ValueError):
                    self._masking.learned.append(masking_of_environment(json.loads(line)).all)

    def _read(self) -> bytes:
        try:
            return os.read(self._pipe, _CHUNK) if self._pipe is not None else b""
        except BlockingIOError:
            return b""
