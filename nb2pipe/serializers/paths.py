"""Paths: how Python would write the way from a variable to something that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.serializers.shapes import ATOMS, Items, Made, Pairs, Shape, Through

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_KEY = 60


def path_of(name: str, way: Sequence[object], shape: Callable[[object], Shape | None]) -> str:
    """The path from a variable down a way of objects, such as `state["log"].stream`."""
    text, attributes, place = name, False, 0
    while place + 1 < len(way):
        found = shape(way[place])
        label, ahead = _labeled(found, way[place + 1 :])
        if found is not None and not ahead:
            label, attributes = step_of(found, way[place + 1], attributes=attributes)
        text += label
        place += ahead or 1
    return text


def _labeled(shape: Shape | None, rest: Sequence[object]) -> tuple[str, int]:
    """The label of a part that lies further down the way, and how far."""
    labels = shape.labels if isinstance(shape, Made) else ()
    for ahead, value in enumerate(rest, start=1):
        for label, part in labels:
            if part is value:
                return label, ahead
    return "", 0


def step_of(shape: Shape, child: object, *, attributes: bool) -> tuple[str, bool]:
    """How a path names a child, and whether the child is a dictionary of attributes.

    Args:
        shape: The parent's shape.
        child: One of its children.
        attributes: Whether the parent is itself a dictionary of attributes.
    """
    match shape:
        case Items(kind=kind, items=items) if kind in (list, tuple):
            position = next((place for place, item in enumerate(items) if item is child), None)
            return ("" if attributes or position is None else f"[{position}]", attributes)
        case Items():
            return "{...}", False
        case Pairs(pairs=pairs):
            return _key(pairs.items(), child, attributes=attributes), False
        case Made():
            return _part(shape, child)
        case Through():
            return "", attributes
        case _:
            return "", False


def _part(shape: Made, child: object) -> tuple[str, bool]:
    if child is shape.state:
        return "", True
    position = next((place for place, item in enumerate(shape.items) if item is child), None)
    if position is not None:
        return f"[{position}]", False
    if any(value is child or key is child for key, value in shape.pairs):
        return _key(shape.pairs, child, attributes=False), False
    return "", False


def _key(pairs: object, child: object, *, attributes: bool) -> str:
    for key, value in pairs:  # type: ignore[attr-defined] # pairs of any kind
        if value is child:
            if attributes and type(key) is str and key.isidentifier():
                return f".{key}"
            return f"[{_short(key)}]"
        if key is child:
            return "{key}"
    return ""


def _short(key: object) -> str:
    if type(key) is str:
        text = key if len(key) <= _LONGEST_KEY else f"{key[:_LONGEST_KEY]}..."
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if type(key) in ATOMS:
        return repr(key)[:_LONGEST_KEY]
    return f"<{type(key).__name__}>"
