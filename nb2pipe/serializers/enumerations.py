"""Enumerations of the notebook: made again from their members."""

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.classes import SKIPPED, attributes_of, bound_in, function_of, module_of, shape_of
from nb2pipe.serializers.code import place_of, resolve
from nb2pipe.serializers.shapes import NAMESPACE, Made

if TYPE_CHECKING:
    from nb2pipe.serializers.classes import Pairs
    from nb2pipe.serializers.code import Place
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_ENUM_OWN: Final = frozenset(
    {"_generate_next_value_", "_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_"}
    | {"_unhashable_values_map_", "_hashable_values_", "_member_type_", "_value_repr_", "_use_args_", "_new_member_"}
    | {"_flag_mask_", "_all_bits_", "_boundary_", "_singles_mask_", "_inverted_", "__new_member__", "_sort_order_"}
    | {"_iter_member_"}
)
_ENUM_EARLY: Final = ("_generate_next_value_", "__new__", "__init__", "_missing_", "_ignore_", "_numeric_repr_")


def rule(kind: type) -> Rule | None:
    """The rule for an enumeration."""
    return enumeration if issubclass(kind, enum.EnumMeta) else None


def enumeration(value: object, context: Context) -> Shape:
    """The shape of an enumeration: its members, and what its body has beside them."""
    kind = cast("enum.EnumMeta", value)
    known = context.names.find(kind)
    if known is not None:
        return known
    known_members = cast("dict[str, enum.Enum]", dict(kind.__members__))
    members = tuple((name, member.value) for name, member in known_members.items())
    own = vars(kind)
    early = tuple((name, own[name]) for name in _ENUM_EARLY if name in own and _is_written(kind, name))
    if issubclass(kind, enum.Flag):
        early += (("boundary", own["_boundary_"]),)
    skipped = SKIPPED | _ENUM_OWN | set(kind.__members__) | set(_ENUM_EARLY)
    late = tuple((name, part) for name, part in attributes_of(kind, skipped) if _is_written(kind, name))
    args = (NAMESPACE, type(kind), place_of(kind, context), kind.__bases__, members, early)
    return shape_of(
        kind, context, Made(make_enumeration, args, state=late), type(kind), *kind.__bases__, members, early
    )


def _is_written(kind: type, name: str) -> bool:
    """Whether the class's body has it; the rest is what `enum` puts in."""
    own = vars(kind)[name]
    function = function_of(own)
    if function is not None:
        return function.__module__ != "enum"
    return not isinstance(own, types.BuiltinFunctionType | types.WrapperDescriptorType | types.MethodDescriptorType)


def make_enumeration(
    namespace: dict[str, object],
    metaclass: enum.EnumMeta,
    place: Place,
    bases: tuple[type, ...],
    members: Pairs,
    early: Pairs,
) -> type:
    """An enumeration; the namespace's own where that has the same members."""
    name, qualname, _, definition = place
    known = resolve(namespace, qualname) if definition else None
    if isinstance(known, enum.EnumMeta) and [*known.__members__] == [one for one, _ in members]:
        return known
    settings = dict(early)
    keywords = {"boundary": settings.pop("boundary")} if "boundary" in settings else {}
    body = metaclass.__prepare__(name, bases)
    body["__module__"] = module_of(place, namespace)
    body["__qualname__"] = qualname
    for key, value in settings.items():
        body[key] = value
    for key, value in members:
        body[key] = enum.member(value) if hasattr(value, "__get__") else value
    made: type = cast("Any", metaclass).__new__(metaclass, name, bases, body, **keywords)
    return bound_in(namespace, made, definition=definition)
