"""Instances of classes that catch all attributes: what pickle asks of an instance is asked of its class here.

A `__getattr__` that reads `self.data` never ends on an instance that has no attributes yet, and answers for
`__setstate__`; a `__getattribute__` may count what is asked. So neither is called.
"""

from __future__ import annotations

import copyreg
from types import WrapperDescriptorType
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.shapes import NOTHING, Made

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_PLAIN: Final = (list, dict, object)
"""The classes of C whose instances have no state but attributes and elements."""

_WORD: Final = tuple.__itemsize__
_HOOKS: Final = ("__getattr__", "__getattribute__", "__setattr__", "__delattr__")
_NO_HOOK: Final = object.__setattr__
_MISSING: Final = object()


def rule(kind: type) -> Rule | None:
    """The rule for instances of a class with hooks for attributes, if they are reduced as any object is."""
    if hasattr(kind, "__setstate__") or kind in copyreg.dispatch_table:
        return None
    hooks = [getattr(kind, name, _NO_HOOK) for name in _HOOKS]
    if all(isinstance(hook, WrapperDescriptorType) for hook in hooks):
        return None
    default = all(_method(kind, name) is _method(object, name) for name in ("__reduce_ex__", "__reduce__"))
    return _instance if default and _is_plain(kind) else None


def _method(kind: type, name: str) -> object:
    return getattr(kind, name)


def _is_plain(kind: type) -> bool:
    """Whether instances hold nothing in C that nobody sees: pickle tells by their size as well."""
    base = next(filter(kind.__mro__.__contains__, _PLAIN))
    own = len(_slot_names(kind)) + (kind.__dictoffset__ > 0) + (kind.__weakrefoffset__ > 0)
    return kind.__basicsize__ <= base.__basicsize__ + _WORD * own


def _slot_names(kind: type) -> list[str]:
    return cast("list[str]", copyreg._slotnames(kind))  # type: ignore[attr-defined] # noqa: SLF001 # pickle's own


def _instance(value: object, _context: Context) -> Shape:
    kind = type(value)
    own: Any = kind
    own_value: Any = value
    state = attributes(value) if kind.__getstate__ is object.__getstate__ else own.__getstate__(value)
    make, args = _newly(value)
    return Made(
        make,
        args,
        state=NOTHING if state is None else state,
        items=list(list.__iter__(own_value)) if issubclass(kind, list) else [],
        pairs=list(dict.items(own_value)) if issubclass(kind, dict) else [],
        setter=None if state is None else set_attributes,
    )


def _newly(value: object) -> tuple[object, tuple[object, ...]]:
    """What makes an instance without its state, as `__getnewargs__` of its class says."""
    kind: Any = type(value)
    if hasattr(kind, "__getnewargs_ex__"):
        args, keywords = kind.__getnewargs_ex__(value)
        return copyreg.__newobj_ex__, (kind, args, keywords)  # type: ignore[attr-defined] # it is there
    args = kind.__getnewargs__(value) if hasattr(kind, "__getnewargs__") else ()
    return copyreg.__newobj__, (kind, *args)  # type: ignore[attr-defined] # as above


def attributes(value: object) -> object:
    """What an object's state is if its class says nothing: attributes, and slots where there are any."""
    own = vars_of(value)
    found = ((name, _slot(value, name)) for name in _slot_names(type(value)))
    slots = {name: part for name, part in found if part is not _MISSING}
    return (own, slots) if slots else own


def vars_of(value: object) -> dict[str, object] | None:
    """An object's dictionary of attributes, past all hooks; None where it has none, or nothing in it."""
    try:
        return cast("dict[str, object]", object.__getattribute__(value, "__dict__")) or None
    except AttributeError:
        return None


def _slot(value: object, name: str) -> object:
    try:
        return object.__getattribute__(value, name)
    except AttributeError:
        return _MISSING


def set_attributes(value: object, state: object) -> None:
    """Gives an object its attributes, past all hooks."""
    slots: dict[str, object] = {}
    if isinstance(state, tuple) and len(state) == 2:  # noqa: PLR2004 # attributes and slots
        state, slots = state
    if state:
        cast("dict[str, object]", object.__getattribute__(value, "__dict__")).update(cast("dict[str, object]", state))
    for name, part in slots.items():
        object.__setattr__(value, name, part)
