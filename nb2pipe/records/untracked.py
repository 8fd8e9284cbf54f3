"""The code of a run that git does not follow: named in the record, and added to the difference to the commit."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.records.surroundings import DIFFERENCE_LIMIT, GitState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LARGEST = 1 << 18
"""Bytes of a file that is added."""
_CELL = re.compile(r"[/\\]ipykernel_\d+[/\\]\d+\.py$")
"""The name that a kernel gives the code of a cell; it lies in the folder of temporary files, which may be anywhere."""
_AFTER_SPACES = "\t"
"""Ends a name with spaces, so that it is known where it ends."""
_QUOTED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def with_code(state: GitState, paths: Iterable[str], notebook: str) -> GitState:
    """The state of a repository, with the code of a run that it does not follow.

    Args:
        state: What git said.
        paths: The modules that the run imported, absolute.
        notebook: The run's, of which the record has a copy, so that the difference need not.

    Returns:
        The same where git follows all of it, or holds no commit.
    """
    if state.record.commit is None:
        return state
    modules = _unknown(state, paths)
    names = sorted({*modules, *_unknown(state, [notebook])})
    if not names:
        return state
    difference, truncated = state.difference, state.record.truncated
    for name in sorted(modules):
        content = _content(state.top / name)
        added = b"" if content is None else _added(name, content)
        fits = bool(added) and not truncated and len(difference) + len(added) <= DIFFERENCE_LIMIT
        difference, truncated = difference + (added if fits else b""), truncated or not fits
    record = replace(state.record, dirty=True, untracked=tuple(names), truncated=truncated)
    return replace(state, record=record, difference=difference)


def _unknown(state: GitState, paths: Iterable[str]) -> set[str]:
    """The paths, from the top of the repository, of files in it that git does not follow."""
    top = os.path.realpath(state.top) + os.sep
    found = (os.path.realpath(path) for path in paths if not _CELL.search(path))
    return {path.removeprefix(top) for path in found if path.startswith(top)} - state.tracked


def _content(path: Path) -> bytes | None:
    """The text of a file; None of one that is no text, is too large, or is gone."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _LARGEST else None
    except OSError:
        return None
    return None if content is None or b"\0" in content else content


def _added(name: str, content: bytes) -> bytes:
    r"""A new file as `git diff` shows it and `git apply` takes it.

    >>> print(_added("a.py", b"x = 1\n").decode(), end="")
    diff --git a/a.py b/a.py
    new file mode 100644
    --- /dev/null
    +++ b/a.py
    @@ -0,0 +1,1 @@
    +x = 1
    """
    head = f"diff --git {_quoted('a/' + name)} {_quoted('b/' + name)}\nnew file mode 100644\n"
    if not content:
        return os.fsencode(f"{head}index 0000000..e69de29\n")
    *lines, last = content.split(b"\n")
    ending = b"\n\\ No newline at end of file\n" if last else b"\n"
    rows = [b"+" + line for line in (*lines, *([last] if last else []))]
    head += f"--- /dev/null\n+++ {_quoted('b/' + name)}{_AFTER_SPACES if ' ' in name else ''}\n"
    head += f"@@ -0,0 +1,{len(rows)} @@\n"
    return os.fsencode(head) + b"\n".join(rows) + ending


def _quoted(name: str) -> str:
    """A name as git writes it in a difference."""
    if not any(letter in name for letter in _QUOTED):
        return name
    return '"' + "".join(_QUOTED.get(letter, letter) for letter in name) + '"'
