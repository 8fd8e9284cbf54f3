"""Classes of the notebook by their state, and made one with the class of the same definition where they are loaded."""

from __future__ import annotations

import abc
import collections
import contextlib
import types
import weakref
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.code import PYTHON, fingerprint, is_definition, place_of, resolve
from nb2pipe.serializers.shapes import NAMESPACE, NOTHING, Made, Quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.serializers.code import Place
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

SKIPPED: Final = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__module__",
        "__qualname__",
        "__slots__",
        "__firstlineno__",
        "__static_attributes__",
        "__slotnames__",
    }
    | {"_abc_impl", "__classcell__", "__classdictcell__"}
)
"""What making the class gives it, or what tells only where it was written."""

_REGISTERED: Final = "_abc_registry"
"""Stands among the attributes for the classes that an abstract one was told of by `register`."""

_UNTIED: Final = frozenset({"__annotations__", "__dataclass_fields__", "__dataclass_params__", "__match_args__"})
"""Parts of a definition in which instances share nothing that they change."""

_LAST: Final = ("__doc__", "__abstractmethods__")
"""What making a class gives it, at any place, if its body does not."""

Pairs = tuple[tuple[str, object], ...]

_Older = weakref.WeakValueDictionary[tuple[object, ...], type]

_loaded: list[tuple[dict[str, object], _Older]] = []
"""The last namespace that classes were loaded for, with its definitions by name, bases and functions: instances that
come one by one, and whose class the notebook has defined again since, have one class."""


def rule(kind: type) -> Rule | None:
    """The rule for a class, that is, for what a metaclass makes; and for type variables."""
    if issubclass(kind, type):
        return _class
    if kind.__module__ == "typing" and kind.__name__ in ("TypeVar", "ParamSpec", "TypeVarTuple"):
        return _type_variable
    return None


def _class(value: object, context: Context) -> Shape:
    kind = cast("type", value)
    known = context.names.find(kind)
    if known is not None:
        return known
    if _is_named_tuple(kind):
        return _named_tuple(kind, context)
    slots = _slots(kind)
    attributes = tuple(attributes_of(kind, SKIPPED | set(slots or ())))
    if isinstance(kind, abc.ABCMeta) and (registered := _registered(kind)):
        attributes += ((_REGISTERED, registered),)
    args = (NAMESPACE, type(kind), place_of(kind, context), kind.__bases__, slots)
    made = shape_of(
        kind, context, Made(make_class, (*args, _own_functions(kind)), state=attributes), type(kind), *kind.__bases__
    )
    made.setter = set_class
    return made


def shape_of(kind: type, context: Context, made: Made, *more: object) -> Made:
    """A class's shape; one that was defined again since is no definition any more, and stays apart."""
    attributes = cast("Pairs", made.state)
    made.definition = is_definition(kind, context)
    made.ties = not made.definition
    made.setter = set_late
    made.labels = tuple((f".{name}", part) for name, part in attributes)
    made.identity = lambda: (
        "class",
        kind.__qualname__,
        *more,
        *(part for pair in sorted(attributes, key=lambda one: one[0]) for part in pair),
    )
    return made


def attributes_of(kind: type, skipped: frozenset[str] | set[str]) -> Iterator[tuple[str, object]]:
    """What a class's body and those who came later gave it, but for some names."""
    for name, value in vars(kind).items():
        if name in skipped or name in _LAST:
            continue
        if isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType):
            continue
        if name in _UNTIED:
            yield name, Quiet(dict(value) if isinstance(value, dict) else value)
        else:
            yield name, value
    for name in _LAST:
        if name in vars(kind) and name not in skipped:
            yield name, vars(kind)[name]


def _registered(kind: abc.ABCMeta) -> tuple[type, ...]:
    """The classes that were registered as subclasses; in an order of their names, since nobody keeps another."""
    references = cast("Any", abc)._get_dump(kind)[0]  # noqa: SLF001 # there is no public way
    found = [reference() for reference in references]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: (one.__module__, one.__qualname__)))


