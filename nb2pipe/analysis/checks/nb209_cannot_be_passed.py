"""A variable that a later step takes holds something that cannot be passed to another step.

Each step runs in a process of its own, so what a later step takes passes through the store. Open files, running
generators, locks, threads, connections and running programs belong to their process; a tensor that was computed from
parameters belongs to a graph that ends with its step.

    reader = open("log.txt")        # in the step `load`
    first = next(reader)            # in the step `parse`

It is an error where the variable surely is such an object, a warning where it may be one, or may hold one: an object of
yours that is passed on by `__getstate__` or `__reduce__` is right. A run says the same as NB500, with the way to the
culprit, when the step ends.

What to do: pass on what the object was made from (a path instead of an open file, a list instead of a generator,
`loss.item()` instead of `loss`), or put the cells that use it into one step.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.analysis.heap import CLASS, ITEMS, KEYS, SOURCE, Function, Obj, Thing
from nb2pipe.analysis.model import FlowKind
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown
from nb2pipe.serializers.refusals import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nb2pipe.analysis.history import Version
    from nb2pipe.analysis.model import Flow
    from nb2pipe.analysis.walk import Seen

CODE = "NB209"

_FAR = 200
"""Objects below a variable that are looked at."""

_KNOWN_AS = {
    "builtins.file": "_io._IOBase",
    "concurrent.futures.ProcessPoolExecutor": "concurrent.futures._base.Executor",
    "concurrent.futures.ThreadPoolExecutor": "concurrent.futures._base.Executor",
    "csv.DictReader": "_csv.reader",
    "csv.DictWriter": "_csv.writer",
    "h5py.File": "h5py._hl.base.HLObject",
    "hashlib.Hash": "_hashlib.HASH",
    "multiprocessing.Pool": "multiprocessing.pool.Pool",
    "multiprocessing.Process": "multiprocessing.process.BaseProcess",
    "multiprocessing.pool.ThreadPool": "multiprocessing.pool.Pool",
    "queue.LifoQueue": "queue.Queue",
    "queue.PriorityQueue": "queue.Queue",
    "tempfile.NamedTemporaryFile": "tempfile._TemporaryFileWrapper",
    "tempfile.TemporaryFile": "_io._IOBase",
    "threading.BoundedSemaphore": "threading.Semaphore",
    "threading.Lock": "_thread.lock",
    "threading.RLock": "_thread.RLock",
    "threading.Timer": "threading.Thread",
    "threading.local": "_thread._local",
}
"""The types that the serializers know by another name than the one a notebook calls them by."""

_LOADER_ITERATOR = "torch.utils.data.dataloader._BaseDataLoaderIter"
_GRAPH = (
    "it is a tensor with a computation graph",
    "pass `.detach()` of it on, or its number with `.item()`; a graph ends with its step",
)
_WITHOUT_GRAPH = frozenset(
    {"detach", "data", "item", "tolist", "numpy", "argmax", "argmin", "argsort", "topk", "max", "min"}
)
"""Methods and attributes that give no tensor of the graph, or something else besides."""


class _Culprit(NamedTuple):
    """What stands in the way, and the path to it from the variable."""

    path: str
    reason: str
    hint: str
    surely: bool = False


class _Binding(NamedTuple):
    """Where a cell binds a name last.

    Attributes:
        node: The place.
        value: What is assigned there; None where it is no plain assignment.
        surely: It is no part of a branch or a loop.
    """

    node: ast.Name | None = None
    value: ast.expr | None = None
    surely: bool = False


def cannot_be_passed(seen: Seen, flows: Iterable[Flow]) -> Iterator[Diagnostic]:
    """One diagnostic for each variable that a later step takes, where it is bound."""
    told: set[tuple[str, int]] = set()
    for flow in sorted(flows, key=lambda flow: (flow.target, flow.name)):
        if flow.kind not in {FlowKind.VALUE, FlowKind.CHANGE} or flow.function or not _leaves_its_step(flow, seen):
            continue
        binding = seen.history.binding_before(flow.name, flow.source + 1)
        if binding is None or (flow.name, binding.cell) in told:
            continue
        culprit = _culprit(flow, binding, seen)
        if culprit is not None:
            told.add((flow.name, binding.cell))
            yield _diagnostic(flow, binding.cell, culprit, seen)


def _leaves_its_step(flow: Flow, seen: Seen) -> bool:
    source, target = seen.sections[flow.source], seen.sections[flow.target]
    return (source.step, source.step or source.role) != (target.step, target.step or target.role)


def _culprit(flow: Flow, version: Version, seen: Seen) -> _Culprit | None:
    reach = seen.history.reach(flow.name, flow.target)
    if reach is None:
        return None
    binding = _last_binding(flow.name, version.cell, seen)
    for root in reach.roots:
        reason = _reason(root, flow.target)
        if reason is not None:
            surely = len(reach.roots) == 1 and not version.partial and _is_sure(binding, flow, seen)
            return _Culprit(flow.name, *reason, surely=surely)
        if _has_graph(root, binding.value):
            return _Culprit(flow.name, *_GRAPH)
        found = _below(flow.name, root, reach.since, flow.target)
        if found is not None:
            return found
    return None


def _is_sure(binding: _Binding, flow: Flow, seen: Seen) -> bool:
    """Whether a variable surely is what it seems to be, and the reader surely needs it."""
    made = binding.value
    if not binding.surely or flow.target in seen.may_raise or _takes_all(flow, seen):
        return False
    if isinstance(made, ast.Call) and isinstance(made.func, ast.Name):
        return not _may_return_else(made.func.id, flow, seen)
    return isinstance(made, (ast.Call, ast.GeneratorExp))


def _may_return_else(name: str, flow: Flow, seen: Seen) -> bool:
    """Whether a name is a function of the notebook that is no generator: it may return one thing or another."""
    reach = seen.history.reach(name, flow.source + 1)
    functions = [thing for thing in reach.roots if isinstance(thing, Function)] if reach is not None else []
    return any(
        not isinstance(node, ast.AsyncFunctionDef)
        and not any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in ast.walk(node))
        for node in (thing.node for thing in functions)
    )


def _has_graph(root: Obj, made: ast.expr | None) -> bool:
    """Whether a variable looks like a tensor that belongs to a graph."""
    if not isinstance(root, Thing) or root.type != "torch.Tensor" or not root.lenders:
        return False
    if not isinstance(made, (ast.Call, ast.BinOp)):
        return False
    return not any(isinstance(node, ast.Attribute) and node.attr in _WITHOUT_GRAPH for node in ast.walk(made))


def _takes_all(flow: Flow, seen: Seen) -> bool:
    """Whether the reader is given every variable, whatever it uses of them."""
    return any(trace.cell == flow.target and trace.everything for trace in seen.traces)


def _below(name: str, root: Obj, since: dict[Obj, int], before: int) -> _Culprit | None:
    """The nearest culprit that an object holds."""
    queue: list[tuple[Obj, str]] = [(root, name)]
    met = {root}
    for thing, path in queue:
        for key, inner in _held(thing):
            if inner in met or since.get(inner, before) >= before or len(met) >= _FAR:
                continue
            met.add(inner)
            reason = _reason(inner, before)
            if reason is not None:
                return _Culprit(path + _label(key), *reason)
            queue.append((inner, path + _label(key)))
    return None


def _held(thing: Obj) -> Iterator[tuple[str, Obj]]:
    """What an object of the notebook's holds, by field; not what functions and classes do."""
    if isinstance(thing, Thing):
        for key in sorted(thing.fields.keys() - {CLASS, KEYS}):
            yield from ((key, inner) for inner in thing.fields[key])


