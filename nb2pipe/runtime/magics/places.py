"""`%cd`, `%env`, `%%writefile` and `%precision` for modules."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_SECRET = ("key", "token", "secret")

_visited: list[Path] = []
"""The folders that this process has been in, for `%cd -`; empty until the first change."""


class UsageError(Exception):
    """A magic was given what it does not take; IPython's has the same name."""


def change_folder(path: str = "", *, quiet: bool = False) -> None:
    """`%cd`: changes the working directory, and prints it.

    Args:
        path: The folder; `-` is the one before, nothing is the user's home.
        quiet: Prints nothing.

    Raises:
        UsageError: There was no folder before.
    """
    if not _visited:
        _visited.append(Path.cwd())
    if path == "-":
        if len(_visited) == 1:
            raise UsageError("%cd -: No previous directory to change to.")
        path = str(_visited[-2])
    try:
        os.chdir(Path(path).expanduser() if path else Path.home())
    except OSError as error:
        print(error)  # noqa: T201  # as IPython does
    else:
        _visited.append(Path.cwd())
    if not quiet:
        print(_visited[-1])  # noqa: T201


def current_folder() -> str:
    """`%pwd`: the working directory."""
    return os.getcwd()  # noqa: PTH109  # a text, as IPython gives it


def environment(text: str = "") -> str | dict[str, str] | None:
    """`%env`: the value of a variable, or all of them; a text that holds a value sets it.

    Raises:
        UsageError: There is no such variable.
    """
    name = text.strip()
    if not name:
        hidden = {key for key in os.environ if any(word in key.lower() for word in _SECRET)}
        return {key: "<hidden>" if key in hidden else value for key, value in os.environ.items()}
    if "=" in text or " " in text:
        set_environment(text)
        return None
    if name not in os.environ:
        raise UsageError(f"Environment does not have key: {name}")
    return os.environ[name]


def set_environment(text: str) -> None:
    """`%env NAME=VALUE` and `%set_env NAME VALUE`: sets a variable, and prints it.

    Raises:
        UsageError: It is not of that form.
    """
    parts = text.split("=" if "=" in text else " ", 1)
    if len(parts) == 1:
        raise UsageError("usage is 'set_env var=val'")
    name, value = (part.strip() for part in parts)
    if any(character.isspace() for character in name):
        raise UsageError(f"refusing to set env var with whitespace: '{value}'")
    os.environ[name] = value
    print(f"env: {name}={value}")  # noqa: T201


def write_file(path: str, text: str, *, append: bool = False) -> None:
    """`%%writefile`: writes a text, and prints that it did.

    Args:
        path: The file.
        text: Begins with a line end that is not written.
        append: The text is written after what the file holds.
    """
    file = Path(os.path.expanduser(path))  # noqa: PTH111  # an unknown user is left as it is
    verb = "Writing" if not file.exists() else "Appending to" if append else "Overwriting"
    print(verb, os.path.expanduser(path))  # noqa: PTH111, T201
    with file.open("a" if append else "w", encoding="utf-8") as opened:
        opened.write(body(text))


def set_precision(text: str = "") -> None:
    """`%precision`: how NumPy prints numbers.

    Modules may import NumPy later than the notebook does, so it need not have been imported yet.

    Raises:
        ValueError: It is neither a number nor a format.
    """
    if "%" in text:
        return
    try:
        digits = int(text) if text else 8
    except ValueError:
        raise ValueError(f"Precision must be int or format string, not {text!r}") from None
    if digits < 0:
        raise ValueError(f"int precision must be non-negative, not {digits!r}")
    with contextlib.suppress(ImportError):
        import numpy as np

        np.set_printoptions(precision=digits)


def body(text: str) -> str:
    r"""A cell magic's body as IPython has it, of the string that stands in a module.

    >>> body("\na\nb")
    'a\nb\n'
    """
    text = text.removeprefix("\n")
    return text if text.endswith("\n") else f"{text}\n"