def _slots(kind: type) -> tuple[str, ...] | None:
    slots = vars(kind).get("__slots__")
    if slots is None:
        return None
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _own_functions(kind: type) -> tuple[tuple[str, str], ...]:
    """The functions that the class's body defines, by what they do; functions put in later have other names.

    The first names the Python.
    """
    found = [("", PYTHON)]
    for name, value in sorted(vars(kind).items()):
        function = function_of(value)
        if function is not None and function.__qualname__ == f"{kind.__qualname__}.{name}":
            found.append((name, fingerprint(function.__code__)))
    return tuple(found)


def function_of(value: object) -> types.FunctionType | None:
    """The function that a part of a class is, or wraps."""
    if isinstance(value, classmethod | staticmethod):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    return value if isinstance(value, types.FunctionType) else None


def make_class(
    namespace: dict[str, object],
    metaclass: type,
    place: Place,
    bases: tuple[type, ...],
    slots: tuple[str, ...] | None,
    functions: tuple[tuple[str, str], ...],
) -> type:
    """A class without its attributes; the namespace's own where that is the same definition."""
    name, qualname, _, definition = place
    known = resolve(namespace, qualname) if definition else None
    if isinstance(known, type) and known.__bases__ == bases and _is_same(known, functions):
        return known
    older, key = _older(namespace), (qualname, bases, functions)
    if definition and key in older:
        return older[key]
    body: dict[str, object] = {"__module__": module_of(place, namespace), "__qualname__": qualname}
    if slots is not None:
        body["__slots__"] = slots
    maker = _maker(metaclass, namespace)
    with _no_init_subclass(bases):
        made = cast("type", maker.__new__(metaclass, name, bases, body))
    if definition:
        older[key] = made
    return bound_in(namespace, made, definition=definition)


def _older(namespace: dict[str, object]) -> _Older:
    if not _loaded or _loaded[0][0] is not namespace:
        _loaded[:] = [(namespace, weakref.WeakValueDictionary())]
    return _loaded[0][1]


def _maker(metaclass: type, namespace: Mapping[str, object]) -> Any:
    """What makes a class without calling the notebook's code; a `TypedDict` has a dictionary as its base by then."""
    found = next(base for base in metaclass.__mro__ if not _of_notebook(base, namespace))
    return type if (found.__module__, found.__name__) == ("typing", "_TypedDictMeta") else found


def _is_same(known: type, functions: tuple[tuple[str, str], ...]) -> bool:
    """Whether no function that both bodies define differs; code of two Pythons is not comparable."""
    mine = dict(_own_functions(known))
    theirs = dict(functions)
    if mine.pop("") != theirs.pop(""):
        return mine.keys() == theirs.keys()
    return all(mine.get(name, mark) == mark for name, mark in theirs.items())


def module_of(place: Place, namespace: Mapping[str, object]) -> str:
    """What `__module__` of a class is where it is made again."""
    return place[2] or str(namespace.get("__name__", "__main__"))


def _of_notebook(kind: type, namespace: Mapping[str, object]) -> bool:
    return kind.__module__ in ("__main__", namespace.get("__name__"))


def bound_in(namespace: dict[str, object], made: type, *, definition: bool) -> type:
    """A class that was made, which the namespace gets under its name if it lacks it."""
    if definition and made.__qualname__.isidentifier():
        namespace.setdefault(made.__qualname__, made)
    return made


@contextlib.contextmanager
def _no_init_subclass(bases: tuple[type, ...]) -> Iterator[None]:
    """Within it, making a class does not call the `__init_subclass__` of the notebook's classes: that has happened."""
    owners = (owner for base in bases for owner in base.__mro__ if "__init_subclass__" in vars(owner))
    owner = next(owners, object)
    own = vars(owner)["__init_subclass__"]
    try:
        type.__setattr__(owner, "__init_subclass__", classmethod(_do_nothing))
    except TypeError:  # a class of C, which has its reasons
        yield
        return
    try:
        yield
    finally:
        type.__setattr__(owner, "__init_subclass__", own)


