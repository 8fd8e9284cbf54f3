"""The command line of a package: an option for each parameter, checked by its type, and a few of our own."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.records.values import is_masked_default
from nb2pipe.runtime.modules import UNBOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

EXIT_CODES: Final = """\
exit codes:
  0    all went well; a gate that stops what comes after it is no error
  2    usage: an unknown or wrongly typed parameter, a missing folder or file
  5    the code of a step failed, or what it made cannot be passed on
  7    what earlier steps left cannot be read, or a folder cannot be written
  70   a bug of nb2pipe
  130  interrupted"""

FILE: Final = "parameters"
"""The option of ours that names a file with values of parameters."""

_TRUTHS: Final[Mapping[str, bool]] = {"true": True, "True": True, "TRUE": True} | dict.fromkeys(
    ("false", "False", "FALSE"), False
)
_NONES: Final = frozenset({"null", "None", "~"})
_BY_JSON: Final = ("list", "dict", "tuple", "set")
_EXAMPLES: Final[Mapping[str, str]] = {
    "int": "10",
    "float": "0.1",
    "bool": "true",
    "str": "text",
    "dict": "'{\"a\": 1}'",
} | dict.fromkeys(("list", "tuple", "set"), "'[1, 2]'")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter as the command line knows it.

    Attributes:
        type: Such as `float`; None where anything fits: JSON, or else text.
        default: Its default; `UNBOUND` where that is no literal.
    """

    name: str
    type: str | None
    default: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """An option of ours. A parameter of the same name takes its short form away; `--nb2pipe-NAME` is always there.

    Without a `metavar` it takes no value: it is given or not.
    """

    name: str
    help: str
    metavar: str = ""
    type: Callable[[str], object] = str
    several: bool = False
    in_examples: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What was given.

    Attributes:
        parameters: The values by name; only those that were given.
        own: The values of our options by name; None, or an empty list, where they were not given.
    """

    parameters: Mapping[str, object]
    own: Mapping[str, Any]


def read_arguments(
    program: str,
    description: str,
    parameters: Sequence[Parameter],
    own: Sequence[Own],
    given: Sequence[str] | None,
    *,
    secrets: Collection[str] = (),
) -> Given:
    """Reads the command line; ends Python with 2 if it is wrong, with 0 after `--help`.

    Args:
        program: What was typed before it, such as `python -m digits_pipeline`.
        description: What it runs.
        parameters: In the order of the help.
        own: Our options.
        given: The arguments; None for those of this process.
        secrets: The parameters whose defaults are not kept, beside those whose default shows it.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description=_plain(description),
        epilog=f"{_plain(_examples(program, parameters, own))}\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        add_help=False,
    )
    taken = {flag for one in parameters for flag in _flags(one.name)}
    group = parser.add_argument_group("parameters") if parameters else parser
    for one in parameters:
        group.add_argument(
            *_flags(one.name),
            dest=f"parameter {one.name}",
            type=_reader(one),
            default=UNBOUND,
            metavar="VALUE" if one.type in {None, "None"} else one.type.upper(),
            help=_plain(_shown_default(one.default)),
        )
    options = parser.add_argument_group("options")
    options.add_argument(
        *(flag for flag in ("-h", "--help") if flag not in taken), action="help", help="show this text"
    )
    for option in own:
        known = [flag for flag in (f"--{option.name}", f"--nb2pipe-{option.name}") if flag not in taken]
        options.add_argument(*known, dest=f"own {option.name}", help=_plain(option.help), **_takes(option))
    found = vars(parser.parse_args(given))
    values = {one.name: found[f"parameter {one.name}"] for one in parameters}
    if file := found.get(f"own {FILE}"):
        values = _values_of_file(parser, parameters, file) | {
            name: value for name, value in values.items() if value is not UNBOUND
        }
    open_ones = [one for one in parameters if values[one.name] is UNBOUND]
    masked = [one.name for one in open_ones if is_masked_default(one.default) or one.name in secrets]
    if masked:
        flags = ", ".join(_flags(name)[0] for name in masked)
        parser.error(f"a secret is not kept here, so it has to be given: {flags}")
    return Given(
        parameters={name: value for name, value in values.items() if value is not UNBOUND},
        own={option.name: found[f"own {option.name}"] for option in own},
    )


def _values_of_file(parser: argparse.ArgumentParser, parameters: Sequence[Parameter], file: Path) -> dict[str, object]:
    """The values that a file has for parameters; `UNBOUND` for those that are not in it."""
    try:
        content = _read(file)
    except (OSError, ValueError, RecursionError) as cause:
        parser.error(f"`{file}` cannot be read: {cause}")
    values: dict[str, object] = {}
    for one in parameters:
        value = content.get(one.name, UNBOUND)
        try:
            values[one.name] = value if value is UNBOUND else _reader(one)(_as_text(one, value))
        except (argparse.ArgumentTypeError, ValueError) as cause:
            parser.error(f"`{one.name}` in `{file}`: {cause}")
    return values


