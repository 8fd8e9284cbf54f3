"""What is known of calls, loops and `with` by the way they are written."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pipe.codegen.plan.syntax import Parts

_FUNCTIONS = frozenset(
    {"all", "any", "bytes", "dict", "frozenset", "list", "max", "min", "next", "print", "set", "sorted", "str", "sum"}
    | {"tuple", "reduce", "Counter", "deque", "array"}
)
_METHODS = frozenset(
    {"agg", "aggregate", "apply", "applymap", "assign", "extend", "join", "map", "mask", "pipe", "reduce", "rename"}
    | {"sort", "sort_index", "sort_values", "transform", "update", "where", "nlargest", "nsmallest", "sum", "mean"}
)
_SOLVERS = frozenset(
    {"apply_along_axis", "brentq", "curve_fit", "differential_evolution", "fmin", "fromfunction", "fsolve", "fromiter"}
    | {"least_squares", "minimize", "minimize_scalar", "odeint", "quad", "root", "root_scalar", "solve_ivp", "sub"}
    | {"timeit", "array"}
)
"""Functions of libraries, however they are imported, that are done with a function when they return."""

_LAZY = frozenset(
    {"map", "filter", "zip", "enumerate", "reversed", "iter", "chain", "islice", "starmap", "takewhile", "dropwhile"}
    | {"accumulate", "tqdm"}
)
"""Functions whose result holds what they are given, until it is used up."""

_SUPPRESSING = frozenset({"suppress", "raises", "assertRaises", "ExitStack", "AsyncExitStack", "assertRaisesRegex"})


def consumes(call: ast.Call) -> bool:
    """Whether a call is done with the functions and generators that it is handed when it returns.

    >>> consumes(ast.parse("sorted(x, key=lambda a: a.b)", mode="eval").body)
    True
    """
    match call.func:
        case ast.Name(id=name):
            return name in _FUNCTIONS or name in _SOLVERS
        case ast.Attribute(attr=name):
            return name in _METHODS or name in _SOLVERS
        case _:
            return False


def is_lazy(node: ast.AST) -> bool:
    """Whether an expression is an iterator that holds what it is made of: gone when it is used up.

    >>> is_lazy(ast.parse("map(lambda a: a + k, x)", mode="eval").body)
    True
    """
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _LAZY
        case _:
            return isinstance(node, ast.Starred)


def given_to(node: ast.AST) -> list[ast.expr]:
    """The arguments of a call; what a `*` stands before; nothing of other expressions."""
    match node:
        case ast.Call(args=arguments, keywords=keywords):
            return [*arguments, *(keyword.value for keyword in keywords)]
        case ast.Starred(value=value):
            return [value]
        case _:
            return []


_PARALLEL = frozenset(
    {
        "multiprocessing",
        "multiprocess",
        "concurrent",
        "joblib",
        "loky",
        "dask",
        "ray",
        "pathos",
        "pandarallel",
        "pyspark",
    }
)


def is_parallel(module: str) -> bool:
    """Whether a module runs functions in other processes, which find them by their names.

    >>> is_parallel("concurrent.futures"), is_parallel("math")
    (True, False)
    """
    return module.partition(".")[0] in _PARALLEL


def _starred(node: ast.expr) -> list[ast.expr]:
    return [node.value] if isinstance(node, ast.Starred) else []


def handled_names(parts: Parts) -> frozenset[str]:
    """The names that a text reads otherwise than to call them, or to hand them to a call that is done with them.

    >>> from nb2pipe.codegen.plan.syntax import Parts
    >>> sorted(handled_names(Parts(ast.parse("f(1); x.apply(f); y = g"))))
    ['g', 'x']
    """
    ended: set[int] = set()
    for call in parts.of(ast.Call):
        if isinstance(call.func, ast.Name):
            ended.add(id(call.func))
        if consumes(call) or (id(call) in ended and is_lazy(call)):
            ended |= {id(inner) for given in given_to(call) for inner in (given, *_starred(given))}
    names = (name for name in parts.of(ast.Name) if isinstance(name.ctx, ast.Load))
    return frozenset(name.id for name in names if id(name) not in ended)


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
