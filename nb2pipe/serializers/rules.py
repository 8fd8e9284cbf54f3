"""What a rule is: it reduces the objects of a type to a shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nb2pipe.serializers.shapes import Shape

if TYPE_CHECKING:
    from nb2pipe.serializers.names import Names


class Context:
    """What rules may know.

    Attributes:
        namespace: The notebook's `__main__` dictionary.
        names: What goes by reference.
        changing: Closure cells, by `id`, that a function binds anew.
        private: Arrays, by `id`, whose memory is shared with nobody.
        still: Containers, by `id`, that belong to an immutable object, and so tie nothing.
        kept: What rules have made so far, by a key of theirs: one storage for all tensors on it.
    """

    def __init__(self, namespace: dict[str, object], names: Names) -> None:
        self.namespace = namespace
        self.names = names
        self.changing: set[int] = set()
        self.private: set[int] = set()
        self.still: set[int] = set()
        self.kept: dict[object, object] = {}


Rule = Callable[[object, Context], Shape]
"""Takes an object and what there is to know, gives the object's shape."""
