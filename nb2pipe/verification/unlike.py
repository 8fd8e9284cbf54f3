"""Where in two values the first difference lies, with both values there, as an author would write it.

It runs in the Python of the notebook's kernel, and imports no library: what a value is of has been imported.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, NamedTuple

from nb2pipe.serializers.compare import first_unlike
from nb2pipe.serializers.shapes import is_plain
from nb2pipe.verification.elements import of_array, of_frame, of_index, of_series, of_tensor, unlike_element
from nb2pipe.verification.shown import shown_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nb2pipe.serializers.compare import Met, Unlike

_Namespaces = tuple[dict[str, object], dict[str, object]]

_AROUND = 20
"""Characters of a long text that are shown before and after the place where it differs."""

_LONG = 60
_PART_OF_MODULE = re.compile(r'\._(?:modules|parameters|buffers)\["([^"\]]+)"\]')
_BEFORE = 3


class Told(NamedTuple):
    """A place in two values, and what each has there."""

    path: str
    one: str
    other: str


def told_unlike(name: str, one: object, other: object, namespaces: _Namespaces) -> Told | None:
    """Where two values of a variable differ first; None if they do not.

    Raises:
        UnstorableError: A value holds something that has no lasting state.

    >>> told_unlike("x", {"a": [1, 2]}, {"a": [1, 3]}, ({}, {}))
    Told(path='x["a"][1]', one='2', other='3')
    >>> told_unlike("x", [[1], [1]], [[1]] * 2, ({}, {})).other
    'the same object as x[0]'
    """
    found = first_unlike(one, other, namespaces=namespaces, name=name)
    return None if found is None else _pretty(_told(found, namespaces))


def _told(found: Unlike, namespaces: _Namespaces) -> Told:
    before = None
    for met in found.way:
        hidden = met.path == before and isinstance(met.one, list | tuple)  # of the making of an object
        before = met.path
        told = _part(met, namespaces) if not hidden else None
        if told is not None:
            return told
    last = _visible(found.way)
    if found.shared != (None, None):
        texts = [f"the same object as {path}" if path else "an object of its own" for path in found.shared]
        return Told(last.path, texts[0], texts[1])
    return Told(last.path, *_texts(last.one, last.other))


def _visible(way: Sequence[Met]) -> Met:
    """The last part of a way that has a path of its own: what comes below is of the making of the object."""
    return next(met for place, met in enumerate(way) if met.path == way[-1].path or place == len(way) - 1)


def _pretty(told: Told) -> Told:
    """Parts of torch's modules by the names that authors use."""
    return told._replace(path=_PART_OF_MODULE.sub(_module_part, told.path))


def _module_part(found: re.Match[str]) -> str:
    return f"[{found[1]}]" if found[1].isdecimal() else f".{found[1]}"


def _part(met: Met, namespaces: _Namespaces) -> Told | None:
    """What a part of two values tells itself; None where the difference lies deeper."""
    one, other = met.one, met.other
    if _kind(one) != _kind(other):
        return Told(met.path, *_texts(one, other))
    for kind, tell in _KINDS:
        if _is(one, kind) and _is(other, kind):
            found = tell(one, other)
            return Told(met.path + found[0], found[1], found[2]) if found is not None else _inside(met, namespaces)
    if isinstance(one, types.FunctionType):
        return _of_functions(met, namespaces)
    return None


def _inside(met: Met, namespaces: _Namespaces) -> Told | None:
    """The element of an array of objects that differs; None for what is no such array."""
    if not _is(met.one, "numpy.ndarray"):
        return None
    arrays: tuple[Any, Any] = met.one, met.other
    index = unlike_element(*arrays)
    if index is None:
        return None
    path = f"{met.path}[{', '.join(map(str, index))}]"
    return told_unlike(path, arrays[0][index], arrays[1][index], namespaces)


def _kind(value: object) -> tuple[str, str]:
    """The type by its name: two processes have two types for one class of the notebook."""
    return type(value).__module__, type(value).__qualname__


def _is(value: object, kind: str | type) -> bool:
    if isinstance(kind, type):
        return isinstance(value, kind)
    return any(f"{base.__module__}.{base.__qualname__}" == kind for base in type(value).__mro__)


def _texts(one: object, other: object) -> tuple[str, str]:
    texts = shown_value(one), shown_value(other)
    if texts[0] == texts[1] and _kind(one) != _kind(other):
        return f"{texts[0]} ({_dotted(one)})", f"{texts[1]} ({_dotted(other)})"
    return texts


def _dotted(value: object) -> str:
    return ".".join(part for part in _kind(value) if part != "builtins")


