"""Secrets of a step's own code, such as those that it takes into the environment out of a `.env` file.

Whoever runs the step has to know them before it hears what the code prints. They go through a pipe with a name, so that
none ever lies on a disk; where nobody listens, nothing is told.
"""

from __future__ import annotations

import os
from contextlib import suppress
from json import dumps
from typing import TYPE_CHECKING, Any

from nb2pipe.records.values import is_secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.records.masking import Masking

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


def secrets_in(variables: Mapping[str, Any]) -> Masking:
    """What replaces the secrets among variables, and those of the environment."""
    from nb2pipe.records.masking import masking_of, masking_of_environment  # noqa: PLC0415  # few steps need it

    known = ((name, value) for name, value in dict(variables).items() if isinstance(value, str | int | dict))
    named = {name: value for name, value in known if is_secret(name)}
    return masking_of(named) | masking_of_environment(os.environ)
