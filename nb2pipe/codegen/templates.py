"""The one Jinja environment: templates print only what a filter has proven to be code."""

from __future__ import annotations

import keyword
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.values import value_text
from nb2pipe.codegen.modules.words import docstring, one_line
from nb2pipe.errors import ConversionError, UsageError

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parents[1]


class Code(str):
    """Text that may stand in a generated file as it is: a filter has proven it, or a function of ours has made it."""

    __slots__ = ()


def py(value: object) -> Code:
    """The filter `py`: the Python literal of a value, proven to mean it.

    >>> print(py("it's"))
    "it's"
    """
    _check_defined(value)
    return Code(value_text(value))


def ident(name: str) -> Code:
    """The filter `ident`: a name that Python takes as one, with dots where there are several.

    Raises:
        ValueError: It is none.

    >>> ident("lr")
    'lr'
    """
    parts = name.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        raise ValueError(f"{name!r} is no name")
    return Code(name)


def words(text: str) -> Code:
    """The filter `words`: a text as one line, for comments and prose; nothing in it ends the line or hides."""
    return Code(one_line(str(text)))


def doc(text: str, indent: str = "") -> Code:
    """The filter `doc`: a text as a docstring of one paragraph, quotes included."""
    return Code(docstring(one_line(str(text)), indent=indent))


def template_folder() -> Path:
    """Where our templates lie: in a wheel inside the package, in a checkout at its top."""
    installed = _HERE / "_templates"
    return installed if installed.is_dir() else _HERE.parent / "templates"


def render(name: str, overrides: Path | None = None, /, **values: object) -> str:
    """A template with its values.

    Args:
        name: Of the template, such as `package/step.py.jinja`.
        overrides: A folder of the user's: a template of this name in it takes the place of ours.
        **values: What the template names; texts are printed only as `Code`, or through a filter.

    Raises:
        ConversionError: A template of the user's does not work.
        UsageError: There is no such folder.
    """
    from jinja2 import TemplateError  # heavy

    if overrides is not None and not overrides.is_dir():
        raise UsageError(f"--templates {overrides} is no folder")
    try:
        return _environment(overrides).get_template(name).render(values)
    except (TemplateError, ValueError, TypeError) as error:
        if overrides is None or not (overrides / name).is_file():
            raise
        raise ConversionError(
            f"the template {overrides / name} does not work: {error}",
            hint=f"compare it with {template_folder() / name}",
        ) from error


@cache
def _environment(overrides: Path | None) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # heavy

    folders = [template_folder()] if overrides is None else [overrides, template_folder()]
    environment = Environment(
        loader=FileSystemLoader(folders),
        undefined=StrictUndefined,
        finalize=_only_code,
        autoescape=False,  # noqa: S701  # not HTML: `finalize` lets nothing pass that no filter has proven
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"py": py, "ident": ident, "words": words, "doc": doc}
    return environment


def _only_code(value: object) -> Code:
    """What is printed, if it is `Code`.

    Raises:
        TypeError: It is not.
        UndefinedError: Nothing has the name.
    """
    _check_defined(value)
    if not isinstance(value, Code):
        raise TypeError(f"{value!r} is printed without a filter: `py`, `ident`, `words` or `doc`")
    return value


def _check_defined(value: object) -> None:
    from jinja2 import Undefined  # heavy

    if isinstance(value, Undefined):
        str(value)  # raises, naming it