def _of_text(one: Any, other: Any) -> tuple[str, str, str] | None:
    """Long texts by where they part.

    >>> _of_text("a" * 100, "a" * 99 + "b")[0]
    '[99]'
    """
    if max(len(one), len(other)) <= _LONG or one == other:
        return None
    place = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    begin = max(0, place - _AROUND)
    texts = [f"{'...' if begin else ''}{side[begin : place + _AROUND]!r}, length {len(side)}" for side in (one, other)]
    return f"[{place}]", texts[0], texts[1]


def _of_sequence(one: Sequence[object], other: Sequence[object]) -> tuple[str, str, str] | None:
    """Sequences of another length; tuples of numbers and texts, which have no parts of their own, by the first one.

    >>> _of_sequence((1, 2), (1, 3))
    ('[1]', '2', '3')
    """
    if len(one) == len(other):
        place = next((n for n, (a, b) in enumerate(zip(one, other, strict=True)) if repr(a) != repr(b)), None)
        if place is None or not (is_plain(one) and is_plain(other)):
            return None
        return f"[{place}]", shown_value(one[place]), shown_value(other[place])
    return "", _length(one), _length(other)


def _length(value: Sequence[object]) -> str:
    return f"{shown_value(value)} (length {len(value)})"


def _of_mapping(one: Mapping[object, object], other: Mapping[object, object]) -> tuple[str, str, str] | None:
    """Dictionaries of other keys, or of keys in another order.

    >>> _of_mapping({"a": 1}, {"a": 1, "b": 2})
    ('', "keys 'a'", "keys 'a', 'b'")
    """
    keys = list(one), list(other)
    if list(map(repr, keys[0])) == list(map(repr, keys[1])):
        return None
    same = next((n for n, (a, b) in enumerate(zip(*keys, strict=False)) if repr(a) != repr(b)), min(map(len, keys)))
    return "", _keys(keys[0], same), _keys(keys[1], same)


def _keys(keys: Sequence[object], same: int) -> str:
    begin = max(0, same - _BEFORE)
    few = ", ".join(shown_value(key) for key in keys[begin : same + _BEFORE])
    return f"keys {'..., ' if begin else ''}{few}{', ...' if len(keys) > same + _BEFORE else ''}" if keys else "no keys"


def _of_set(one: AbstractSet[object], other: AbstractSet[object]) -> tuple[str, str, str] | None:
    """Sets by the elements that only one has.

    >>> _of_set({1, 2}, {2, 3})
    ('', 'has 1', 'has 3')
    """
    texts = [_only(one, other), _only(other, one)]
    return None if texts == ["", ""] else ("", texts[0] or "has none more", texts[1] or "has none more")


def _only(one: AbstractSet[object], other: AbstractSet[object]) -> str:
    found = sorted(shown_value(item) for item in one - other)
    return f"has {', '.join(found[:_BEFORE])}{', ...' if len(found) > _BEFORE else ''}" if found else ""


_KINDS: tuple[tuple[str | type, Callable[[Any, Any], tuple[str, str, str] | None]], ...] = (
    (str, _of_text),
    (bytes, _of_text),
    (bytearray, _of_text),
    (Mapping, _of_mapping),
    (AbstractSet, _of_set),
    (list, _of_sequence),
    (tuple, _of_sequence),
    ("numpy.ndarray", of_array),
    ("torch.Tensor", of_tensor),
    ("pandas.DataFrame", of_frame),
    ("pandas.Series", of_series),
    ("pandas.Index", of_index),
)
"""Those that tell more than their parts would, by type or by its dotted name."""


def _of_functions(met: Met, namespaces: _Namespaces) -> Told:
    """Functions by their default values, what they keep of the functions around them, their attributes, their code."""
    for path, one, other in _of_function(met.path, met.one, met.other):
        found = told_unlike(path, one, other, namespaces)
        if found is not None:
            return found
    return Told(met.path, _code(met.one), _code(met.other))


def _of_function(path: str, one: Any, other: Any) -> Iterator[tuple[str, object, object]]:
    yield f"{path}.__defaults__", one.__defaults__, other.__defaults__
    yield f"{path}.__kwdefaults__", one.__kwdefaults__, other.__kwdefaults__
    if one.__code__.co_freevars == other.__code__.co_freevars:
        for name, cell, other_cell in zip(
            one.__code__.co_freevars, one.__closure__ or (), other.__closure__ or (), strict=True
        ):
            yield f"{path} with {name}", cell.cell_contents, other_cell.cell_contents
    yield f"{path}.__dict__", vars(one), vars(other)


def _code(function: Any) -> str:
    code = function.__code__
    words = [f"names {', '.join(code.co_names)}"] if code.co_names else []
    constants = [shown_value(each) for each in code.co_consts if each is not None]
    words += [f"constants {', '.join(constants)}"] if constants else []
    return f"the code of {function.__qualname__} ({'; '.join([f'{len(code.co_code)} bytes', *words])})"
