"""Values of parameters and metrics as JSON, and which of them are secret and never written."""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MASK = "********"
"""What stands in a record in place of a secret value."""

_TAG = "$python"
_NAME = re.compile(r"[^\W\d]\w*")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PASSWORDS = frozenset({"password", "passwords", "passwd", "passphrase", "secret", "secrets"})
_SECRET_WORDS = _PASSWORDS | {"token", "credential", "credentials", "apikey"}
_SECRET_PAIRS = frozenset((one, two) for one in ("api", "private", "access") for two in ("key", "keys"))


def is_secret(name: str) -> bool:
    """Whether a name says that its value is secret: one of its words does, or two in a row.

    >>> [is_secret(name) for name in ("hf_token", "dbPassword", "api_key", "max_tokens", "key_column")]
    [True, True, True, False, False]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _SECRET_WORDS for word in words) or any(
        pair in _SECRET_PAIRS for pair in itertools.pairwise(words)
    )


def _is_password(name: str) -> bool:
    """Whether a number may be what the name says is secret: a token that is a number counts or numbers something."""
    return any(word.lower() in _PASSWORDS for word in _WORD.findall(name))


def masked(values: Mapping[str, object]) -> dict[str, object]:
    """The values, with those whose names say that they are secret replaced, in dictionaries within them too.

    None and truth values are no secrets, and numbers only as a password or secret: `pad_token_id` is none. A value
    that holds none is given back as it is, the same object.

    >>> masked({"token": "x", "lr": 0.1, "db": {"password": "y", "port": 1}})
    {'token': '********', 'lr': 0.1, 'db': {'password': '********', 'port': 1}}
    """
    return {name: _masked(name, value) for name, value in values.items()}


def _masked(name: object, value: object) -> object:
    if isinstance(name, str) and is_secret(name) and not (value is None or isinstance(value, bool)):
        return value if isinstance(value, int | float) and not _is_password(name) else MASK
    if type(value) is dict:
        items = cast("dict[object, object]", value)
        new = {key: _masked(key, item) for key, item in items.items()}
        return new if any(new[key] is not item for key, item in items.items()) else value
    if type(value) in {list, tuple}:
        elements = cast("list[object] | tuple[object, ...]", value)
        copies = type(elements)(_masked(None, item) for item in elements)
        return copies if any(copy is not item for copy, item in zip(copies, elements, strict=True)) else value
    return value


def is_masked_default(value: object) -> bool:
    """Whether a default is what stands for a secret in a copy, so that the parameter has to be given."""
    match value:
        case str():
            return value.rstrip("\n") == MASK
        case bytes():
            return value == MASK.encode("ascii")
        case dict():
            return any(is_masked_default(item) for item in value.values())
        case list() | tuple():
            return any(is_masked_default(item) for item in value)
        case _:
            return False


def secrets_to_give(parameters: Iterable[tuple[str, object, bool]]) -> list[str]:
    """The parameters whose defaults a copy does not keep, or that are made of such.

    Args:
        parameters: In their order: the name, the default, and whether that is a value rather than a source text.

    >>> secrets_to_give([("key", "********", True), ("lr", 0.1, True), ("head", "f'Bearer {key}'", False)])
    ['key', 'head']
    """
    found: list[str] = []
    for name, default, is_value in parameters:
        words = set() if is_value else set(_NAME.findall(str(default)))
        if is_masked_default(default) if is_value else (MASK in str(default) or not words.isdisjoint(found)):
            found.append(name)
    return found


def encode(value: object) -> object:
    """A value of a parameter as JSON that any reader takes, and that `decode` turns back.

    What JSON has no word for becomes an object with the key `$python`; a value of another class becomes its text.

    >>> encode((1, float("inf")))
    {'$python': 'tuple', 'value': [1, {'$python': 'float', 'value': 'inf'}]}
    """
    if value is None or isinstance(value, bool | str) or type(value) is int:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else _tagged("float", repr(value))
    if type(value) is list:
        return [encode(item) for item in cast("list[object]", value)]
    if type(value) is dict:
        return _encode_mapping(cast("dict[object, object]", value))
    if type(value) in {tuple, set, frozenset}:
        return _encode_collection(cast("Iterable[object]", value))
    return _encode_other(value)


def decode(value: object) -> object:
    """The value that `encode` was given."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return {key: decode(item) for key, item in value.items()}
    make = _DECODERS.get(str(value[_TAG]), str)
    return make(value.get("value"))


def plain(value: object) -> object:
    """A value as people and programs expect to see it in a list of runs: JSON without our marks.

    >>> plain((1, float("nan"), {2: b"x"}))
    [1, 'nan', {'2': "b'x'"}]
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return repr(value)


def _tagged(tag: str, value: object) -> dict[str, object]:
    return {_TAG: tag, "value": value}


def _encode_mapping(value: dict[object, object]) -> object:
    if all(isinstance(key, str) for key in value) and _TAG not in value:
        return {str(key): encode(item) for key, item in value.items()}
    return _tagged("dict", [[encode(key), encode(item)] for key, item in value.items()])


def _encode_collection(value: Iterable[object]) -> object:
    items = value if isinstance(value, tuple) else sorted(value, key=repr)
    return _tagged(type(value).__name__, [encode(item) for item in items])


def _encode_other(value: object) -> object:
    if type(value) is bytes:
        return _tagged("bytes", value.hex())
    if type(value) is complex:
        return _tagged("complex", repr(value))
    return _tagged("text", repr(value))


def _items(value: object) -> list[object]:
    return [decode(item) for item in cast("list[object]", value)]


def _pairs(value: object) -> dict[object, object]:
    return {decode(key): decode(item) for key, item in cast("list[tuple[object, object]]", value)}


_DECODERS: Mapping[str, Callable[[object], object]] = {
    "float": lambda value: float(str(value)),
    "tuple": lambda value: tuple(_items(value)),
    "set": lambda value: set(_items(value)),
    "frozenset": lambda value: frozenset(_items(value)),
    "dict": _pairs,
    "bytes": lambda value: bytes.fromhex(str(value)),
    "complex": lambda value: complex(str(value)),
    "text": str,
}
