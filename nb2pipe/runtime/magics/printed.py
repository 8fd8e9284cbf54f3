"""`%%capture` for modules, and the lists of lines that `x = !command` gives."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class captured:  # noqa: N801  # it is called like a function
    """`%%capture`: keeps what is printed.

    Args:
        stdout: What goes to standard output.
        stderr: What goes to standard error.
    """

    def __init__(self, *, stdout: bool = True, stderr: bool = True) -> None:
        self._kept = {name: io.StringIO() for name, wanted in (("stdout", stdout), ("stderr", stderr)) if wanted}
        self._before: dict[str, Any] = {}

    def __enter__(self) -> Any:
        """Begins; what was kept, as IPython gives it."""
        self._before = {name: getattr(sys, name) for name in self._kept}
        for name, stream in self._kept.items():
            setattr(sys, name, stream)
        return _captured_type()(self._kept.get("stdout"), self._kept.get("stderr"), [])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends."""
        for name, stream in self._before.items():
            setattr(sys, name, stream)


class Captured:
    """What was printed, where there is no IPython.

    Args:
        stdout: Standard output, if it was kept.
        stderr: Standard error, if it was kept.
        outputs: Nothing: modules display nothing.
    """

    def __init__(self, stdout: io.StringIO | None, stderr: io.StringIO | None, outputs: list[Any]) -> None:
        self._stdout, self._stderr, self.outputs = stdout, stderr, outputs

    @property
    def stdout(self) -> str:
        """What went to standard output."""
        return self._stdout.getvalue() if self._stdout else ""

    @property
    def stderr(self) -> str:
        """What went to standard error."""
        return self._stderr.getvalue() if self._stderr else ""

    def __str__(self) -> str:
        return self.stdout

    def show(self) -> None:
        """Prints it."""
        sys.stdout.write(self.stdout)
        sys.stderr.write(self.stderr)
        sys.stdout.flush()
        sys.stderr.flush()

    __call__ = show


class Lines(list[str]):
    """The lines that a command printed, where there is no IPython: `.n`, `.s`, `.l` and `.p` are its `SList`'s."""

    @property
    def list(self) -> Lines:
        """The lines themselves."""
        return self

    @property
    def nlstr(self) -> str:
        """One text, of lines."""
        return "\n".join(self)

    @property
    def spstr(self) -> str:
        """One text, of words."""
        return " ".join(self)

    @property
    def paths(self) -> list[Path]:  # type: ignore[valid-type]  # `list` is the property above, as in IPython
        """Those that are paths of something."""
        return [Path(line) for line in self if line and Path(line).exists()]

    l = list  # noqa: A003, E741  # IPython's names
    n = nlstr
    s = spstr
    p = paths

    def grep(
        self,
        pattern: str | Callable[[str], object],
        prune: bool = False,  # noqa: FBT001, FBT002  # as IPython has it
        field: int | None = None,
    ) -> Lines:
        """The lines that a pattern is in.

        Args:
            pattern: A regular expression, or a function that tells.
            prune: Takes the others instead.
            field: Looks at this word of a line only.
        """
        found = _finder(pattern) if isinstance(pattern, str) else pattern
        return Lines(line for line in self if bool(found(_word(line, field))) is not bool(prune))

    def fields(self, *fields: int) -> Any:
        """Some words of each line, joined; all words as lists where none is named."""
        if not fields:
            return [line.split() for line in self]
        rows = ([words[field] for field in fields if -len(words) <= field < len(words)] for words in self.fields())
        return Lines(" ".join(row) for row in rows if row)


def lines(text: str) -> Any:
    """The lines of a text in IPython's type for them, if it is installed, else in ours."""
    try:
        from IPython.utils.text import SList  # only where a command's lines are kept
    except ImportError:
        return Lines(text.splitlines())
    return SList(text.splitlines())


def _captured_type() -> Callable[[io.StringIO | None, io.StringIO | None, list[Any]], Any]:
    try:
        from IPython.utils.capture import CapturedIO  # only where something is captured
    except ImportError:
        return Captured
    return cast("Callable[[io.StringIO | None, io.StringIO | None, list[Any]], Any]", CapturedIO)


def _finder(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.IGNORECASE).search


def _word(line: str, field: int | None) -> str:
    if field is None:
        return line
    words = line.split()
    return words[field] if -len(words) <= field < len(words) else ""
