"""What a function body cannot hold, or would do otherwise than top-level code."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.analysis.names import query_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nb2pipe.codegen.plan.syntax import Parts

_BY_TEXT = frozenset({"exec", "eval", "globals", "locals"})
_OF_THE_PLACE = frozenset({"vars", "dir"})
_KNOWN_DUNDERS = frozenset({"__debug__", "__import__", "__build_class__"})
_FRAMES = frozenset({"_getframe", "currentframe", "f_back", "f_locals", "f_globals"})
_FRAME_MODULES = frozenset({"inspect", "weakref", "gc"})
_CLASS_MAKERS = frozenset(
    {"namedtuple", "NamedTuple", "TypedDict", "make_dataclass", "NewType", "new_class", "create_model"}
)
_ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})
_TEMPORARY = frozenset({"TemporaryDirectory", "NamedTemporaryFile", "TemporaryFile", "SpooledTemporaryFile"})
_PROFILERS = frozenset({"cProfile", "profile"})
_TABLES = frozenset({"pd", "pandas", "ne", "numexpr"})


class Obstacle(NamedTuple):
    """Why a text is no function body.

    Attributes:
        reason: As a clause for people.
        node: Where.
    """

    reason: str
    node: ast.AST


def obstacle(parts: Parts) -> Obstacle | None:
    """What keeps a top-level statement out of a function body, as far as its own text tells.

    >>> from nb2pipe.codegen.plan.syntax import Parts
    >>> obstacle(Parts(ast.parse("exec(code)").body[0])).reason
    'it calls `exec`, which reaches names by their text'
    """
    managed = {id(item.context_expr) for item in parts.of(ast.withitem)}
    for kind, check in _CHECKS.items():
        for part in parts.of(kind):
            reason = check(part) if id(part) not in managed else None
            if reason is not None:
                return Obstacle(reason, part)
    return next(_hidden_queries(parts), None)


def makes_functions(node: ast.AST) -> bool:
    """Whether a statement runs text that may make functions, whose globals its own text does not show.

    >>> [makes_functions(ast.parse(text)) for text in ("exec('x = 1')", "exec('def f(): return x')", "exec(text)")]
    [False, True, True]
    """
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name))
    given = (call.args[0] for call in calls if call.func.id in {"exec", "eval"} and call.args)  # type: ignore[attr-defined]  # it is a name
    return any(not isinstance(text, ast.Constant) or _has_function(str(text.value)) for text in given)


def _has_function(text: str) -> bool:
    return any(word in text for word in ("def ", "lambda", "class "))


def _name(node: ast.Name) -> str | None:
    name = node.id
    if name in _BY_TEXT:
        return f"it calls `{name}`, which reaches names by their text"
    if name == "get_ipython":
        return "it talks to IPython by `get_ipython`"
    if name.startswith("__") and name.endswith("__") and name not in _KNOWN_DUNDERS:
        return f"it uses `{name}`, which is another one in a module"
    if name in _FRAME_MODULES:
        return f"it uses `{name}`, which sees that it runs in a function"
    return None


def _attribute(node: ast.Attribute) -> str | None:
    if node.attr == "__globals__":
        return "it reaches names by a function's `__globals__`"
    if node.attr in _FRAMES:
        return f"it looks at frames by `{node.attr}`"
    return None


def _constant(node: ast.Constant) -> str | None:
    if isinstance(node.value, str) and "__main__" in node.value:
        return "it names `__main__`"
    return None


def _import(node: ast.Import | ast.ImportFrom) -> str | None:
    modules = {alias.name for alias in node.names} if isinstance(node, ast.Import) else {node.module or ""}
    if "__main__" in modules:
        return "it imports `__main__`"
    if modules & _FRAME_MODULES:
        return f"it imports `{min(modules & _FRAME_MODULES)}`, which sees that it runs in a function"
    if any(alias.name == "*" for alias in node.names):
        return "it holds a star import, which functions cannot"
    return None


def _global(node: ast.Global) -> str | None:
    return f"it declares `{node.names[0]}` global"


def _class(node: ast.ClassDef) -> str | None:
    return f"it makes the class `{node.name}`, which cannot stand in `definitions.py`"


def _call(node: ast.Call) -> str | None:
    match node.func:
        case ast.Name(id=name) if name in _OF_THE_PLACE and not node.args:
            return f"it calls `{name}()`, which reaches names by their text"
        case ast.Name(id="type") if len(node.args) == 3:  # noqa: PLR2004  # name, bases, attributes
            return "it makes a class by a call of `type`"
        case ast.Attribute(value=ast.Name(id=owner), attr="run" | "runctx") if owner in _PROFILERS:
            return f"it calls `{owner}.run`, which reaches names by their text"
        case ast.Attribute(value=ast.Name(id=owner), attr="eval" | "evaluate") if owner in _TABLES:
            return f"it calls `{owner}.{node.func.attr}`, which reaches names by their text"
        case ast.Name(id=word) | ast.Attribute(attr=word):
            return _made(word, node)
        case _:
            return None


def _made(word: str, node: ast.Call) -> str | None:
    text = bool(node.args) and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    if word in _CLASS_MAKERS or (word in _ENUMS and text):
        return f"it makes a class by a call of `{word}`"
    if word == "training" and any(each.arg == "state" for each in node.keywords):
        return "it trains with a `state`, whose names are bound anew where it goes on"
    if word in _TEMPORARY:
        return f"it uses `{word}`, whose files go when a function ends"
    return None


_CHECKS: dict[type[ast.AST], Callable[..., str | None]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Constant: _constant,
    ast.Import: _import,
    ast.ImportFrom: _import,
    ast.Global: _global,
    ast.ClassDef: _class,
    ast.Call: _call,
}


def _hidden_queries(parts: Parts) -> Iterator[Obstacle]:
    """Queries such as `df.query("a > @limit")` in an inner scope, which would not see the step's variables there."""
    if not any(query_names(call) for call in parts.of(ast.Call)):
        return
    for scope in (scope for kind in _SCOPES for scope in parts.of(kind)):
        for part in ast.walk(scope):
            if query_names(part):
                yield Obstacle("it queries a table in an inner scope by names in a text", part)


_SCOPES: tuple[type[ast.AST], ...] = (
    *(ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef),
    *(ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp),
)
