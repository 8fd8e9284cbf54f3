"""Imports of a module, merged, sorted and grouped as isort has it."""

from __future__ import annotations

import re
import sys
from itertools import groupby
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.lines import NAMES, bracketed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nb2pipe.codegen.model import Import

_GONE = frozenset(
    (
        "aifc",
        "asynchat",
        "asyncore",
        "audioop",
        "cgi",
        "cgitb",
        "chunk",
        "crypt",
        "distutils",
        "imghdr",
        "imp",
        "lib2to3",
        "mailcap",
        "msilib",
        "nis",
        "nntplib",
        "ossaudiodev",
        "pipes",
        "smtpd",
        "sndhdr",
        "spwd",
        "sunau",
        "telnetlib",
        "uu",
        "xdrlib",
    )
)
"""Modules that were in the standard library of Python 3.11: groups are the same whichever Python converts."""

_STANDARD = sys.stdlib_module_names | _GONE


def import_text(imports: Iterable[Import], *, own: frozenset[str], indent: str = "") -> str:
    """The statements.

    Args:
        imports: In any order; one that stands twice is printed once.
        own: The top-level modules that stand last: the package itself.
        indent: What stands before each line.

    >>> from nb2pipe.codegen.model import Import
    >>> print(import_text([Import(module="torch", name="nn", bound="nn"), Import(module="sys", name=None, bound="sys")],
    ...     own=frozenset()))
    import sys
    <BLANKLINE>
    from torch import nn
    """
    ordered = sorted(set(imports), key=lambda one: (_group(one, own), *_place(one)))
    groups = groupby(ordered, key=lambda one: _group(one, own))
    return "\n\n".join("\n".join(_statements(list(group), indent)) for _, group in groups)


def _group(one: Import, own: frozenset[str]) -> int:
    top = one.module.partition(".")[0]
    if top == "__future__":
        return 0
    if top in own:
        return 3
    return 1 if top in _STANDARD else 2


def _place(one: Import) -> tuple[object, ...]:
    """What imports of one group are sorted by."""
    return one.name is not None, _natural(one.module), one.module, _member(one.name or ""), one.bound


def _member(name: str) -> tuple[object, ...]:
    """Constants come first, then classes, then the others."""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, _natural(name), name


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Letters alike in both cases, and numbers by value."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in parts)


def _statements(group: list[Import], indent: str) -> list[str]:
    """One statement for each `import x`, each renamed name, and all other names of a module."""
    texts: dict[tuple[str, str], list[str]] = {}
    for one in group:
        is_plain = one.name is not None and one.name == one.bound
        texts.setdefault((one.module, "" if is_plain else str(one)), []).append(one.name or "")
    return [_statement(module, text, names, indent) for (module, text), names in texts.items()]


def _statement(module: str, text: str, names: list[str], indent: str) -> str:
    if text.startswith("import "):
        return f"{indent}{text}"
    head = f"from {module} import "
    return bracketed(head, [text.removeprefix(head)] if text else names, "", indent=indent, brackets=NAMES)
