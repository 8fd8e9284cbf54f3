"""matplotlib: figures are pickled as it does itself; numbers of callbacks, which it counts on, are no part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.shapes import Made

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape


def rule(kind: type) -> Rule | None:
    """The rule for a type of matplotlib's."""
    return _callbacks if (kind.__module__, kind.__name__) == ("matplotlib.cbook", "CallbackRegistry") else None


def _callbacks(value: object, context: Context) -> Shape:
    shape = by_protocol(value, context)
    if isinstance(shape, Made) and isinstance(shape.state, dict):
        state: dict[str, Any] = shape.state
        shape.identity = lambda: ("callbacks", state.get("callbacks"))
    return shape