def _label(key: str) -> str:
    """How a path names a field.

    >>> _label("log"), _label("['a']"), _label("[]")
    ('.log', "['a']", '[...]')
    """
    if key == ITEMS:
        return "[...]"
    if key == SOURCE:
        return ""
    return key if key.startswith("[") else f".{key}"


def _reason(thing: Obj, before: int) -> tuple[str, str] | None:
    """Why an object, as it is before a cell, cannot be passed, and what to do."""
    if not isinstance(thing, Thing) or 0 < thing.closed < before:
        return None
    if thing.type == "builtins.iterator":
        loaders = {inner.type for key, inner in _held(thing) if key == SOURCE and isinstance(inner, Thing)}
        return reason_of(_LOADER_ITERATOR) if "torch.utils.data.DataLoader" in loaders else None
    return reason_of(_KNOWN_AS.get(thing.type, thing.type))


def _diagnostic(flow: Flow, cell: int, culprit: _Culprit, seen: Seen) -> Diagnostic:
    name, path = shown(flow.name), shown(culprit.path)
    reader, line = seen.sections[flow.target].step, _first_read(flow, seen)
    taken = f"cell {flow.target}" + (f", line {line}," if line else "") + (f" of the step `{reader}`" if reader else "")
    because = "" if path == name else f", because of `{path}`,"
    message = f"`{name}`{because} {'cannot' if culprit.surely else 'probably cannot'} be passed to another step"
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR if culprit.surely else Severity.WARNING,
        message=f"{message}: {culprit.reason}; {taken} takes it",
        location=place(seen, cell, _last_binding(flow.name, cell, seen).node or 1),
        hint=culprit.hint,
    )


def _first_read(flow: Flow, seen: Seen) -> int | None:
    """The line where the later step first reads the variable; None where a function of it does."""
    tree = parsed(seen.notebook.cell(flow.target).python)
    return min((node.lineno for node in _names(tree, flow.name) if isinstance(node.ctx, ast.Load)), default=None)


def _last_binding(name: str, cell: int, seen: Seen) -> _Binding:
    tree = parsed(seen.notebook.cell(cell).python)
    if tree is None:
        return _Binding()
    names = [node for node in _names(tree, name) if isinstance(node.ctx, ast.Store)]
    last = max(names, key=lambda node: (node.lineno, node.col_offset), default=None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and last in node.targets:
            return _Binding(last, node.value, node in tree.body)
    return _Binding(last)


def _names(tree: ast.Module | None, name: str) -> list[ast.Name]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name] if tree else []
