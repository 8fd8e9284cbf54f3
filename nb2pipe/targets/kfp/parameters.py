"""Parameters as Kubeflow Pipelines has them: six types, numbers that are all floating, and texts that it looks into."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.records.values import is_masked_default

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nb2pipe.pipeline.model import Parameter, Pipeline

_EXACT = 2**53
"""Whole numbers up to here are exact as floating ones."""
_WORDS = {
    "int": "NUMBER_INTEGER",
    "float": "NUMBER_DOUBLE",
    "str": "STRING",
    "bool": "BOOLEAN",
    "list": "LIST",
    "dict": "STRUCT",
}
_LONGEST = 10_000
"""Characters of a default; all of them are in one argument of each process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A parameter of the pipeline.

    Attributes:
        name: What KFP calls it.
        option: What the step's command line calls it: the notebook's name.
        annotation: Its type in the definition, such as `float`.
        default: Its default there; None where it has none and has to be given.
        or_own: Where it is an empty text, steps take the notebook's own default.
        is_run_date: Where it is an empty text, it is the date of the run.
        own: Digest of a default that KFP may hand on in another form, such as with another order of names: steps take
            the notebook's own default where that arrives. Empty where it comes back as it is.
    """

    name: str
    option: str
    annotation: str
    default: object = None
    or_own: bool = False
    is_run_date: bool = False
    own: str = ""

    @property
    def word(self) -> str:
        """The type's name in the YAML."""
        return _WORDS[self.annotation]

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is None


def given_of(pipeline: Pipeline, taken: Collection[str]) -> tuple[Given, ...]:
    """The parameters of a pipeline, in notebook order.

    Args:
        pipeline: Without errors.
        taken: Names that stand for something else in the definition.
    """
    return tuple(_given(pipeline, taken))


def _given(pipeline: Pipeline, taken: Collection[str]) -> Iterator[Given]:
    used = set(taken)
    for one in pipeline.parameters:
        name = _name(one.name, used)
        used.add(name)
        if one.name == pipeline.settings.run_date:
            yield Given(name=name, option=one.name, annotation="str", default="", is_run_date=True)
        elif is_masked_default(one.default) and one.is_literal:
            yield Given(name=name, option=one.name, annotation="str")
        else:
            annotation, default = _typed(one)
            own = default is None
            yield Given(
                name=name,
                option=one.name,
                annotation=annotation,
                default="" if own else default,
                or_own=own,
                own=_digest(default) if isinstance(default, (list, dict)) and not _is_exact(default) else "",
            )


def _name(name: str, used: Collection[str]) -> str:
    plain = name if name.isascii() else re.sub(r"[^A-Za-z0-9_]+", "_", name).strip("_") or "parameter"
    plain = f"p{plain}" if plain[0].isdigit() else plain
    found, number = plain, 1
    while found in used:
        number += 1
        found = f"{plain}_{number}" if number > 2 else f"{plain}_"  # noqa: PLR2004  # the second of the name
    return found


def _typed(one: Parameter) -> tuple[str, object]:
    """The type and the default that say it exactly; the default is None where there are none such."""
    value = one.default
    found: tuple[str, object] = ("str", None)
    if one.is_literal and not is_masked_default(value):
        match one.type:
            case "None":
                found = ("str", "null")
            case "str" if isinstance(value, str) and _is_plain(value):
                found = ("str", value)
            case "bool" | "int" | "float":
                found = (one.type, value) if _is_exact(value) or one.type == "float" else ("str", repr(value))
            case "list" | "dict" | "tuple" | "set":
                found = _collection(value)
            case _:
                pass  # there is no such literal
    if isinstance(value, float) and not math.isfinite(value):
        return "str", repr(value)
    return found


def _collection(value: object) -> tuple[str, object]:
    items = list(value) if isinstance(value, tuple) else value
    if isinstance(items, (list, dict)) and _has_form(items):
        return ("dict" if isinstance(items, dict) else "list"), items
    try:
        text = json.dumps(items, allow_nan=False)
        same = json.loads(text) == items and _is_plain(text)
    except (TypeError, ValueError, RecursionError):
        return "str", None
    return "str", text if same else None


def _has_form(value: object) -> bool:
    """Whether KFP can hold a value."""
    match value:
        case bool():
            return True
        case int() | float():
            return abs(value) < _EXACT
        case str():
            return _is_plain(value)
        case list():
            return all(map(_has_form, value))
        case dict():
            return all(isinstance(key, str) and _is_plain(key) and _has_form(each) for key, each in value.items())
        case _:
            return False


def _is_exact(value: object) -> bool:
    """Whether a value that KFP can hold comes back as it was: 1.0 does not, nor does the order of names."""
    match value:
        case bool():
            return True
        case int() | float():
            return abs(value) < _EXACT and not (isinstance(value, float) and value.is_integer())
        case list():
            return all(map(_is_exact, value))
        case dict():
            return len(value) <= 1 and all(map(_is_exact, value.values()))
        case _:
            return True


def _digest(value: object) -> str:
    """As `run_step` in the definition takes it of what arrives."""
    text = json.dumps(_whole(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _whole(value: object) -> object:
    match value:
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {key: _whole(each) for key, each in value.items()}
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _is_plain(text: str) -> bool:
    """Whether a text may stand in the definition: in a comment of it, too, and KFP finds nothing to replace in it."""
    return text.isprintable() and not re.search(r"\{\{(\$|channel:)", text) and len(text) <= _LONGEST
