"""Groovy as a Jenkinsfile has it: texts that are never interpolated, blocks, and Jenkins' own cron."""

from __future__ import annotations

import re
from textwrap import indent
from typing import TYPE_CHECKING, Final

from nb2pipe.codegen.modules.words import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_INDENT: Final = "  "
_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NUMBERS: Final = {name: str(number) for number, name in enumerate(_MONTHS, 1)} | {
    name: str(number) for number, name in enumerate(_DAYS)
}
_HIGHEST: Final = (59, 23, 31, 12, 7)
"""Of the fields of cron."""


def text(value: str) -> str:
    r"""A text between single quotes, in which Groovy replaces nothing.

    >>> print(text("it's ${x} \\u0027"))
    'it\'s ${x} \\u0027'
    """
    return f"'{''.join(map(_escaped, value))}'"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place] << 8 | units[place + 1]:04x}" for place in range(0, len(units), 2))


def script(lines: str) -> str:
    r"""A script between three single quotes.

    >>> print(script("echo 'a'\nprintf '\\n'\n"))
    '''
      echo 'a'
      printf '\\n'
    '''
    """
    body = lines.replace("\\", "\\\\").replace("'''", "\\'\\'\\'").replace("''", "\\'\\'")
    return f"'''\n{indent(body, _INDENT)}'''"


def comment(line: str) -> str:
    r"""A comment of one line; Groovy reads `\u000a` as the end of a line wherever it stands.

    >>> print(comment("a\nb \\u000a"))
    // a b \\u000a
    """
    return "// " + one_line(line).replace("\\", "\\\\")


def block(head: str, lines: Iterable[str]) -> str:
    """A head with lines in braces.

    >>> print(block("steps", ["a()", "b()"]))
    steps {
      a()
      b()
    }
    """
    return f"{head} {{\n" + indent("\n".join(lines), _INDENT) + "\n}"


def cron(fields: str) -> str:
    """Fields of cron as Jenkins takes them: numbers for names, and a range wherever there is a step.

    >>> cron("5/20 3 * jan mon-fri")
    '5-59/20 3 * 1 1-5'
    """
    return " ".join(map(_field, fields.split(), _HIGHEST))


def _field(field: str, highest: int) -> str:
    numbers = re.sub("[A-Za-z]+", lambda found: _NUMBERS[found[0].lower()], field)
    return ",".join(re.sub(r"^(\d+)/", rf"\1-{highest}/", part) for part in numbers.split(","))
