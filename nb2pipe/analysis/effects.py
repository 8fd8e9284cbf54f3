"""What calls of libraries do, from the table of data `effects.toml`: its phrases are parsed here, once."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Result(StrEnum):
    """How what a call returns relates to what it was given; `effects.toml` explains them."""

    PLAIN = "plain"
    NEW = "new"
    SAME = "same"
    VIEW = "view"
    SELF = "self"
    HOLDS = "holds"
    ELEMENT = "element"
    ELEMENTS = "elements"
    MANY = "many"
    ITEMS = "items"
    PAIRS = "pairs"
    ZIP = "zip"
    MEMORY = "memory"
    MAPPED = "mapped"
    CHILD = "child"
    RETURNED = "returned"


_REGISTERING = ("sklearn.experimental", "mpl_toolkits", "this")
"""Modules of known libraries that are imported for what importing them does."""

_RESULTS = frozenset(str(result) for result in Result)


@dataclass(frozen=True, slots=True)
class ArgumentName:
    """An argument, by its place or its keyword."""

    place: int | None = None
    keyword: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a call does.

    Attributes:
        result: What it returns.
        type: The dotted type of what it returns, if that is known.
        changes: What it changes in place: `self`, `deep` (all that self holds), `all` (each argument), or a place.
        keeps: The receiver holds the arguments from then on.
        hands: The functions that it is given are called with the receiver itself.
        certain: Whether it surely does; otherwise nothing is known of it.
        draws: Generators that it draws from or seeds; `own` stands for those of its receiver and arguments.
        later: Generators that what it returns draws from when it is used.
        given: The argument that makes it draw at all.
        unless: The argument that makes it draw from nothing global.
        reads: The arguments that are paths it reads.
        writes: The arguments that are paths it writes.
        makes: The argument that is a folder it makes.
        lists: The argument that is a folder, or a pattern of paths, all of which it reads.
        fills: The argument that is a folder in which it writes.
        opens: The argument that is a path it reads or writes, and the one that says which of them.
        sets: Hidden state that it sets.
        needs: Hidden state that it depends on.
        scalar: With no more arguments by place than this, and neither `size` nor `axis`, it returns a number.
        number: Of numbers it returns a number.
        unpickles: It finds classes of the notebook by their names; with the argument that allows it (`yes NAME`) or
            that has to be false for it (`no NAME`).
    """

    result: Result = Result.NEW
    type: str = ""
    changes: tuple[str, ...] = ()
    keeps: bool = False
    hands: bool = False
    certain: bool = True
    draws: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    given: str | None = None
    unless: str | None = None
    reads: tuple[ArgumentName, ...] = ()
    writes: tuple[ArgumentName, ...] = ()
    makes: tuple[ArgumentName, ...] = ()
    lists: tuple[ArgumentName, ...] = ()
    fills: tuple[ArgumentName, ...] = ()
    opens: tuple[ArgumentName, ...] = ()
    sets: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    scalar: int | None = None
    number: bool = False
    unpickles: tuple[str, ...] | None = None


UNKNOWN = Effect(result=Result.HOLDS, changes=("self", "deep", "all"), certain=False)
"""A call of which nothing is known: it may change all it is given, and keep it."""


def parse_phrase(phrase: str) -> Effect:
    """An effect, from the words of `effects.toml`.

    Raises:
        ValueError: A word is not known.

    >>> parse_phrase("plain; changes 0").changes
    ('0',)
    """
    effect = Effect()
    for clause in phrase.split(";"):
        word, *rest = clause.split()
        effect = _with_clause(effect, word, rest)
    return effect


def _with_clause(effect: Effect, word: str, rest: list[str]) -> Effect:
    if word in _RESULTS:
        return replace(effect, result=Result(word), type=rest[0] if rest else "")
    if word not in _CLAUSES:
        message = f"unknown word in the table of effects: {word!r}"
        raise ValueError(message)
    return _CLAUSES[word](effect, rest)


def _with_draws(effect: Effect, rest: list[str]) -> Effect:
    generators, conditions = _conditions(rest)
    return _conditional(replace(effect, draws=effect.draws | generators), conditions)


def _with_later(effect: Effect, rest: list[str]) -> Effect:
    generators, conditions = _conditions(rest)
    return _conditional(replace(effect, later=effect.later | generators), conditions)


def _conditional(effect: Effect, conditions: dict[str, str]) -> Effect:
    return replace(effect, given=conditions.get("given"), unless=conditions.get("unless"))


