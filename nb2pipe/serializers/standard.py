"""Objects of the standard library that pickle does not take, or not as they are: made again from what they tell."""

from __future__ import annotations

import functools
import gc
import types
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.code import place_of
from nb2pipe.serializers.shapes import NAMESPACE, Made, Refused

if TYPE_CHECKING:
    import re
    import sqlite3
    from collections.abc import Callable, Mapping

    from nb2pipe.serializers.code import Place
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape


def rule(kind: type) -> Rule | None:
    """The rule for one of these types, or for a class that derives from one."""
    for base in kind.__mro__:
        known = _RULES.get(f"{base.__module__}.{base.__qualname__}")
        if known is not None:
            return known
    return None


# Mappings that cannot be written to


def _proxy(value: object, context: Context) -> Shape:
    known = context.names.sentinel(value)
    if known is not None:
        return known
    (mapping,) = gc.get_referents(value)
    owner = _owner(mapping)
    if owner is not None:
        return Made(vars, (owner,), ties=False)
    return Made(types.MappingProxyType, (mapping,), ties=False)


def _owner(mapping: Mapping[object, object]) -> type | None:
    """The class that a dictionary belongs to."""
    own = next((part for part in mapping.values() if isinstance(part, types.GetSetDescriptorType)), None)
    owner = own.__objclass__ if own is not None else None
    return owner if owner is not None and gc.get_referents(vars(owner))[0] is mapping else None


# Types that are only names


def _new_type(value: object, context: Context) -> Shape:
    made: Any = value
    found = context.names.find(value, made.__qualname__)
    place = place_of(value, context)
    return found or Made(make_new_type, (NAMESPACE, place, made.__supertype__), ties=False)


def make_new_type(namespace: dict[str, object], place: Place, supertype: object) -> object:
    """A `NewType`; the namespace's own where it has one of that name."""
    from typing import NewType  # noqa: PLC0415 # no other value wants it

    name, qualname, module, _ = place
    known = namespace.get(qualname)
    if isinstance(known, NewType) and known.__supertype__ == supertype:
        return known
    make: Any = NewType
    made = make(qualname, supertype)
    made.__name__, made.__module__ = name, module or str(namespace.get("__name__", "__main__"))
    return namespace.setdefault(qualname, made)


# Functions


def _comparison(value: object, _context: Context) -> Shape:
    """What `functools.cmp_to_key` gives holds a function, and an object if it is a key."""
    function, *held = (part for part in gc.get_referents(value) if part is not type(value))
    return Made(make_comparison, (function, *held), ties=False)


def make_comparison(function: Callable[[object, object], int], *held: object) -> object:
    """A key function for a comparison, or one of its keys."""
    made: Any = functools.cmp_to_key(function)
    return made(*held) if held else made


def _scanner(value: object, _context: Context) -> Shape:
    own: Any = value
    return Made(make_scanner, tuple(getattr(own, name) for name in _SCANNER), ties=False)


_SCANNER: Final = ("strict", "object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant")


def make_scanner(*settings: object) -> object:
    """What a JSON decoder reads with."""
    from json.scanner import make_scanner as make  # noqa: PLC0415 # no other value wants it

    return make(cast("Any", types.SimpleNamespace(**dict(zip(_SCANNER, settings, strict=True)))))


# Results of searches and queries


def _match(value: object, _context: Context) -> Shape:
    found = cast("re.Match[Any]", value)
    for way, start in (("search", found.pos), ("match", found.pos), ("fullmatch", found.pos), ("match", found.start())):
        again = getattr(found.re, way)(found.string, start, found.endpos)
        if again is not None and again.regs == found.regs:
            return Made(make_match, (found.re, way, found.string, start, found.endpos), ties=False)
    return Refused("it is a match that cannot be found again", "pass on its `.group()`, `.groups()` or `.span()`")


def make_match(pattern: re.Pattern[Any], way: str, text: object, start: int, end: int) -> object:
    """A match, found again."""
    return getattr(pattern, way)(text, start, end)


def _row(value: object, _context: Context) -> Shape:
    row = cast("sqlite3.Row", value)
    return Made(make_row, (type(row), tuple(row.keys()), tuple(row)), ties=False)


def make_row(kind: type, names: tuple[str, ...], values: tuple[object, ...]) -> object:
    """A row of a table; only a cursor can tell it its names."""
    import sqlite3  # noqa: PLC0415 # only rows want it
    from contextlib import closing  # noqa: PLC0415 # as above

    columns = ", ".join('null as "' + name.replace('"', '""') + '"' for name in names)
    with closing(sqlite3.connect(":memory:")) as connection:
        cursor = connection.execute(f"select {columns}")
        return kind(cursor, values)


# Random numbers without a state


def _system_random(value: object, _context: Context) -> Shape:
    return Made(type(value), (), state=dict(vars(value)) or None, setter=set_attributes)


def set_attributes(value: object, attributes: dict[str, object] | None) -> None:
    """Gives an object its attributes."""
    vars(value).update(attributes or {})


_RULES: Final[dict[str, Rule]] = {
    "builtins.mappingproxy": _proxy,
    "typing.NewType": _new_type,
    "functools.KeyWrapper": _comparison,
    "_json.Scanner": _scanner,
    "re.Match": _match,
    "sqlite3.Row": _row,
    "random.SystemRandom": _system_random,
}
