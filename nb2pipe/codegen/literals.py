"""Values as Python text: what is injected into a step notebook, proven to mean the value."""

from __future__ import annotations

import ast
import datetime as dt
import math

_CONTAINERS = (list, tuple, set, frozenset, dict)


def literal(value: object) -> str:
    r"""Python text whose value is `value`.

    What has a literal form is proven with `ast.literal_eval`; numbers that have none (NaN, infinity) and dates, which
    YAML knows, become calls.

    Raises:
        ValueError: There is no such text.

    >>> literal({"a": [1, True, None, "it's"]})
    '{\'a\': [1, True, None, "it\'s"]}'
    >>> literal(float("inf"))
    "float('inf')"
    """
    text = _text(value)
    if _is_plain(value) and ast.literal_eval(text) != value:
        raise ValueError(f"{text} does not mean {value!r}")
    return text


def _text(value: object) -> str:
    if value is None or isinstance(value, bool | int | str | bytes):
        return repr(_exact(value))
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
    if isinstance(value, complex) and math.isfinite(abs(value)):
        return repr(value)
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return repr(value).replace("datetime.", "__import__('datetime').")
    if isinstance(value, _CONTAINERS):
        return _container(value)
    raise ValueError(f"a value of type {type(value).__name__} cannot be a parameter")


def _exact(value: object) -> object:
    """The value as its plain type, so that a subclass cannot print what it likes."""
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _container(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, tuple):
        return "(" + ", ".join(map(_text, value)) + ("," if len(value) == 1 else "") + ")"
    assert isinstance(value, set | frozenset)
    kind = "frozenset" if isinstance(value, frozenset) else "set"
    items = ", ".join(sorted(map(_text, value)))
    if not items:
        return f"{kind}()"
    return f"{{{items}}}" if kind == "set" else f"{kind}({{{items}}})"


def _is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, bool | int | str | bytes)
