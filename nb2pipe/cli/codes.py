"""The diagnostics that exist: files `checks/nbNNN_*.py`, read but not imported; each docstring is documentation."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

_FILE = re.compile(r"(nb\d{3})_\w+\.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documentation:
    """What is known of a code.

    Attributes:
        code: Such as `NB203`.
        title: The first line of the docstring.
        text: The rest.
    """

    code: str
    title: str
    text: str


def documented_codes() -> tuple[Documentation, ...]:
    """All codes, sorted."""
    found = dict(_check_files(files("nb2pipe")))
    return tuple(_documentation(code, file) for code, file in sorted(found.items()))


def documented_code(code: str) -> Documentation:
    """The documentation of a code, in capitals or not.

    Raises:
        UsageError: There is no such code; the hint suggests one.
    """
    found = dict(_check_files(files("nb2pipe")))
    wanted = code.strip().upper()
    wanted = f"NB{wanted}" if wanted.isdecimal() else wanted
    if wanted in found:
        return _documentation(wanted, found[wanted])
    close = [known for known in sorted(found) if _is_slip(wanted, known)]
    hint = f"did you mean `{close[0]}`?" if close else "`nb2pipe explain` lists all codes"
    raise UsageError(f"there is no diagnostic `{code}`", hint=hint)


def _is_slip(typed: str, known: str) -> bool:
    """Whether one letter differs, or two have changed places.

    >>> _is_slip("NB302", "NB203"), _is_slip("NB204", "NB203"), _is_slip("NB1", "NB101")
    (True, True, False)
    """
    if len(typed) != len(known):
        return False
    return sorted(typed) == sorted(known) or sum(a != b for a, b in zip(typed, known, strict=True)) == 1


def _check_files(package: Traversable) -> Iterator[tuple[str, Traversable]]:
    for area in package.iterdir():
        checks = area / "checks"
        if area.is_dir() and checks.is_dir():
            for file in checks.iterdir():
                if named := _FILE.fullmatch(file.name):
                    yield named[1].upper(), file


def _documentation(code: str, file: Traversable) -> Documentation:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or code
    title, _, text = docstring.partition("\n")
    return Documentation(code=code, title=_bare(code, title), text=text.strip("\n"))


def _bare(code: str, title: str) -> str:
    """The title without the code in front of it.

    >>> _bare("NB203", "NB203: A name is used.")
    'A name is used.'
    """
    bare = title.strip()
    return bare[len(code) :].lstrip(" :-") if bare.upper().startswith(code) else bare
