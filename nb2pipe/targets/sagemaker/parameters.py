"""The parameters of a pipeline of SageMaker: those of the notebook, and those that say where it runs."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.records.values import is_masked_default

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.pipeline.model import Parameter, Pipeline

LONGEST_WORD: Final = 256
"""A word of a job's command line may have so many characters."""

_LARGEST: Final = 2**31
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,199}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A parameter that the pipeline is to have.

    Attributes:
        key: What it stands for, such as `notebook lr` or `role`.
        name: Its name, if no other has it.
        type: As SageMaker says it.
        default: None where it has to be given.
    """

    key: str
    name: str
    type: str = "String"
    default: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The parameters of a definition.

    Attributes:
        declared: As they stand in the definition.
        names: Their names, by what they stand for.
    """

    declared: tuple[Mapping[str, Any], ...]
    names: Mapping[str, str]

    def get(self, key: str) -> dict[str, str]:
        """The value of a parameter, as it is referred to."""
        return {"Get": f"Parameters.{self.names[key]}"}


def key_of(name: str) -> str:
    """What stands for a parameter of the notebook."""
    return f"notebook {name}"


def declared(wanted: Iterable[Wanted]) -> Parameters:
    """Parameters with a name each.

    Args:
        wanted: Those of the notebook first, so that they have their own names.
    """
    names: dict[str, str] = {}
    rows: list[Mapping[str, Any]] = []
    taken: set[str] = set()
    for one in wanted:
        if one.key in names:
            continue
        name, number = one.name, 1
        while name.casefold() in taken:
            number += 1
            name = f"{one.name}{number}"
        taken.add(name.casefold())
        names[one.key] = name
        default = {} if one.default is None else {"DefaultValue": one.default}
        rows.append({"Name": name, "Type": one.type, **default})
    return Parameters(declared=tuple(rows), names=names)


def of_notebook(pipeline: Pipeline) -> tuple[tuple[Wanted, ...], tuple[Parameter, ...]]:
    """The notebook's parameters, and those that have no place in the definition.

    Args:
        pipeline: The pipeline.
    """
    date = pipeline.settings.run_date
    wanted, lacking = [], []
    for one in pipeline.parameters:
        if is_secret(one):
            continue
        made = ("String", "") if one.name == date else _typed(one)
        if made is None:
            lacking.append(one)
        else:
            wanted.append(Wanted(key=key_of(one.name), name=plain_name(one.name), type=made[0], default=made[1]))
    return tuple(wanted), tuple(lacking)


def is_secret(parameter: Parameter) -> bool:
    """Whether a parameter's default is one that is not shown."""
    return is_masked_default(parameter.default)


def plain_name(name: str) -> str:
    """A name as SageMaker takes it.

    >>> plain_name("lr"), plain_name("größe"), plain_name("_x")
    ('lr', 'groe', 'p_x')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9_-]", "", plain)[:100]
    return plain if _NAME.fullmatch(plain) else f"p{plain}"


def camel(*parts: str) -> str:
    """Parts of a name as one in capitals.

    >>> camel("fit-model", "InstanceType")
    'FitModelInstanceType'
    """
    words = [word for part in parts for word in part.split("-") if word]
    return "".join(word[0].upper() + word[1:] for word in words)


def _typed(one: Parameter) -> tuple[str, object] | None:
    """The type and the default of a parameter; None where there is no form for it."""
    if not one.is_literal:
        return None
    found = _form(one.default)
    if found is None:
        return None
    text = found[1] if isinstance(found[1], str) else json.dumps(found[1])
    return found if len(f"--{one.name}={text}") <= LONGEST_WORD and _is_line(text) else None


def _form(value: object) -> tuple[str, object] | None:
    match value:
        case bool():
            return "Boolean", value
        case int():
            return ("Integer", value) if abs(value) < _LARGEST else ("String", str(value))
        case float():
            return ("Float", value) if math.isfinite(value) else ("String", str(value))
        case str() | None:
            return "String", "null" if value is None else value
        case list() | dict() | tuple():
            return _collection(value)
        case _:
            return None


def _collection(value: Sequence[object] | Mapping[Any, object]) -> tuple[str, object] | None:
    """JSON of a value, where it reads back as the same."""
    plain = list(value) if isinstance(value, tuple) else value
    try:
        text = json.dumps(plain, ensure_ascii=False)
        return ("String", text) if json.loads(text) == plain else None
    except (TypeError, ValueError, RecursionError):
        return None


def _is_line(text: str) -> bool:
    """Whether a text is one line that can be encoded: jobs take no other words."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text.splitlines()) <= 1 and "\0" not in text and not text.endswith(("\n", "\r"))


def word_of(parameters: Parameters, name: str) -> dict[str, Any]:
    """`--NAME=VALUE`, as a word of a command line, of one of the notebook's parameters."""
    return joined("=", f"--{name}", parameters.get(key_of(name)))


def joined(on: str, *values: object) -> dict[str, Any]:
    """Values joined to one text when the pipeline runs."""
    return {"Std:Join": {"On": on, "Values": list(values)}}


def secrets_of(pipeline: Pipeline) -> Iterator[str]:
    """The names of the parameters that come from Secrets Manager."""
    return (one.name for one in pipeline.parameters if is_secret(one))
