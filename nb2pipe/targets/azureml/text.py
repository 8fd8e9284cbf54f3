r"""Texts in files of Azure ML, which reads `${{...}}` and `$[[...]]` in them, and has a shell run its commands."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from nb2pipe.records.values import is_masked_default
from nb2pipe.targets.shell import word as word_of_shell

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Parameter

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MARKS = ("${{", "$[[")
_KINDS = {"int": "integer", "float": "number", "bool": "boolean"}
_MOST = 2**63
_STRINGS = frozenset({"str", "list", "dict", "None"})


def is_plain(text: str) -> bool:
    """Whether Azure ML sees a text alone.

    >>> is_plain("a $x"), is_plain("${{ x }}")
    (True, False)
    """
    return not any(mark in text for mark in _MARKS)


def shown(text: str) -> str:
    """A text for people, in which Azure ML sees a text alone."""
    for mark in _MARKS:
        text = text.replace(mark, f"$ {mark[1:]}")
    return text


def word(text: str) -> str:
    """A text as one word of a command, in which Azure ML sees a text alone.

    >>> print(word("a b"), word("$[[x]] ${{ y }}"))
    'a b' '$''[[x]] $''{{ y }}'
    """
    return word_of_shell(text).replace("$[[", "$''[[")


def kind_of(parameter: Parameter) -> str:
    """The type of a parameter, in Azure ML's words; what it has no type for is a text."""
    return _KINDS.get(parameter.type or "", "string")


def name_problem(parameter: Parameter) -> str | None:
    """Why a parameter cannot be an input."""
    return None if _NAME.fullmatch(parameter.name) else "names of inputs hold letters of ASCII, digits and _ alone"


def value_of(parameter: Parameter) -> Any:
    """The default of a parameter as an input; None where it cannot be one."""
    value = parameter.default
    if not parameter.is_literal or is_masked_default(value):
        return None
    match value:
        case bool():
            return value
        case int():
            return value if -_MOST <= value < _MOST else None
        case float():
            return value if math.isfinite(value) else None
        case str():
            return value if is_plain(value) and value else None  # an input is never empty
        case _:
            return _json_text(value) if parameter.type in _STRINGS else None


def _json_text(value: object) -> str | None:
    try:
        text = json.dumps(value, ensure_ascii=False)
        text = text if text.isprintable() else json.dumps(value)
        for mark in _MARKS:
            text = text.replace(mark, f"\\u0024{mark[1:]}")
        return text if repr(json.loads(text)) == repr(value) else None
    except (TypeError, ValueError, RecursionError):
        return None


def vault_name(secret: str, key: str) -> str:
    """The name of a secret in a Key Vault, which takes letters, digits and dashes alone.

    >>> vault_name("my_db", "pass.word")
    'my-db--pass-word'
    """
    return "--".join(re.sub(r"[^0-9A-Za-z-]", "-", part) for part in (secret, key))
