"""Secret values, found wherever they stand in what a run leaves: outputs of cells, errors, notes, a difference to git.

Names tell which values are secret (`records.values`); a value is then looked for in all texts, since code prints what
it was given, and libraries put it into their errors. Texts of fewer than six characters count only as whole words, and
those of fewer than three not at all: `no` and `on` stand everywhere.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nb2pipe.records.events import (
    CellFinished,
    Failure,
    Noted,
    OutputWritten,
    ParameterSet,
    RunFinished,
    RunStarted,
    StepFailed,
    StepRetried,
    StepSkipped,
)
from nb2pipe.records.values import MASK, is_secret, masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.records.events import Event

    E = TypeVar("E", bound=Event)

_TEXTS = ("text", "outputs", "message", "hint", "value")
"""The fields of events that hold what code printed or said."""

_LONG = 6
_SHORT = 3
_NO_SECRETS = frozenset({"true", "false", "none", "null", "yes", "off"})
_ASSIGNED = re.compile(
    r"""(?P<head>(?P<name>[A-Za-z_]\w*)(?:\\?["'])?\s*(?::\s*\w+\s*)?[=:]\s*[rbuRBU]?(?P<quote>\\?["']))"""
    r"""(?P<value>[^\n]+?)(?P<end>(?P=quote)|$)""",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Masking:
    """Replaces secret values in texts.

    Attributes:
        values: The secret values; no `repr` shows them.
    """

    values: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: Masking) -> Masking:
        """One that replaces what either does."""
        return Masking(self.values | other.values)

    def text(self, text: str) -> str:
        """A text with a mask for each secret value.

        >>> Masking(frozenset({"s3cret!"})).text("login with s3cret!")
        'login with ********'
        """
        pattern = _pattern(self.values)
        return pattern.sub(MASK, text) if pattern else text

    def value(self, value: Any) -> Any:
        """Texts, lists and dictionaries with a mask for each secret value; of other kinds the same object."""
        if not self.values:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return type(value)({key: self.value(item) for key, item in value.items()})
            case list() | tuple():
                return type(value)(self.value(item) for item in value)
            case _:
                return value

    def difference(self, patch: bytes) -> bytes:
        """A difference of files: secret values, and what is assigned as a text to a secret name, are masked."""
        return self.line(patch.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def line(self, text: str) -> str:
        """Lines of code: secret values, and what is assigned as a text to a secret name, are masked.

        >>> Masking().line('token = "abc')
        'token = "********'
        """
        return _ASSIGNED.sub(_hidden, self.text(text))

    def failure(self, failure: Failure) -> Failure:
        """An error of the author's code."""
        if not self.values:
            return failure
        line = failure.source_line
        return replace(
            failure,
            message=self.text(failure.message),
            traceback=self.text(failure.traceback),
            source_line=None if line is None else self.text(line),
            hint=None if failure.hint is None else self.text(failure.hint),
        )

    def event(self, event: E) -> E:
        """An event, as whoever listens may see it."""
        return self._event(event) if self.values else event  # type: ignore[return-value]  # of the same class

    def shown(self, event: E) -> E:
        """An event as all but the record may see it, which has to know which parameters are secret."""
        if not isinstance(event, RunStarted):
            return event
        return replace(event, parameters=self.value(masked(event.parameters)))

    def _event(self, event: Event) -> Event:
        match event:
            case OutputWritten() | CellFinished() | Noted() | StepSkipped() | ParameterSet():
                found = {name: self.value(getattr(event, name)) for name in _TEXTS if hasattr(event, name)}
                return replace(event, **found)
            case StepFailed() | StepRetried() | RunFinished(failure=Failure()):
                assert event.failure is not None
                return replace(event, failure=self.failure(event.failure))
            case _:
                return event


def _hidden(found: re.Match[str]) -> str:
    if not is_secret(found["name"]) or not found["value"].strip("*"):
        return found[0]
    return f"{found['head']}{MASK}{found['end']}"


def masking_of(parameters: Mapping[str, object]) -> Masking:
    """What replaces the secret values among parameters, those in dictionaries within them too."""
    hidden = masked(parameters)
    return Masking(frozenset(text for name, value in parameters.items() for text in _secrets(value, hidden[name])))


def masking_of_environment(variables: Mapping[str, str], declared: Iterable[str] = ()) -> Masking:
    """What replaces the secret values of environment variables.

    Args:
        variables: The environment.
        declared: The variables that `secret:` tags name; of the others the name tells.

    A variable that is not declared and holds the path of something that is there is no secret: records name paths.
    """
    known = frozenset(declared)
    return Masking(
        frozenset(
            value
            for name, value in variables.items()
            if name in known or (is_secret(name) and not _is_path(value))
            if value
        )
    )


def _is_path(value: str) -> bool:
    try:
        return value.startswith(("/", "~")) and Path(value).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False


def _secrets(value: object, hidden: object) -> Iterator[str]:
    """The texts of a value that its masked form hides."""
    if hidden is value:
        return
    match value, hidden:
        case dict(), dict():
            for key, item in value.items():
                yield from _secrets(item, hidden[key])
        case list(), list():
            for one, two in zip(value, hidden, strict=True):
                yield from _secrets(one, two)
        case _:
            yield from _leaves(value)


def _leaves(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("utf-8", "replace")
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from _leaves(item)
        case bool() | None:
            return
        case _:
            yield str(value)


@lru_cache(maxsize=64)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    """What finds the values in each of the forms that texts give them, the longest first."""
    forms: dict[str, str] = {}
    for value in values:
        whole = value.strip()
        if len(whole) < _SHORT or whole.lower() in _NO_SECRETS:
            continue
        for form in _forms(value) | _forms(whole):
            quoted = re.escape(form)
            forms[form] = quoted if len(whole) >= _LONG else rf"(?<!\w){quoted}(?!\w)"
    if not forms:
        return None
    return re.compile("|".join(forms[form] for form in sorted(forms, key=len, reverse=True)))


def _forms(value: str) -> set[str]:
    """A value as it is, and as Python, JSON, HTML and URLs write it."""
    return {
        value,
        repr(value)[1:-1],
        repr(repr(value)[1:-1])[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        html.escape(value),
        html.escape(value, quote=False),
        urllib.parse.quote(value, safe=""),
        urllib.parse.quote_plus(value),
    }
