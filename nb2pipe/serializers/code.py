"""Functions by their state: code, defaults, closure, attributes; their globals are the namespace they are loaded in."""

from __future__ import annotations

import dis
import functools
import hashlib
import importlib
import linecache
import marshal
import sys
import types
from typing import TYPE_CHECKING, Final, cast

from nb2pipe.errors import StoreError
from nb2pipe.serializers.names import in_packages, module_text
from nb2pipe.serializers.shapes import NAMESPACE, NOTHING, Made, Named, Quiet, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

PYTHON: Final = f"{sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}"
_MARSHAL: Final = 2
"""The last version of marshal's format whose bytes do not depend on reference counts."""
_COMPILER_ONLY: Final = 0x1000000 | 0x10
"""Flags that have no effect once code is compiled: `from __future__ import annotations`, and being nested."""

_RECURSIVE_REPR: Final = ("dataclasses", "reprlib")
"""Modules whose closure in a data class holds a set for the time of a call."""

FunctionState = tuple[
    "tuple[object, ...] | None",
    "dict[str, object] | None",
    "tuple[tuple[str, object], ...]",
    "dict[str, object]",
    "str | None",
]

LruCache: Final = type(functools.lru_cache(len))
"""The type of a cached function, which has no public name."""

Place = tuple[str, str, "str | None", bool]
"""Name, qualified name, module (None: the notebook's), and whether the notebook has it under that name."""


def rule(kind: type) -> Rule | None:
    """The rule for what is, or wraps, a function."""
    if issubclass(kind, types.BuiltinFunctionType):
        return _builtin  # a method of a compiled class has a type of its own
    return _RULES.get(kind)


def fingerprint(code: types.CodeType) -> str:
    """What a code does, without the place it was written at."""
    return hashlib.sha256(marshal.dumps(_bare(code), _MARSHAL)).hexdigest()[:32]


def _bare(code: types.CodeType) -> types.CodeType:
    consts = tuple(_bare(part) if isinstance(part, types.CodeType) else part for part in code.co_consts)
    flags = code.co_flags & ~_COMPILER_ONLY
    return code.replace(co_filename="", co_firstlineno=1, co_linetable=b"", co_flags=flags, co_consts=consts)


# Functions


def function(value: object, context: Context) -> Shape:
    """The shape of a function."""
    function = cast("types.FunctionType", value)
    named = context.names.find(function)
    if named is not None:
        return named
    scope = _globals_of(function, context)
    closure = function.__closure__ or ()
    cells = tuple(
        Quiet(cell) if name == "__class__" or _is_library_own(cell, scope) else cell
        for name, cell in zip(function.__code__.co_freevars, closure, strict=True)
    )
    annotations = Quiet(dict(function.__annotations__))
    own = tuple(function.__dict__.items())
    definition = is_definition(function, context)
    for name, cell in zip(function.__code__.co_freevars, closure, strict=True):
        if name in _written(function.__code__):
            context.changing.add(id(cell))
    state = (function.__defaults__, function.__kwdefaults__, own, annotations, function.__doc__)
    args = (NAMESPACE, scope, function.__code__, cells, place_of(function, context))
    return Made(
        make_function,
        args,
        state=state,
        setter=set_function,
        needs=_needs(function, context),
        ties=not definition,
        within=False,
        definition=definition,
        identity=lambda: (
            "function",
            function.__qualname__,
            function.__code__,
            function.__defaults__,
            function.__kwdefaults__,
            *cells,
            *(part for pair in own for part in pair),
        ),
        labels=(
            *(
                (f'.__closure__["{name}"]', cell)
                for name, cell in zip(function.__code__.co_freevars, cells, strict=True)
            ),
            *(((".__defaults__", function.__defaults__),) if function.__defaults__ else ()),
        ),
    )


