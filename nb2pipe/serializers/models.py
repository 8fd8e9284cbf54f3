"""scikit-learn: trees of neighbors count how often they were asked, which is no part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.shapes import Made

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_TREES: Final = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
_COUNTERS: Final = slice(7, 11)
"""Where the state of a tree has what it counts."""


def rule(kind: type) -> Rule | None:
    """The rule for a type of scikit-learn's."""
    return _tree if any(base.__module__ in _TREES for base in kind.__mro__) else None


def _tree(value: object, context: Context) -> Shape:
    shape = by_protocol(value, context)
    if isinstance(shape, Made) and isinstance(shape.state, tuple):
        state: tuple[Any, ...] = shape.state
        shape.identity = lambda: ("tree", shape.make, *shape.args, *state[: _COUNTERS.start], *state[_COUNTERS.stop :])
    return shape
