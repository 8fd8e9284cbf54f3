"""What a library's object fills in when it is asked: it can tell it again, so it travels, but is no part of the value.

Otherwise to read `df.groupby("k").groups` or `graph.nodes` were to change the variable. A cache of a class of the
notebook is state: what fills it may draw random numbers, or count.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from nb2pipe.serializers.shapes import NOTHING, Made

if TYPE_CHECKING:
    from nb2pipe.serializers.names import Names
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_BY_LIBRARY: Final[dict[str, frozenset[str]]] = {
    "pandas": frozenset({"_cache"}),
    "scipy": frozenset({"_has_sorted_indices", "_has_canonical_format"}),
    "networkx": frozenset({"__networkx_cache__"}),
    "sklearn": frozenset({"_stop_words_id", "_deprecated_key_to_warnings"}),
}
"""Attributes that hold such caches, or addresses, or warnings that a round trip drops."""

_LAZY: Final = frozenset({"cached_property", "lazy_property", "_lazy_property_and_property"})
"""Descriptors whose value stands among the attributes under their own name, once somebody has asked."""


def aware(rule: Rule, kind: type, names: Names) -> Rule:
    """The rule for a type, by which what it fills in is no part of its value."""
    lazy = frozenset(name for base in kind.__mro__ for name in _lazy_of(base, names))
    if not lazy:
        return rule

    def reduced(value: object, context: Context) -> Shape:
        shape = rule(value, context)
        return _without(shape, lazy) if isinstance(shape, Made) and shape.identity is None else shape

    return reduced


def _lazy_of(base: type, names: Names) -> frozenset[str]:
    library = base.__module__.partition(".")[0]
    if library in ("builtins", "__main__") or not names.is_installed(library):
        return frozenset()
    return _descriptors(base) | _BY_LIBRARY.get(library, frozenset())


@lru_cache(maxsize=4096)
def _descriptors(base: type) -> frozenset[str]:
    return frozenset(name for name, part in vars(base).items() if type(part).__name__ in _LAZY)


def _without(made: Made, lazy: frozenset[str]) -> Made:
    state = made.state
    if state is NOTHING or state is None:
        state = {}
    if not isinstance(state, dict):
        return made
    kept = [part for pair in state.items() if pair[0] not in lazy for part in pair]
    filled = [part for pair in made.pairs for part in pair]
    made.identity = lambda: (made.make, *made.args, "state", *kept, made.setter, *made.items, "pairs", *filled)
    return made
