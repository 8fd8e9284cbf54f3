"""`functools.singledispatch`: a function with its implementations by type, registered anew where it is loaded."""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.code import fingerprint, place_of, resolve
from nb2pipe.serializers.shapes import NAMESPACE, Made

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.serializers.code import Place
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_Implementations = tuple[tuple[type, object], ...]

_CODE: Final = cast("types.FunctionType", functools.singledispatch(len)).__code__
_OWN: Final = frozenset(
    {"registry", "dispatch", "register", "_clear_cache", "__wrapped__", "__type_params__"}
    | set(functools.WRAPPER_ASSIGNMENTS)
)


def aware(rule: Rule) -> Rule:
    """A rule for functions that knows such functions."""

    def reduced(value: object, context: Context) -> Shape:
        return _dispatcher(value, context) if _is_dispatcher(value) else rule(value, context)

    return reduced


def _is_dispatcher(value: object) -> bool:
    return isinstance(value, types.FunctionType) and value.__code__ is _CODE


def _dispatcher(value: object, context: Context) -> Shape:
    function: Any = value
    known = context.names.find(function)
    if known is not None:
        return known
    place = place_of(function, context)
    implementations = tuple(function.registry.items())
    own = tuple((name, part) for name, part in vars(function).items() if name not in _OWN)
    return Made(
        make_dispatcher,
        (NAMESPACE, function.__wrapped__, place),
        state=(implementations, own),
        setter=set_dispatcher,
        ties=not place[-1],
        within=False,
        definition=place[-1],
        identity=lambda: ("singledispatch", function.__wrapped__, implementations, own),
        labels=tuple((f".registry[{kind.__name__}]", part) for kind, part in implementations),
    )


def make_dispatcher(namespace: dict[str, object], function: Callable[..., object], place: Place) -> object:
    """A function that has only its first implementation; the namespace's own where that is the same definition."""
    _, qualname, _, definition = place
    known: Any = resolve(namespace, qualname) if definition else None
    if _is_dispatcher(known) and _same(known.__wrapped__, function):
        return known
    made = functools.singledispatch(function)
    if definition and qualname.isidentifier():
        namespace.setdefault(qualname, made)
    return made


def _same(one: object, other: object) -> bool:
    if isinstance(one, types.FunctionType) and isinstance(other, types.FunctionType):
        return fingerprint(one.__code__) == fingerprint(other.__code__)
    return one is other


def set_dispatcher(function: Any, state: tuple[_Implementations, tuple[tuple[str, object], ...]]) -> None:
    """Gives a function its implementations."""
    implementations, own = state
    for kind, implementation in implementations:
        known = function.registry.get(kind)
        first = known is function.__wrapped__ and _same(known, implementation)
        if known is not implementation and not first:
            function.register(kind, implementation)
    vars(function).update(own)
