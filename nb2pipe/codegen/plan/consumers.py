"""What is known of calls, loops and `with` by the way they are written."""

from __future__ import annotations

import ast

_FUNCTIONS = frozenset(
    {"all", "any", "bool", "bytes", "dict", "frozenset", "len", "list", "max", "min", "next", "print", "set", "sorted"}
    | {"str", "sum", "tuple", "reduce", "isinstance"}
)
_METHODS = frozenset(
    {"agg", "aggregate", "apply", "applymap", "assign", "pipe", "sort", "sort_values", "sum", "transform", "join"}
    | {"extend", "update", "mean", "array", "nlargest", "nsmallest", "reduce", "filterwarnings"}
)
_SUPPRESSING = frozenset({"suppress", "raises", "assertRaises", "ExitStack", "AsyncExitStack", "assertRaisesRegex"})


def is_consumed(call: ast.Call, argument: ast.expr) -> bool:
    """Whether a call is done with a lambda or generator that it is handed when it returns.

    Args:
        call: The call.
        argument: One of its arguments.

    >>> call = ast.parse("sorted(x, key=lambda a: a.b)", mode="eval").body
    >>> is_consumed(call, call.keywords[0].value)
    True
    """
    if not isinstance(argument, ast.Lambda | ast.GeneratorExp):
        return False
    match call.func:
        case ast.Name(id=name):
            return name in _FUNCTIONS
        case ast.Attribute(attr=name):
            return name in _METHODS
        case _:
            return False


def never_empty(iterable: ast.expr) -> bool:
    """Whether a loop over it runs at least once, as its text tells.

    >>> [never_empty(ast.parse(text, mode="eval").body) for text in ("range(3)", "(1, 2)", "range(n)")]
    [True, True, False]
    """
    match iterable:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            return any(not isinstance(item, ast.Starred) for item in items)
        case ast.Constant(value=str(text)):
            return bool(text)
        case ast.Dict(keys=keys):
            return any(key is not None for key in keys)
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]):
            return _runs(arguments)
        case ast.Call(func=ast.Name(id="enumerate" | "tqdm" | "trange" | "reversed" | "sorted"), args=[inner, *_]):
            return never_empty(inner)
        case _:
            return False


def _runs(arguments: list[ast.expr]) -> bool:
    """Whether `range` of some arguments has a first number."""
    numbers = []
    for argument in arguments:
        try:
            numbers.append(ast.literal_eval(argument))
        except (ValueError, TypeError, SyntaxError):
            return False
    return all(type(number) is int for number in numbers) and numbers[2:] != [0] and len(range(*numbers)) > 0


def suppresses(context: ast.expr, own: frozenset[str]) -> bool:
    """Whether a context manager may keep an exception to itself, so that its body may end anywhere.

    Args:
        context: What stands after `with`.
        own: Names of the notebook's functions and classes, of which nothing is known.
    """
    names = {part.id for part in ast.walk(context) if isinstance(part, ast.Name)}
    attributes = {part.attr for part in ast.walk(context) if isinstance(part, ast.Attribute)}
    return bool((names | attributes) & _SUPPRESSING or names & own) or not isinstance(context, ast.Call)
