"""Types of values as annotations, with the imports that they need."""

from __future__ import annotations

import keyword
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import Import

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "Any"

_BUILTINS = frozenset(
    (
        "int",
        "float",
        "bool",
        "str",
        "bytes",
        "complex",
        "list",
        "dict",
        "tuple",
        "set",
        "frozenset",
        "range",
        "slice",
        "object",
        "type",
        "bytearray",
        "memoryview",
    )
)
_OWN = "definitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a module binds, and what may not be used in it.

    Attributes:
        package: The package that the module is of.
        imports: What it imports when it runs.
        taken: Names that mean something else in it.
    """

    package: str
    imports: tuple[Import, ...] = ()
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Annotation:
    """A type as it is written, and what has to be imported for that, for type checkers only."""

    text: str = ANY
    imports: frozenset[Import] = field(default=frozenset())


def annotate(types: Iterable[str], scope: Scope) -> dict[str, Annotation]:
    """The annotation of each type; `Any` where the name of one cannot be used.

    Args:
        types: Dotted types, such as `pandas.DataFrame`, `definitions.Net`, `list`.
        scope: The module.

    >>> annotate(["pandas.DataFrame"], Scope(package="p"))["pandas.DataFrame"].text
    'DataFrame'
    >>> panda = Import(module="pandas", name=None, bound="pd"),
    >>> annotate(["pandas.DataFrame"], Scope(package="p", imports=panda))["pandas.DataFrame"].text
    'pd.DataFrame'
    """
    found: dict[str, Annotation] = {}
    taken = set(scope.taken) | {one.bound for one in scope.imports}
    for dotted in sorted(set(types)):
        found[dotted] = _annotation(dotted, scope, taken)
        taken |= {one.bound for one in found[dotted].imports}
    return found


def _annotation(dotted: str, scope: Scope, taken: set[str]) -> Annotation:
    parts = dotted.removeprefix("builtins.").split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return Annotation("None") if parts == ["None"] else Annotation()
    if len(parts) == 1:
        return _builtin(parts[0], taken)
    if parts[0] == _OWN:
        parts[0:1] = [scope.package, _OWN]
    known = _through_import(parts, scope.imports)
    if known is not None:
        return Annotation(known)
    return _imported(parts, taken)


def _builtin(name: str, taken: set[str]) -> Annotation:
    if name == "NoneType":
        return Annotation("None")
    return Annotation(name) if name in _BUILTINS and name not in taken else Annotation()


def _through_import(parts: list[str], imports: tuple[Import, ...]) -> str | None:
    """The type by what the module imports anyway; the shortest where there are several."""
    ways = []
    for one in imports:
        bound = one.module.split(".") if one.name is None and one.bound == one.module.partition(".")[0] else None
        target = bound or [*one.module.split("."), *([one.name] if one.name else [])]
        if parts[: len(target)] == target:
            ways.append(".".join([*(bound or [one.bound]), *parts[len(target) :]]))
    return min(ways, key=lambda way: (way.count("."), way), default=None)


def _imported(parts: list[str], taken: set[str]) -> Annotation:
    module, name = ".".join(parts[:-1]), parts[-1]
    if name not in taken and name not in _BUILTINS:
        return Annotation(name, frozenset({Import(module=module, name=name, bound=name)}))
    if parts[0] not in taken:
        return Annotation(".".join(parts), frozenset({Import(module=module, name=None, bound=parts[0])}))
    return Annotation()
