"""Values of parameters: read from text, and checked against the pipeline before anything runs."""

from __future__ import annotations

import numbers
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import UsageError
from nb2pipe.plugins import suggestion
from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.pipeline.model import Parameter, Pipeline

_INTEGER = re.compile(r"[-+]?[0-9][0-9_]*\Z")
_PREFIXED = re.compile(r"[-+]?(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)\Z")
_FLOAT = re.compile(
    r"[-+]?([0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)([eE][-+]?[0-9]+)?\Z|[-+]?\.?(inf|Inf|INF)\Z|\.?(nan|NaN|NAN)\Z"
)
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "None", "~"), None),
}


@dataclass(frozen=True, slots=True)
class TypedText:
    """A value as the user typed it: a parameter that is a text takes the text, another one what it says.

    Attributes:
        text: As it was typed.
        value: What it says as YAML.
        problem: Why it is no YAML, if so.
    """

    text: str
    value: object
    problem: str | None = None


def parse_value(text: str) -> object:
    """A value that was typed on the command line, to be handed to `check_values`.

    Args:
        text: YAML; a parameter whose default is a text takes it as it is.
    """
    value, problem = _read(text)
    return TypedText(text, value, problem)


def parse_mapping(text: str, origin: str) -> dict[str, object]:
    """The values that a YAML or JSON text gives, by name.

    Args:
        text: The content of a file of parameters, or what stands after `-y`.
        origin: What the text is, for messages: the path, or `-y`.

    Raises:
        UsageError: It is no YAML, or no mapping of names.
    """
    value, problem = _read(text)
    if problem is not None:
        raise UsageError(f"{origin} is no YAML: {problem}", hint="write `name: value`, one a line")
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise UsageError(f"{origin} holds no mapping of names to values", hint="write `name: value`, one a line")
    for name in value:
        if not isinstance(name, str):
            raise UsageError(f"{origin}: {name!r} is no name of a parameter", hint="names are texts; quote them")
    return value


def check_values(pipeline: Pipeline, values: Mapping[str, object]) -> dict[str, object]:
    """The values as the notebook gets them, in the pipeline's order.

    Args:
        pipeline: The pipeline.
        values: Given values by name, typed or ready.

    Raises:
        UsageError: A name is unknown, or a value is of another type than the parameter's default.
    """
    parameters = {parameter.name: parameter for parameter in pipeline.parameters}
    for name in values:
        if name not in parameters:
            raise _unknown(pipeline, name)
    return {name: _checked(parameter, values[name]) for name, parameter in parameters.items() if name in values}


def _unknown(pipeline: Pipeline, name: str) -> UsageError:
    known = [parameter.name for parameter in pipeline.parameters]
    close = suggestion(name, known)
    message = f"the notebook {pipeline.notebook.path} has no parameter `{name}`"
    if close:
        return UsageError(message, hint=f"did you mean `{close}`?")
    if known:
        return UsageError(message, hint=f"its parameters are: {', '.join(known)}")
    return UsageError(message, hint="it has none; tag the cell that assigns them with `parameters`")


def _checked(parameter: Parameter, given: object) -> object:
    if isinstance(given, TypedText):
        if parameter.type == "str":
            return given.text
        if given.problem is not None and parameter.type in {"list", "dict", "tuple", "set"}:
            raise UsageError(f"the value of `{parameter.name}` is no YAML: {given.problem}", hint=_example(parameter))
        given = given.value
    fitting, value = _fit(parameter.type, _plain(parameter.name, given))
    if not fitting:
        message = f"the parameter `{parameter.name}` is of type {parameter.type}, and {_given(parameter, given)} is not"
        raise UsageError(message, hint=_example(parameter))
    return value


