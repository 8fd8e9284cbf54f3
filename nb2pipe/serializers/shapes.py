"""What an object graph is made of: each object is reduced once to one of these shapes, and all else reads shapes.

Writing, digesting, comparing and telling which variables belong together are walks over the same shapes, so that they
cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

ATOMS: Final = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented)})
"""Types whose values are immutable, hold nothing, and are written where they stand."""

LEAF_SIZE: Final = 64 * 1024
"""From this size on, memory lies apart in the store by its own digest, and is mapped when it is loaded."""


class UnstorableError(StoreError):
    """A variable cannot be passed to another step.

    Attributes:
        name: The variable.
        path: The way to the culprit as Python would write it, such as `state["log"].stream`.
    """

    def __init__(self, name: str, path: str, reason: str, hint: str) -> None:
        place = f"`{name}`" if path == name else f"`{name}`, because of `{path}`,"
        super().__init__(f"the variable {place} cannot be passed to another step: {reason}", hint=hint)
        self.name = name
        self.path = path
        self.reason = reason


class Nothing:
    """Stands for a state that there is not; None is a state."""


NOTHING: Final = Nothing()


class Namespace:
    """Stands for the notebook's `__main__` dictionary, whichever that is where the graph is loaded."""


NAMESPACE: Final = Namespace()


@dataclass(eq=False, slots=True)
class Extent:
    """Memory that an array or a storage looks at. Those that overlap become one region, and stay shared.

    Attributes:
        start: Address.
        size: In bytes; more than none.
        owner: What keeps the memory alive.
        private: It is not shared with others that are private, even where they overlap: pandas' copy-on-write.
        whole: The owner has this memory and no more, so that what looks at it can look at the owner.
        device: Where the address counts; empty for main memory.
        fetch: Gives the bytes where they are not in main memory, or are to be put in order first.
    """

    start: int
    size: int
    owner: object
    private: bool = False
    whole: bool = False
    device: str = ""
    fetch: Callable[[], bytes | bytearray | memoryview] | None = None


@dataclass(eq=False, slots=True)
class Offset:
    """Where an extent begins in its region, and some bytes after that."""

    extent: Extent
    plus: int = 0


@dataclass(eq=False, slots=True)
class Quiet:
    """A value through which variables do not tie: what belongs to a class's definition, not to its state."""

    value: object


MARKS: Final = frozenset({Nothing, Namespace, Extent, Offset})
"""Types that are no objects of the user's, and have no shape."""


@dataclass(slots=True)
class Items:
    """A list, tuple, set or frozenset."""

    kind: type
    items: Sequence[object]


@dataclass(slots=True)
class Pairs:
    """A dict."""

    pairs: dict[object, object]


@dataclass(slots=True)
class Named:
    """Something that a library has under a name."""

    module: str
    qualname: str


@dataclass(slots=True)
class Through:
    """Stands for another value."""

    value: object


@dataclass(slots=True)
class Raw:
    """Bytes in a mutable `bytearray`, in an `array` of a type code, or in a frozen buffer."""

    data: bytes | bytearray | memoryview
    frozen: bool = False
    typecode: str = ""
    extent: Extent | None = None


@dataclass(slots=True)
class Refused:
    """What cannot be stored."""

    reason: str
    hint: str


@dataclass(slots=True)
class Made:
    """An object that a call makes, and that then gets its state: what `__reduce__` says.

    Attributes:
        make: What is called.
        args: Its arguments.
        state: What the object gets after it was made.
        items: What is appended to it.
        pairs: What is set in it by key.
        setter: Called with object and state; None is pickle's `__setstate__` or `__dict__`.
        needs: What a function reads as globals; given to a namespace that lacks it. No part of the value.
        ties: Whether two variables that reach it belong together.
        within: Whether it ties as well where it is reached through a definition of the notebook.
        definition: Whether it is a function or class that the notebook has under its own name.
        identity: What is digested in place of how it is made.
        labels: How a path names its parts.
    """

    make: object
    args: tuple[object, ...] = ()
    state: object = NOTHING
    items: list[object] = field(default_factory=list)
    pairs: list[tuple[object, object]] = field(default_factory=list)
    setter: object = None
    needs: dict[str, object] = field(default_factory=dict)
    ties: bool = True
    within: bool = True
    definition: bool = False
    identity: Callable[[], tuple[object, ...]] | None = None
    labels: tuple[tuple[str, object], ...] = ()


Shape = Items | Pairs | Named | Through | Raw | Refused | Made


def children(shape: Shape) -> Iterator[object]:
    """What a shape holds directly, atoms too; without what a function needs."""
    match shape:
        case Items(items=items):
            yield from items
        case Pairs(pairs=pairs):
            yield from pairs
            yield from pairs.values()
        case Made():
            yield from _parts(shape)
        case Through(value=value) | Raw(extent=value) if value is not None:
            yield value
        case _:
            return


def objects(shape: Shape) -> list[object]:
    """What a shape holds directly and is no atom; without what a function needs."""
    match shape:
        case Items(items=items):
            return [item for item in items if type(item) not in ATOMS]
        case Pairs(pairs=pairs):
            found = [key for key in pairs if type(key) not in ATOMS]
            found.extend(value for value in pairs.values() if type(value) not in ATOMS)
            return found
        case _:
            return [child for child in children(shape) if type(child) not in ATOMS]


def _parts(shape: Made) -> Iterator[object]:
    yield shape.make
    yield from shape.args
    yield shape.state
    yield shape.setter
    yield from shape.items
    for key, value in shape.pairs:
        yield key
        yield value


def is_plain(value: object) -> bool:
    """Whether a value is an atom, or a tuple of atoms: it has no identity that anybody could see."""
    kind = type(value)
    return kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, value)))  # type: ignore[call-overload] # a tuple
