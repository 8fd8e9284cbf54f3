"""Secrets that a step's own code takes into the environment, such as those of a `.env` file.

Whoever runs the step has to know them before it hears what the code prints. They go through a pipe with a name, so that
none ever lies on a disk; where nobody listens, nothing is told.
"""

from __future__ import annotations

import os
from contextlib import suppress
from json import dumps
from typing import TYPE_CHECKING

from nb2pipe.records.values import is_secret

if TYPE_CHECKING:
    from pathlib import Path

PIPE = "secrets"
"""The pipe's name, beside a step's result."""


class NewSecrets:
    """Tells of the values of variables with secret names that were not there when the process began.

    Args:
        pipe: The pipe.
    """

    def __init__(self, pipe: Path) -> None:
        self._pipe = str(pipe)
        self._known = {value for name, value in os.environ.items() if is_secret(name)}

    def look(self) -> None:
        """Looks at all variables: some may have come with what earlier steps left."""
        for name, value in os.environ.items():
            self.take(name, value)

    def take(self, name: str, value: str) -> None:
        """A variable is being set."""
        if not is_secret(name) or value in self._known:
            return
        self._known.add(value)
        with suppress(OSError):  # nobody listens
            pipe = os.open(self._pipe, os.O_WRONLY | os.O_NONBLOCK)
            try:
                os.write(pipe, dumps({name: value}).encode() + b"\n")
            finally:
                os.close(pipe)
