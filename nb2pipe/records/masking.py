"""Secret values, found wherever they stand in what a run leaves: outputs of cells, errors, notes, a difference to git.

Names tell which values are secret (`records.values`); a value is then looked for in all texts, since code prints what
it was given, and libraries put it into their errors. `records.forms` says in which forms.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from nb2pipe.records.events import (
    CellFinished,
    CheckpointSaved,
    DataUsed,
    Failure,
    FigureLogged,
    MetricLogged,
    Noted,
    OutputWritten,
    ParameterSet,
    RunFinished,
    RunStarted,
    SeriesRecorded,
    StepFailed,
    StepObserved,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from nb2pipe.records.forms import LONG, pattern
from nb2pipe.records.model import Checkpoint, StepTrace
from nb2pipe.records.values import MASK, is_secret, masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.records.events import Event

    E = TypeVar("E", bound=Event)

_TEXTS: Mapping[type, tuple[str, ...]] = {
    RunStarted: ("name", "tags", "note"),
    StepStarted: ("description",),
    OutputWritten: ("text",),
    CellFinished: ("outputs",),
    StepSkipped: ("message",),
    StepRetried: ("failure",),
    StepFailed: ("failure",),
    StepObserved: ("trace",),
    MetricLogged: ("name",),
    SeriesRecorded: ("series",),
    ParameterSet: ("name", "value"),
    DataUsed: ("path", "name"),
    FigureLogged: ("name",),
    CheckpointSaved: ("checkpoint",),
    Noted: ("message", "hint"),
    RunFinished: ("failure", "metrics"),
}
"""The fields of events that hold what code printed or said, and names that it gave."""

_STYLES = re.compile(r"\x1b\[[0-9;:]*m")
_NAMED = "the name of a file that it uses holds a secret value, which is not kept"
_NAMED_SO = r"""(?:\\n)?(?P<name>[A-Za-z_]\w*)(?:\\?["'])?\s*(?::\s*\w+\s*)?[=:]\s*[rbuRBU]?"""
_ASSIGNED = re.compile(
    rf"""(?P<head>{_NAMED_SO}(?P<quote>\\?["']))(?P<value>(?!(?P=quote))[^\n]+?)(?P<end>(?P=quote)|$)""", re.MULTILINE
)
_BLOCK = re.compile(
    rf"""(?P<head>{_NAMED_SO}(?P<quote>(?P<one>\\?["'])(?P=one)(?P=one)))(?P<body>.*?)(?P=quote)""", re.DOTALL
)
_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----(?P<body>.+?)-----END", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Masking:
    """Replaces secret values in texts.

    Attributes:
        values: The secret values; no `repr` shows them.
        learned: Those that show while a run goes on: whoever has this masking replaces them from then on.
    """

    values: frozenset[str] = field(default=frozenset(), repr=False)
    learned: list[frozenset[str]] = field(default_factory=list, repr=False, compare=False)

    def __bool__(self) -> bool:
        """Whether there is anything to replace."""
        return bool(self.values or self.learned)

    def __or__(self, other: Masking) -> Masking:
        """One that replaces what either does."""
        return Masking(self.all | other.all)

    @property
    def all(self) -> frozenset[str]:
        """The values, those included that showed since."""
        return self.values.union(*self.learned)

    def text(self, text: str) -> str:
        """A text with a mask for each secret value.

        >>> Masking(frozenset({"s3cret!"})).text("login with s3cret!")
        'login with ********'
        """
        found = pattern(self.all)
        if found is None:
            return text
        shown = found.sub(MASK, text)
        if "\x1b[" in shown and found.search(plain := _STYLES.sub("", shown)):
            return found.sub(MASK, plain)  # colors stand within a value
        return shown

    def path(self, path: str) -> str:
        """A path, where short values count for nothing: folders are called so."""
        found = pattern(frozenset(value for value in self.all if len(value.strip()) >= LONG))
        return found.sub(MASK, path) if found else path

    def value(self, value: Any) -> Any:
        """Texts, collections and records with a mask for each secret value; of other kinds the same object."""
        if not self:
            return value
        match value:
            case str():
                return self.text(value)
            case dict():
                return type(value)({self._key(key): self.value(item) for key, item in value.items()})
            case list() | tuple():
                return type(value)(self.value(item) for item in value)
            case _:
                return self._record(value)

    def _record(self, value: Any) -> Any:
        match value:
            case Failure():
                return self.failure(value)
            case Checkpoint():
                return replace(value, path=self.path(value.path))
            case StepTrace():
                return self._trace(value)
            case _:
                return value

    def _key(self, key: object) -> object:
        return self.text(key) if isinstance(key, str) else key

    def difference(self, patch: bytes) -> bytes:
        """A difference of files: secret values, and what is assigned as a text to a secret name, are masked."""
        return self.line(patch.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")

    def line(self, text: str) -> str:
        """Lines of code: secret values, and what is assigned as a text to a secret name, are masked.

        >>> Masking().line('token = "abc')
        'token = "********'
        """
        text = _BLOCK.sub(_hidden_block, _KEY.sub(_without_body, text))
        return _ASSIGNED.sub(_hidden, self.text(text))

    def failure(self, failure: Failure) -> Failure:
        """An error of the author's code."""
        if not self:
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
        fields = _TEXTS.get(type(event)) if self else None
        if fields is None:
            return event
        found = {name: (getattr(event, name), self._field(name, getattr(event, name))) for name in fields}
        changed = {name: new for name, (old, new) in found.items() if new != old}
        return replace(event, **changed) if changed else event

    def error(self, error: BaseException) -> None:
        """Masks what an exception says, and what its causes say: it is shown to the user."""
        seen: set[int] = set()
        each: BaseException | None = error if self else None
        while each is not None and id(each) not in seen:
            seen.add(id(each))
            each.args = self.value(each.args)
            texts = {name: getattr(each, name, None) for name in ("message", "hint", "filename")}
            for name, text in texts.items():
                if isinstance(text, str) and (shown := self.text(text)) != text:
                    setattr(each, name, shown)
            each = each.__cause__ or each.__context__

    def shown(self, event: E) -> E:
        """An event as all but the record may see it, which has to know which parameters are secret."""
        if not isinstance(event, RunStarted):
            return event
        return replace(event, parameters=self.value(masked(event.parameters)))

    def _field(self, name: str, value: Any) -> Any:
        return self.path(value) if name == "path" else self.value(value)

    def _trace(self, trace: StepTrace) -> StepTrace:
        """What a step was seen to use: where a mask stands in a path, nobody can look at the file any more."""
        shown = replace(
            trace,
            reads=self._paths(trace.reads),
            brought=self._paths(trace.brought),
            listed=self._paths(trace.listed),
            writes=self._paths(trace.writes),
            folders=tuple(map(self.path, trace.folders)),
            reasons=tuple(map(self.text, trace.reasons)),
        )
        return trace if shown == trace else replace(shown, reasons=(*shown.reasons, _NAMED))

    def _paths(self, files: Mapping[str, Any]) -> dict[str, Any]:
        return {self.path(path): told for path, told in files.items()}


def _hidden(found: re.Match[str]) -> str:
    if not is_secret(found["name"]) or not found["value"].strip("*"):
        return found[0]
    return f"{found['head']}{MASK}{found['end']}"


def _hidden_block(found: re.Match[str]) -> str:
    return _without_body(found) if is_secret(found["name"]) and found["body"] else found[0]


def _without_body(found: re.Match[str]) -> str:
    """A text over several lines, each of which keeps what a difference begins it with."""
    first, *rest = found["body"].split("\n")
    body = "\n".join([MASK if first.strip() else first, *(line[:1] + MASK for line in rest)])
    return found[0].replace(found["body"], body)


def masking_of(parameters: Mapping[str, object]) -> Masking:
    """What replaces the secret values among parameters, those in dictionaries within them too."""
    hidden = masked(parameters)
    found = {text for name, value in parameters.items() for text in _secrets(value, hidden[name])}
    return Masking(frozenset(part for text in found for part in _whole(text)))


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
            part
            for name, value in variables.items()
            if name in known or (is_secret(name) and not _is_path(value))
            if value
            for part in _whole(value)
        )
    )


def _whole(text: str) -> Iterator[str]:
    """A secret text, and where it is JSON, such as the key of a service account, the secrets in it."""
    yield text
    if text.lstrip().startswith("{"):
        try:
            told = json.loads(text)
        except (ValueError, RecursionError):
            return
        yield from masking_of(told).values


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
        case list() | tuple(), list() | tuple():
            for one, two in zip(cast("Sequence[object]", value), cast("Sequence[object]", hidden), strict=True):
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