def _do_nothing(_kind: type, /, **_keywords: object) -> None:
    """Stands for `__init_subclass__`."""


def set_class(kind: type, attributes: Pairs) -> None:
    """Gives a class its attributes, and takes away what it no longer had."""
    now = dict(vars(kind))
    set_late(kind, attributes)
    kept = {name for name, _ in attributes} | SKIPPED
    for name, value in now.items():
        is_slot = isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType)
        if name not in kept and not is_slot and not name.startswith("__"):
            type.__delattr__(kind, name)


def set_late(kind: type, attributes: Pairs) -> None:
    """Gives a class its attributes."""
    now = dict(vars(kind))
    for name, value in attributes:
        if now.get(name, NOTHING) is not value:
            _set(kind, name, value)


def _set(kind: type, name: str, value: object) -> None:
    if name == _REGISTERED:
        for one in cast("tuple[type, ...]", value):
            abc.ABCMeta.register(cast("abc.ABCMeta", kind), one)
        return
    with contextlib.suppress(AttributeError, TypeError):  # what the class's own layout fixes
        type.__setattr__(kind, name, value)


# Named tuples


def _is_named_tuple(kind: type) -> bool:
    return kind.__bases__ == (tuple,) and "_fields" in vars(kind) and "_field_defaults" in vars(kind)


def _named_tuple(kind: type, context: Context) -> Shape:
    fields = cast("tuple[str, ...]", vars(kind)["_fields"])
    fresh = set(vars(collections.namedtuple(kind.__name__, fields)))  # noqa: PYI024 # a model to compare with
    own = tuple(attributes_of(kind, SKIPPED | (fresh - {"__doc__"}) | set(fields)))
    defaults = tuple(cast("dict[str, object]", vars(kind)["_field_defaults"]).values())
    args = (NAMESPACE, place_of(kind, context), fields, defaults)
    return shape_of(kind, context, Made(make_named_tuple, args, state=own), fields, defaults)


def make_named_tuple(
    namespace: dict[str, object], place: Place, fields: tuple[str, ...], defaults: tuple[object, ...]
) -> type:
    """A class that `namedtuple` makes; the namespace's own where that is the same definition."""
    name, qualname, _, definition = place
    known = resolve(namespace, qualname) if definition else None
    if isinstance(known, type) and _is_named_tuple(known) and vars(known)["_fields"] == fields:
        return known
    made = collections.namedtuple(name, fields, defaults=defaults, module=module_of(place, namespace))  # type: ignore[misc] # noqa: PYI024 # its fields are data
    made.__qualname__ = qualname
    return bound_in(namespace, made, definition=definition)


# Type variables


def _type_variable(value: object, context: Context) -> Shape:
    named = context.names.find(value, value.__name__)  # type: ignore[attr-defined] # all have one
    if named is not None:
        return named
    if type(value).__name__ != "TypeVar":
        return Made(type(value), (value.__name__,), ties=False)  # type: ignore[attr-defined] # as above
    variable = cast("_Variable", value)
    flags = (variable.__covariant__, variable.__contravariant__)
    args = (NAMESPACE, variable.__name__, variable.__constraints__, variable.__bound__, flags)
    return Made(make_type_variable, args, ties=False)


if TYPE_CHECKING:
    from typing import Protocol

    class _Variable(Protocol):
        __name__: str
        __constraints__: tuple[object, ...]
        __bound__: object
        __covariant__: bool
        __contravariant__: bool


def make_type_variable(
    namespace: dict[str, object], name: str, constraints: tuple[object, ...], bound: object, variance: tuple[bool, bool]
) -> object:
    """A type variable; the namespace's own where it has one of that name."""
    from typing import TypeVar  # noqa: PLC0415 # the name would hide the rule's

    known = namespace.get(name)
    if isinstance(known, TypeVar):
        return known
    return TypeVar(name, *constraints, bound=bound, covariant=variance[0], contravariant=variance[1])