def _fit(kind: str | None, value: object) -> tuple[bool, object]:
    """Whether a value fits a type, and the value as one of it."""
    match kind:
        case None | "None":
            return True, value
        case "float" if isinstance(value, int) and not isinstance(value, bool):
            return _as_float(value)
        case "tuple" if isinstance(value, list):
            return True, tuple(value)
        case "set" if isinstance(value, list):
            return _as_set(value)
        case _:
            return type(value).__name__ == kind, value


def _as_float(value: int) -> tuple[bool, object]:
    try:
        return True, float(value)
    except OverflowError:
        return False, value


def _as_set(value: list[object]) -> tuple[bool, object]:
    try:
        return True, set(value)
    except TypeError:
        return False, value


def _plain(name: str, value: object, around: tuple[int, ...] = ()) -> object:
    """A value of plain Python types: NumPy's numbers become Python's; what is no literal is refused."""
    inside = (*around, id(value))
    match value:
        case None | bool() | str() | bytes():
            return value
        case numbers.Integral() | numbers.Real():
            return int(value) if isinstance(value, numbers.Integral) else float(value)
        case list() | tuple() | set() | dict() if id(value) in around:
            raise UsageError(f"the value of `{name}` contains itself")
        case list() | tuple() | set():
            return type(value)(_plain(name, item, inside) for item in value)
        case dict():
            return {_plain(name, key, inside): _plain(name, item, inside) for key, item in value.items()}
        case _:
            kind = type(value).__name__
            hint = "give numbers, texts, booleans, None, and lists and mappings of them"
            raise UsageError(f"the value of `{name}` is of type {kind}, which a parameter cannot be", hint=hint)


_EXAMPLES: Mapping[str, str] = {
    "int": "10",
    "float": "0.5",
    "bool": "true",
    "list": "'[1, 2]'",
    "tuple": "'[1, 2]'",
    "set": "'[1, 2]'",
    "dict": "'{a: 1}'",
    "str": "text",
}


def _example(parameter: Parameter) -> str:
    default = repr(masked({parameter.name: parameter.default})[parameter.name])
    if parameter.type == "str":
        return f"give a text, in a file with quotes; the default is {_cut(default)}"
    return (
        f"for example `-p {parameter.name} {_EXAMPLES.get(parameter.type or '', '1')}`; the default is {_cut(default)}"
    )


def _given(parameter: Parameter, given: object) -> str:
    return _shown(given) if masked({parameter.name: given})[parameter.name] is given else "what is given"


def _shown(value: object) -> str:
    return _cut(repr(value)) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"


def _cut(text: str, longest: int = 40) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _read(text: str) -> tuple[object, str | None]:
    """What a text says as YAML; the text itself, and why, where it is none."""
    import yaml  # noqa: PLC0415  # not needed by every command

    if not text.strip():
        return "", None
    try:
        return yaml.load(text, Loader=_loader()), None  # noqa: S506  # the loader is a safe one
    except yaml.YAMLError as cause:
        return text, " ".join(str(getattr(cause, "problem", None) or cause).split())
    except (ValueError, RecursionError, TypeError) as cause:
        return text, str(cause) or "it is nested too deeply"


@cache
def _loader() -> Any:  # a class of yaml, which is imported late
    """A safe loader with the scalars that people expect: `1e-3` is a number; `no`, `2024-01-01`, `12:30` are texts."""
    import yaml  # noqa: PLC0415  # not needed by every command

    class Loader(yaml.SafeLoader):
        """YAML with the core schema's scalars, written as Python writes them too."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # yaml looks for it in the class

    def scalar(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
        return _scalar(str(loader.construct_scalar(node)))

    Loader.add_implicit_resolver("nb2pipe", re.compile(r"[^\n]*\Z", re.DOTALL), None)
    Loader.add_constructor("nb2pipe", scalar)
    return Loader


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    plain = text.replace("_", "").lower()
    if _INTEGER.match(text):
        return int(plain)
    if _PREFIXED.match(text):
        return int(plain, 0)
    if _FLOAT.match(text):
        return float(plain.replace(".inf", "inf").replace(".nan", "nan"))
    return text or None