def _read(file: Path) -> dict[str, object]:
    text = file.read_text(encoding="utf-8")
    try:
        content = json.loads(text) if text.strip() else {}
    except ValueError:
        content = _yaml(text)
    if not isinstance(content, dict):
        raise ValueError("it holds no names with values")  # noqa: TRY004  # it is about a text
    return content


def _yaml(text: str) -> object:
    try:
        import yaml  # noqa: PLC0415  # a bundle may do without
    except ModuleNotFoundError:
        raise ValueError("it is no JSON, and YAML needs `pip install pyyaml`") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as cause:
        raise ValueError(str(cause)) from cause


def _as_text(one: Parameter, value: object) -> str:
    """A value as it would be typed."""
    if isinstance(value, str):
        return value
    if one.type == "str":
        raise ValueError(f"{value!r} is no str; write it in quotes")
    return json.dumps(value)


def _takes(option: Own) -> dict[str, Any]:
    """What an option of ours takes, as argparse wants it."""
    if not option.metavar:
        return {"action": "store_true"}
    several: dict[str, Any] = {"action": "append", "default": []} if option.several else {}
    return {"type": option.type, "metavar": option.metavar, **several}


def whole_number(text: str) -> int:
    """A number from 0 on.

    Raises:
        ArgumentTypeError: The text is none.
    """
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


SEED: Final = Own(name="seed", metavar="N", type=whole_number, help="sets the generators of random, NumPy and torch")


def value_of(kind: str | None, text: str) -> object:
    """The value that a text stands for.

    Args:
        kind: The parameter's type; None where anything fits.
        text: As it was typed.

    Raises:
        ValueError: It is no value of the type.

    >>> value_of("float", "1"), value_of("bool", "true"), value_of("list", "[1]"), value_of(None, "a b")
    (1.0, True, [1], 'a b')
    """
    match kind:
        case "str":
            return text
        case "int":
            return int(text, 0) if text.lstrip("+-")[:2].lower() in {"0x", "0o", "0b"} else int(text)
        case "float":
            return float(text)
        case "bool" if text in _TRUTHS:
            return _TRUTHS[text]
        case "bool":
            raise ValueError("write true or false")
        case "list" | "dict" | "tuple" | "set":
            return _collection(kind, text)
        case _:
            return _anything(text)


def _collection(kind: str, text: str) -> object:
    value = json.loads(text)
    wanted: type = dict if kind == "dict" else list
    if not isinstance(value, wanted):
        raise ValueError(f"it is JSON of another type, {type(value).__name__}")  # noqa: TRY004  # it is about a text
    makers: Mapping[str, Callable[[Any], object]] = {"tuple": tuple, "set": set}
    return makers[kind](value) if kind in makers else value


def _anything(text: str) -> object:
    if text in _NONES:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _reader(parameter: Parameter) -> Callable[[str], object]:
    def read(text: str) -> object:
        """The value, or a message for people."""
        try:
            return value_of(parameter.type, text)
        except (ValueError, RecursionError, TypeError) as cause:
            kind = parameter.type or "value"
            example = f"for example `{_flags(parameter.name)[0]} {_EXAMPLES.get(kind, '1')}`"
            reason = "" if kind in {"int", "float"} else f": {cause}"
            raise argparse.ArgumentTypeError(f"{text!r} is no {kind}{reason}; {example}") from None

    return read


def _flags(name: str) -> tuple[str, ...]:
    """The options of a parameter; `_` may be written as `-`."""
    dashed = f"--{name.strip('_').replace('_', '-')}"
    return (f"--{name}",) if "_" not in name.strip("_") else (f"--{name}", dashed)


def _examples(program: str, parameters: Sequence[Parameter], own: Sequence[Own]) -> str:
    inputs = " ".join(f"--{one.name} {one.metavar}" for one in own if one.in_examples)
    lines = [f"  {program} {inputs}".rstrip()]
    if parameters:
        first = parameters[0]
        value = _EXAMPLES.get(first.type or "", "1")
        lines.append(f"{lines[0]} --{first.name} {value}")
    return "\n".join(["examples:", *lines])


def _shown_default(default: object) -> str:
    if default is UNBOUND:
        return "default: as the notebook computes it"
    text = repr(default)
    return f"default: {text if len(text) <= 60 else text[:57] + '...'}"  # noqa: PLR2004  # what fits on a line


def _plain(text: str) -> str:
    """Text that argparse does not format."""
    return text.replace("%", "%%")