def _is_library_own(cell: types.CellType, scope: object) -> bool:
    """Whether a cell of a library's decorator holds something of that library, such as the context of `no_grad`."""
    if not isinstance(scope, str):
        return False
    try:
        content = cell.cell_contents
    except ValueError:
        return True
    owner = content.__self__ if isinstance(content, types.MethodType) else content
    return scope in _RECURSIVE_REPR or type(owner).__module__.partition(".")[0] == scope.partition(".")[0]


def _globals_of(function: types.FunctionType, context: Context) -> object:
    """What a function's globals are: the notebook's, a module's by its name, or a dictionary of its own."""
    found = function.__globals__
    main = sys.modules.get("__main__")
    if found is context.namespace or (main is not None and found is vars(main)):
        return NAMESPACE
    if in_packages(found.get("__package__")):
        return NAMESPACE  # a step's module is part of the notebook
    module = sys.modules.get(str(found.get("__name__")))
    if module is not None and vars(module) is found:
        return module.__name__
    return found


def place_of(value: object, context: Context) -> Place:
    """Where a function or class belongs; the module is None for the notebook, whatever its name is."""
    module = cast("str | None", getattr(value, "__module__", None))
    name, qualname = str(getattr(value, "__name__", "")), str(getattr(value, "__qualname__", ""))
    return name, qualname, None if context.names.of_notebook(module) else module, is_definition(value, context)


def is_definition(value: object, context: Context) -> bool:
    """Whether the notebook has this very object under its qualified name."""
    return resolve(context.namespace, getattr(value, "__qualname__", "")) is value


def resolve(namespace: Mapping[str, object], qualname: str) -> object | None:
    """What a namespace has under a qualified name, without calling a descriptor; None if nothing."""
    first, *rest = qualname.split(".")
    found = namespace.get(first)
    for part in rest:
        found = vars(found).get(part) if isinstance(found, type) else None
        if isinstance(found, classmethod | staticmethod):
            found = found.__func__
    return found


def _needs(function: types.FunctionType, context: Context) -> dict[str, object]:
    """The modules, library names and definitions of the notebook that a function reads as globals."""
    if _globals_of(function, context) is not NAMESPACE:
        return {}
    found: dict[str, object] = {}
    for name in sorted(set(_names_read(function.__code__))):
        value = function.__globals__.get(name)
        if isinstance(value, types.ModuleType) or (callable(value) and _is_needed(value, context)):
            found[name] = value
    return found


def _is_needed(value: object, context: Context) -> bool:
    kinds = (type, types.FunctionType, types.BuiltinFunctionType, LruCache)
    return isinstance(value, kinds) and (is_definition(value, context) or context.names.find(value) is not None)


def _written(code: types.CodeType) -> frozenset[str]:
    """The free variables that a code, or a function within it, binds anew."""
    names = {one.argval for one in dis.get_instructions(code) if one.opname in ("STORE_DEREF", "DELETE_DEREF")}
    inner = [_written(part) for part in code.co_consts if isinstance(part, types.CodeType)]
    return frozenset(names.union(*inner) & set(code.co_freevars))