def _conditions(words: list[str]) -> tuple[frozenset[str], dict[str, str]]:
    """The generators before the words `if` and `unless`, and the arguments after them."""
    keys = {"if": "given", "unless": "unless"}
    places = [place for place, word in enumerate(words) if word in keys]
    end = places[0] if places else len(words)
    return frozenset(words[:end]), {keys[words[place]]: words[place + 1] for place in places}


def _argument(text: str) -> ArgumentName:
    place, _, keyword = text.partition("/")
    return ArgumentName(int(place) if place.isdigit() else None, keyword or (None if place.isdigit() else place))


_CLAUSES: dict[str, Callable[[Effect, list[str]], Effect]] = {
    "changes": lambda effect, rest: replace(effect, changes=tuple(rest)),
    "keeps": lambda effect, _: replace(effect, keeps=True),
    "hands": lambda effect, _: replace(effect, hands=True),
    "maybe": lambda effect, _: replace(effect, certain=False),
    "draws": _with_draws,
    "later": _with_later,
    "reads": lambda effect, rest: replace(effect, reads=(*effect.reads, *map(_argument, rest))),
    "writes": lambda effect, rest: replace(effect, writes=(*effect.writes, *map(_argument, rest))),
    "makes": lambda effect, rest: replace(effect, makes=tuple(map(_argument, rest))),
    "lists": lambda effect, rest: replace(effect, lists=tuple(map(_argument, rest))),
    "fills": lambda effect, rest: replace(effect, fills=tuple(map(_argument, rest))),
    "opens": lambda effect, rest: replace(effect, opens=tuple(map(_argument, rest))),
    "sets": lambda effect, rest: replace(effect, sets=effect.sets | frozenset(rest)),
    "needs": lambda effect, rest: replace(effect, needs=effect.needs | frozenset(rest)),
    "scalar": lambda effect, rest: replace(effect, scalar=int(rest[0])),
    "number": lambda effect, _: replace(effect, number=True),
    "unpickles": lambda effect, rest: replace(effect, unpickles=tuple(rest)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the table says of a module or a type.

    Attributes:
        calls: Effects of functions or methods, by name.
        attributes: Effects of reading an attribute, by name.
        otherwise: The effect of what is not named.
        base: The type whose methods it has too.
        instances: The type whose methods the instances of the module's classes have.
        state: Hidden state that every call of it depends on.
    """

    calls: Mapping[str, Effect] = field(default_factory=dict)
    attributes: Mapping[str, Effect] = field(default_factory=dict)
    otherwise: Effect | None = None
    base: str | None = None
    instances: str | None = None
    state: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Effects:
    """The table of library effects."""

    sections: Mapping[str, Section]
    _functions: dict[str, Effect] = field(default_factory=dict, compare=False, repr=False)

    def of_function(self, path: str) -> Effect:
        """What a call of a library's function or class does, by its dotted name."""
        if path not in self._functions:
            self._functions[path] = self._find_function(path)
        return self._functions[path]

    def _find_function(self, path: str) -> Effect:
        otherwise: Effect | None = None
        for prefix, name, section in self._sections_of(path):
            if effect := section.calls.get(name) or section.calls.get(_any_holder(name)):
                made = effect.result is Result.HOLDS and not effect.type and _is_class(path)
                return _with_state(replace(effect, type=path) if made else effect, section)
            otherwise = otherwise or self._otherwise(path, prefix, section)
        return otherwise or (UNKNOWN if not _is_class(path) else replace(UNKNOWN, type=path))

    def _otherwise(self, path: str, prefix: str, section: Section) -> Effect | None:
        if prefix == path:
            return Effect(result=Result.HOLDS, type=path, needs=section.state)
        if section.otherwise is None and section.instances is None:
            return None
        if _is_class(path):
            return Effect(result=Result.HOLDS, type=path, needs=section.state)
        return _with_state(section.otherwise, section) if section.otherwise else None

    def of_method(self, kind: str, name: str) -> Effect | None:
        """What a call of a method of a type does; None where nothing is known."""
        for section in self._types(kind):
            if effect := section.calls.get(name):
                return _with_state(effect, section)
            if section.otherwise is not None:
                return _with_state(section.otherwise, section)
        return None

    def has_method(self, kind: str, name: str) -> bool:
        """Whether the table names a method of a type."""
        return any(name in section.calls for section in self._types(kind))

    def of_attribute(self, kind: str, name: str) -> Effect | None:
        """What reading an attribute of an instance gives; None where it is not in the table."""
        for section in self._types(kind):
            if effect := section.attributes.get(name):
                return effect
        return None

    def knows_module(self, path: str) -> bool:
        """Whether the table has something on a module."""
        return path.partition(".")[0] in self.sections

    def acts_on_import(self, module: str) -> bool:
        """Whether importing a module may do something that a step sees which does not mention it.

        >>> known = effects()
        >>> [known.acts_on_import(name) for name in ("numpy", "os.path", "sklearn.experimental", "helpers")]
        [False, False, True, True]
        """
        top = module.partition(".")[0]
        if module.startswith(_REGISTERING):
            return True
        return top not in sys.stdlib_module_names and top not in self.sections

    def knows_type(self, kind: str) -> bool:
        """Whether the table has something on a type."""
        return next(self._types(kind), None) is not None

    def is_type(self, path: str) -> bool:
        """Whether the table knows a path as a type rather than a module.

        >>> known = effects()
        >>> [known.is_type(path) for path in ("builtins.list", "numpy.ndarray", "pandas.DataFrame", "numpy.random")]
        [True, True, True, False]
        """
        typed = path.startswith("builtins.") or path == "numpy.ndarray" or _is_class(path)
        return typed and path in self.sections

    def is_a(self, kind: str, base: str) -> bool:
        """Whether a type is another one, or has it as a base."""
        return kind == base or any(name == base for name in self._type_names(kind))

    def _types(self, kind: str) -> Iterator[Section]:
        for name in self._type_names(kind):
            if section := self.sections.get(name):
                yield section

    def _type_names(self, kind: str) -> Iterator[str]:
        name: str | None = kind
        if kind and kind not in self.sections:
            name = next((section.instances for _, _, section in self._sections_of(kind) if section.instances), None)
        while name:
            yield name
            section = self.sections.get(name)
            name = section.base if section else None

    def _sections_of(self, path: str) -> Iterator[tuple[str, str, Section]]:
        parts = path.split(".")
        for count in range(len(parts), 0, -1):
            prefix = ".".join(parts[:count])
            if section := self.sections.get(prefix):
                yield prefix, ".".join(parts[count:]), section


def _any_holder(name: str) -> str:
    """The name of a function whatever holds it.

    >>> _any_holder("stats.norm.rvs")
    'stats.*.rvs'
    """
    module, _, rest = name.partition(".")
    return f"{module}.*.{rest.rpartition('.')[2]}"


def _is_class(path: str) -> bool:
    return path.rpartition(".")[2][:1].isupper()


def _with_state(effect: Effect, section: Section) -> Effect:
    return replace(effect, needs=effect.needs | section.state) if section.state else effect


def parse_table(text: str) -> Effects:
    """The table, from TOML text."""
    return Effects(_Sections(tomllib.loads(text)))


class _Sections(Mapping[str, Section]):
    """The sections of a table; each is read when it is asked for, since a notebook uses few of them."""

    def __init__(self, entries: Mapping[str, Mapping[str, object]]) -> None:
        self._entries = entries
        self._read: dict[str, Section] = {}

    def __getitem__(self, name: str) -> Section:
        if name not in self._read:
            self._read[name] = _section(dict(self._entries[name]))
        return self._read[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _section(entries: dict[str, object]) -> Section:
    attributes = entries.pop("attributes", {})
    assert isinstance(attributes, dict)
    special = {key: str(entries.pop(key)) for key in ("otherwise", "is", "instances", "state") if key in entries}
    return Section(
        calls=_by_name(entries),
        attributes=_by_name(attributes),
        otherwise=parse_phrase(special["otherwise"]) if "otherwise" in special else None,
        base=special.get("is"),
        instances=special.get("instances"),
        state=frozenset(special.get("state", "").split()),
    )


def _by_name(entries: Mapping[str, object]) -> dict[str, Effect]:
    found: dict[str, Effect] = {}
    for phrase, names in entries.items():
        effect = parse_phrase(phrase)
        found.update(dict.fromkeys(str(names).split(), effect))
    return found


@cache
def effects() -> Effects:
    """The table that ships with the package."""
    return parse_table(resources.files("nb2pipe.analysis").joinpath("effects.toml").read_text(encoding="utf-8"))
