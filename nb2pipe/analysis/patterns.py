"""`case` patterns: what each name that they capture may stand for."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nb2pipe.analysis.classes import library_bases, text_of
from nb2pipe.analysis.heap import ITEMS, Klass, Thing, Value, elements, held
from nb2pipe.analysis.objects import key_of, load_attribute, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.analysis.machine import Machine
    from nb2pipe.analysis.scopes import Scope


def capture(machine: Machine, pattern: ast.pattern, value: Value, scope: Scope) -> None:
    """Binds the names of a pattern."""
    if handler := _PATTERNS.get(type(pattern)):
        handler(machine, pattern, value, scope)


def _value(machine: Machine, pattern: ast.MatchValue, value: Value, scope: Scope) -> None:
    del value
    machine.evaluate(pattern.value, scope)


def _as(machine: Machine, pattern: ast.MatchAs, value: Value, scope: Scope) -> None:
    if pattern.pattern is not None:
        capture(machine, pattern.pattern, value, scope)
    if pattern.name is not None:
        machine.bind(pattern.name, value, scope)


def _or(machine: Machine, pattern: ast.MatchOr, value: Value, scope: Scope) -> None:
    for part in pattern.patterns:
        capture(machine, part, value, scope)


def _of_libraries(value: Value) -> Value:
    """The objects that may be sequences or mappings: not those of the notebook's plain classes."""
    return frozenset(
        thing for thing in value if not isinstance(thing, Thing) or thing.klass is None or library_bases(thing.klass)
    )


def _sequence(machine: Machine, pattern: ast.MatchSequence, given: Value, scope: Scope) -> None:
    value, starred = _of_libraries(given), False
    for place, part in enumerate(pattern.patterns):
        if isinstance(part, ast.MatchStar):
            starred = True
            _bind_rest(machine, part.name, "builtins.list", elements(value), scope)
        else:
            capture(machine, part, elements(value) if starred else unpack(machine, value, place), scope)


def _bind_rest(machine: Machine, name: str | None, kind: str, inner: Value, scope: Scope) -> None:
    if name is not None:
        machine.bind(name, frozenset({machine.thing(kind, inner)}), scope)


def _mapping(machine: Machine, pattern: ast.MatchMapping, given: Value, scope: Scope) -> None:
    value = _of_libraries(given)
    for key, part in zip(pattern.keys, pattern.patterns, strict=True):
        machine.evaluate(key, scope)
        known = key_of(key)
        inner = elements(value) if known is None else _at(value, known)
        capture(machine, part, inner, scope)
    _bind_rest(machine, pattern.rest, "builtins.dict", elements(value), scope)


def _at(value: Value, key: str) -> Value:
    found = frozenset().union(*(thing.fields.get(key, set()) | thing.fields.get(ITEMS, set()) for thing in value))
    return found | frozenset(thing for thing in value if isinstance(thing, Thing) and not thing.type)


def _class(machine: Machine, pattern: ast.MatchClass, value: Value, scope: Scope) -> None:
    classes = machine.evaluate(pattern.cls, scope)
    names = _places(classes)
    if classes and all(isinstance(klass, Klass) for klass in classes):
        value = frozenset(thing for thing in value if isinstance(thing, Thing) and (thing.klass or not thing.type))
    for place, part in enumerate(pattern.patterns):
        inner = load_attribute(machine, value, names[place], pattern) if place < len(names) else value | held(value)
        capture(machine, part, inner, scope)
    for name, part in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
        capture(machine, part, load_attribute(machine, value, name, pattern), scope)


def _places(classes: Value) -> list[str]:
    """The attributes that a class matches by place, where they are known."""
    for klass in classes:
        if isinstance(klass, Klass):
            found = [thing for thing in klass.fields.get("__match_args__", ()) if isinstance(thing, Thing)]
            texts = [text_of(frozenset(found[0].fields[key])) for key in sorted(found[0].fields)] if found else []
            return [text[0] for text in texts if text] if texts else list(klass.annotated)
    return []


_PATTERNS: dict[type[ast.pattern], Callable[[Machine, Any, Value, Scope], None]] = {
    ast.MatchValue: _value,
    ast.MatchAs: _as,
    ast.MatchOr: _or,
    ast.MatchSequence: _sequence,
    ast.MatchMapping: _mapping,
    ast.MatchClass: _class,
}