def _names_read(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _names_read(part)


def make_function(
    namespace: dict[str, object],
    scope: str | dict[str, object],
    code: types.CodeType,
    cells: tuple[types.CellType, ...],
    place: Place,
) -> types.FunctionType:
    """A function, bound to the namespace it is loaded in; the namespace's own where that is the same definition."""
    name, qualname, module, definition = place
    known = resolve(namespace, qualname) if definition else None
    if isinstance(known, types.FunctionType) and _take_over(known, code, cells):
        return known
    owner = importlib.import_module(scope).__dict__ if isinstance(scope, str) else scope
    function = types.FunctionType(code, owner, name, None, cells or None)
    function.__qualname__ = qualname
    function.__module__ = module or str(namespace.get("__name__", "__main__"))
    if definition and qualname.isidentifier():
        namespace.setdefault(qualname, function)
    return function


def _take_over(known: types.FunctionType, code: types.CodeType, cells: tuple[types.CellType, ...]) -> bool:
    """Whether a function is the same definition; if so, its closure gets what the cells hold."""
    if fingerprint(known.__code__) != fingerprint(code):
        return False
    try:
        contents = [cell.cell_contents for cell in cells]
    except ValueError:  # one is still empty, since it leads back to the function
        return False
    for cell, content in zip(known.__closure__ or (), contents, strict=True):
        cell.cell_contents = content
    return True


def set_function(function: types.FunctionType, state: FunctionState) -> None:
    """Gives a function its defaults and attributes."""
    defaults, kwdefaults, attributes, annotations, doc = state
    function.__defaults__ = defaults
    function.__kwdefaults__ = kwdefaults
    function.__dict__.clear()
    function.__dict__.update(attributes)
    function.__annotations__ = annotations
    function.__doc__ = doc


# Code


def _code(value: object, _context: Context) -> Shape:
    code = cast("types.CodeType", value)
    source = _cell_source(code.co_filename)
    name = code.co_filename if not source else f"<notebook {hashlib.sha256(source.encode()).hexdigest()[:12]}>"
    data = marshal.dumps(_renamed(code, name), _MARSHAL)
    return Made(
        make_code,
        (PYTHON, data, source, name, code.co_qualname, code.co_firstlineno),
        ties=False,
        identity=lambda: ("code", fingerprint(code)),
    )


def _cell_source(filename: str) -> str:
    """The text that a code is from: a cell's, which IPython keeps under a name of no file, or a step module's."""
    entry = linecache.cache.get(filename, ())
    if len(entry) > 2 and entry[1] is None:  # noqa: PLR2004 # size, time, lines
        return "".join(entry[2])
    return module_text(filename)


def _renamed(code: types.CodeType, name: str) -> types.CodeType:
    consts = tuple(_renamed(part, name) if isinstance(part, types.CodeType) else part for part in code.co_consts)
    return code.replace(co_filename=name, co_consts=consts)


def make_code(
    python: str, data: bytes, source: str, name: str, qualname: str, line: int
) -> types.CodeType:  # what a code is made of
    """A code object; from its source where it was compiled by another Python.

    Raises:
        StoreError: Another Python made it, and its source does not compile here.
    """
    if source:
        linecache.cache.setdefault(name, (len(source), None, source.splitlines(keepends=True), name))
    if python == PYTHON:
        return cast("types.CodeType", marshal.loads(data))  # noqa: S302 # the store is the user's own
    for found in _compiled(source, name):
        # In a step's module the notebook's top level is the body of a function.
        within = found.co_qualname.endswith(f".<locals>.{qualname}")
        if (found.co_qualname == qualname or within) and found.co_firstlineno == line:
            return found.replace(co_qualname=qualname)
    message = f"`{qualname}` was compiled by {python}, this is {PYTHON}, and its source is not there to compile again"
    raise StoreError(message, hint=f"run with {python}, or run the pipeline again")


def _compiled(source: str, name: str) -> Iterator[types.CodeType]:
    try:
        stack = [compile(source, name, "exec", dont_inherit=True)]
    except SyntaxError:
        return
    while stack:
        code = stack.pop()
        yield code
        stack.extend(part for part in code.co_consts if isinstance(part, types.CodeType))


# Cells


def _cell(value: object, context: Context) -> Shape:
    cell = cast("types.CellType", value)
    try:
        state: object = (cell.cell_contents,)
    except ValueError:
        state = NOTHING
    return Made(types.CellType, (), state=state, setter=set_cell, within=id(cell) in context.changing)


def set_cell(cell: types.CellType, state: tuple[object]) -> None:
    """Fills a closure's cell."""
    (cell.cell_contents,) = state


# Modules, and the notebook's dictionary


def _module_rule(value: object, context: Context) -> Shape:
    module = cast("types.ModuleType", value)
    name = module.__name__
    if vars(module) is context.namespace or name == "__main__":
        return Made(main_module, (NAMESPACE,), ties=False, identity=lambda: ("notebook",))
    if sys.modules.get(name) is not module:
        hint = "write it to a file beside the notebook, and import it"
        return Refused(f"it is a module `{name}` that was not imported", hint)
    return Made(importlib.import_module, (name,), ties=False)


def main_module(namespace: dict[str, object]) -> types.ModuleType:
    """The module that a namespace is the dictionary of.

    Raises:
        StoreError: There is none.
    """
    for module in (sys.modules.get("__main__"), *list(sys.modules.values())):
        if module is not None and getattr(module, "__dict__", None) is namespace:
            return module
    raise StoreError("a variable holds the module `__main__`, which is not there", hint="pass its values on instead")


def the_namespace() -> Made:
    """The shape of the notebook's dictionary, as `globals()` gives it."""
    return Made(itself, (NAMESPACE,), ties=False, identity=lambda: ("namespace",))


def itself(value: object) -> object:
    """What it is given."""
    return value


# Methods and descriptors


def _method(value: object, context: Context) -> Shape:
    """A library's by its name; the notebook's by its function: its class may be without it when it is made again."""
    method = cast("types.MethodType", value)
    owner, name = method.__self__, getattr(method.__func__, "__name__", "")
    labels = ((".__self__", owner),)
    if context.names.of_notebook(getattr(method.__func__, "__module__", None)):
        return Made(types.MethodType, (method.__func__, owner), ties=False, labels=labels)
    known = getattr(owner, name, None) if isinstance(owner, type) or name in _names_of(type(owner)) else None
    if isinstance(known, types.MethodType) and known.__func__ is method.__func__:
        return Made(getattr, (owner, name), ties=False, labels=labels)
    return Made(types.MethodType, (method.__func__, owner), ties=False, labels=labels)


def _names_of(kind: type) -> set[str]:
    return {name for base in kind.__mro__ for name, part in vars(base).items() if isinstance(part, types.FunctionType)}


def _builtin(value: object, context: Context) -> Shape:
    function = cast("types.BuiltinFunctionType", value)
    owner = function.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        found = context.names.find(function)
        return found or Refused("no module has this function under its name", "wrap it in a function of the notebook's")
    return context.names.sentinel(function) or Made(
        getattr, (owner, function.__name__), ties=False, labels=((".__self__", owner),)
    )


def _descriptor(value: object, context: Context) -> Shape:
    """A method, or an attribute, of a class that a library has."""
    found = context.names.find(value)
    if found is not None:
        return found
    owner = value.__objclass__  # type: ignore[attr-defined] # all descriptors of C have one
    return Made(getattr, (owner, value.__name__), ties=False)  # type: ignore[attr-defined] # as above


def _property(value: object, _context: Context) -> Shape:
    own = cast("property", value)
    return Made(property, (own.fget, own.fset, own.fdel, own.__doc__), ties=False)


def _wrapped(value: object, _context: Context) -> Shape:
    own = cast("classmethod[object, ..., object] | staticmethod[..., object]", value)
    return Made(type(own), (own.__func__,), ties=False)


def _cached_property(value: object, _context: Context) -> Shape:
    own = cast("functools.cached_property[object]", value)
    return Made(make_cached_property, (own.func, own.attrname), ties=False)


def make_cached_property(function: Callable[[object], object], name: str | None) -> functools.cached_property[object]:
    """A cached property that knows its name."""
    made = functools.cached_property(function)
    made.attrname = name
    return made


def _named(value: object, context: Context) -> Shape:
    found = context.names.find(value)
    return found or Refused("no module has it under its name", "wrap it in a function of the notebook's")


_RULES: Final[dict[type, Rule]] = {
    types.FunctionType: function,
    types.CodeType: _code,
    types.CellType: _cell,
    types.ModuleType: _module_rule,
    types.MethodType: _method,
    types.MethodDescriptorType: _descriptor,
    types.ClassMethodDescriptorType: _descriptor,
    types.WrapperDescriptorType: _descriptor,
    types.GetSetDescriptorType: _descriptor,
    types.MemberDescriptorType: _descriptor,
    property: _property,
    classmethod: _wrapped,
    staticmethod: _wrapped,
    functools.cached_property: _cached_property,
}

__all__ = ["Named", "fingerprint", "rule"]
