"""Python's own types: containers, buffers, exceptions, members of enumerations."""

from __future__ import annotations

import array
import enum
import pickle
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.serializers.buffers import address_of, view_of
from nb2pipe.serializers.code import the_namespace
from nb2pipe.serializers.shapes import Extent, Items, Made, Named, Pairs, Quiet, Raw, Through

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

IMMUTABLE_MODULES: Final = frozenset(
    {
        "datetime",
        "_datetime",
        "decimal",
        "_decimal",
        "fractions",
        "uuid",
        "pathlib",
        "re",
        "zoneinfo",
        "typing",
        "ipaddress",
    }
)
"""Modules whose objects nobody changes, so that they tie nothing."""

_MEMBERS: Final = {ImportError: ("name", "path"), AttributeError: ("name",), NameError: ("name",)}

_Error = BaseException | None
_ExceptionState = tuple[dict[str, object] | None, bool, _Error, _Error, bool, tuple[tuple[str, str], ...]]
_IMMUTABLE: Final = (tuple, frozenset, int, float, complex, str, bytes, range, slice, type(list[int]), type(int | str))


def may_change(kind: type) -> bool:
    """Whether objects of a type can be changed, as far as the type tells."""
    return not issubclass(kind, _IMMUTABLE)


def rule(kind: type) -> Rule | None:
    """The rule for a type that derives from one of Python's own and needs one."""
    if issubclass(kind, BaseException) and _reduces_as_builtin(kind):
        return _exception
    if issubclass(kind, enum.Enum):
        return _member
    return None


def _list(value: object, _context: Context) -> Shape:
    return Items(list, cast("list[object]", value))


def _tuple(value: object, _context: Context) -> Shape:
    return Items(tuple, cast("tuple[object, ...]", value))


def _set(value: object, _context: Context) -> Shape:
    return Items(set, list(cast("set[object]", value)))


def _frozenset(value: object, _context: Context) -> Shape:
    return Items(frozenset, list(cast("frozenset[object]", value)))


def _dict(value: object, context: Context) -> Shape:
    if value is context.namespace:
        return the_namespace()
    pairs = cast("dict[object, object]", value)
    module = sys.modules.get(str(pairs["__name__"])) if "__name__" in pairs else None
    if module is not None and vars(module) is value and not context.names.of_notebook(module.__name__):
        return Named(module.__name__, "__dict__")
    return Pairs(pairs)


def _bytearray(value: object, _context: Context) -> Shape:
    own = cast("bytearray", value)
    return Raw(own, extent=Extent(address_of(own), len(own), own, whole=True) if own else None)


def _array(value: object, _context: Context) -> Shape:
    own = cast("array.array[Any]", value)
    start, size = own.buffer_info()
    extent = Extent(start, size * own.itemsize, own, whole=True) if size else None
    return Raw(memoryview(own).cast("B"), typecode=own.typecode, extent=extent)


def _view(value: object, _context: Context) -> Shape:
    return view_of(cast("memoryview", value))


def _buffer(value: object, _context: Context) -> Shape:
    buffer = cast("pickle.PickleBuffer", value)
    return Raw(buffer.raw(), frozen=True)


def _quiet(value: object, _context: Context) -> Shape:
    return Through(cast("Quiet", value).value)


RULES: Final[dict[type, Rule]] = {
    list: _list,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
    dict: _dict,
    bytearray: _bytearray,
    array.array: _array,
    memoryview: _view,
    pickle.PickleBuffer: _buffer,
    Quiet: _quiet,
}
"""Rules by exact type."""


def _member(value: object, _context: Context) -> Shape:
    member = cast("enum.Enum", value)
    kind = type(member)
    if kind.__members__.get(member.name or "") is member:
        return Made(get_member, (kind, member.name), ties=False)
    return Made(kind, (member.value,), ties=False)


def get_member(kind: type[enum.Enum], name: str) -> enum.Enum:
    """The member of an enumeration."""
    return kind.__members__[name]


def _reduces_as_builtin(kind: type) -> bool:
    for base in kind.__mro__:
        own = vars(base)
        if "__reduce_ex__" in own or "__reduce__" in own or "__getstate__" in own:
            return base.__module__ == "builtins"
    return False


def _exception(value: object, _context: Context) -> Shape:
    """Without calling the class: an own `__init__` may want other arguments than those in `args`."""
    error = cast("BaseException", value)
    setstate = "__setstate__" in vars(type(error))
    state = (error.__dict__ or None, setstate, error.__cause__, error.__context__, error.__suppress_context__)
    extra = (error.filename, error.filename2) if isinstance(error, OSError) and error.filename is not None else ()
    return Made(make_exception, (type(error), error.args, extra), state=(*state, _members(error)), setter=set_exception)


def _members(error: BaseException) -> tuple[tuple[str, str], ...]:
    """What is neither among an exception's arguments nor its attributes; without `AttributeError.obj`, which is big."""
    names = next((names for kind, names in _MEMBERS.items() if isinstance(error, kind)), ())
    return tuple((name, part) for name in names if (part := getattr(error, name)) is not None)


def make_exception(kind: type[BaseException], args: tuple[object, ...], extra: tuple[object, ...]) -> BaseException:
    """An exception with its arguments; a class of the user's is not called."""
    whole = args
    if extra and len(args) == 2:  # noqa: PLR2004 # errno and text; the file names are apart
        whole = (*args, extra[0]) if extra[1] is None else (*args, extra[0], None, extra[1])
    error = kind.__new__(kind, *whole)
    builtin = next(base for base in kind.__mro__ if base.__module__ == "builtins")
    try:
        cast("Any", builtin).__init__(error, *whole)
    except TypeError:
        error.args = args
    return error


def set_exception(error: BaseException, state: _ExceptionState) -> None:
    """Gives an exception its attributes, and what it was raised from."""
    attributes, setstate, cause, context, suppress, members = state
    if attributes and setstate:
        cast("object", error).__setstate__(attributes)  # type: ignore[attr-defined] # the class has its own
    elif attributes:
        error.__dict__.update(attributes)
    for name, part in members:
        setattr(error, name, part)
    error.__cause__ = cause
    error.__context__ = context
    error.__suppress_context__ = suppress
