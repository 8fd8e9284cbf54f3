"""A training that goes on after a crash would lack something that its loop hands from one round to the next.

`track.training` saves the models, optimizers, schedulers and scalers that it is given, all random generators, and what
`state` names. What else the loop binds or changes, and reads later, is not there after a crash; so such a step starts
from its beginning, rather than to go on with other values.

    training = track.training(net, optimizer)
    for epoch in training.epochs(10):
        ...
        history.append(accuracy)        # `history` would hold the last epochs only

What to do: name it, and it is saved and set too. What is bound anew in each round, before it is read, needs no name.

    training = track.training(net, optimizer, state={"history": history})

Of an object of a class of the notebook, numbers, texts, lists of them and generators are saved without a name. Whether
there is more to it that changes, such as tensors, shows when it runs; a warning says so.

Where only the rounds over the batches hand something on, as a sum of losses does, an epoch that was interrupted is
begun again: that is said only where `every` asks for checkpoints within epochs.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.instances import calls_of, instances
from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.sections import Role, sections
from nb2pipe.notebook.shown import shown
from nb2pipe.tracking.training.every import parse_every
from nb2pipe.tracking.training.heads import SHOWN_BY
from nb2pipe.tracking.training.leftovers import Calls, leftovers, loops_over, read_outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen
    from nb2pipe.tracking.training.leftovers import Leftover

CODE = "NB211"
_AT_EPOCHS = (Severity.WARNING, "which no checkpoint holds, so the training starts over after a crash")
_WITHIN = (Severity.INFO, "which no checkpoint holds, so a crash costs the epoch that it happens in")
_OF_OBJECTS = (
    Severity.INFO,
    "of which a checkpoint holds numbers, texts and generators; if more of it changes, the training starts over",
)


@dataclass(frozen=True, slots=True)
class _Made:
    """A training, as the text makes it.

    Attributes:
        names: What is saved, by the names in its call.
        within: It may be saved in the middle of an epoch.
    """

    names: frozenset[str]
    within: bool


def starts_over(seen: Seen) -> Iterator[Diagnostic]:
    """One diagnostic for each name that a loop over epochs or batches hands on and nobody saves."""
    trees = _trees(seen)
    made = {name: one for tree in trees.values() for name, one in _made(tree, trees).items()}
    functions = {
        node.name: node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }
    objects = instances(trees.values())
    calls = calls_of(functions, objects)
    apart = _apart(trees)
    for cell, tree in trees.items() if made else ():
        later = {name for other, one in trees.items() if other >= cell for name in read_outside(one)}
        for loop in loops_over(tree, "epochs"):
            training = _training(loop, made)
            if training is None:
                continue
            saved = training.names | _own(tree, loop) | apart
            told = [one for one in leftovers(loop, calls, later) if one.name not in saved]
            for one in told:
                known = one.name not in objects or one.bound
                yield _diagnostic(seen, cell, one, _AT_EPOCHS if known else _OF_OBJECTS)
            if training.within and not told:
                yield from _of_batches(seen, cell, loop, saved, calls)


def _own(tree: ast.Module, loop: ast.For) -> set[str]:
    """The object that a loop in a method belongs to: numbers and texts of it are saved, the rest shows when it runs."""
    methods = (one for kind in ast.walk(tree) if isinstance(kind, ast.ClassDef) for one in kind.body)
    around = [
        one for one in methods if isinstance(one, ast.FunctionDef) and any(node is loop for node in ast.walk(one))
    ]
    return {one.args.args[0].arg for one in around if one.args.args}


def _apart(trees: dict[int, ast.Module]) -> set[str]:
    """The names of modules, whose functions change what they are given, and of what shows how far a loop is."""
    found: set[str] = set()
    for node in (one for tree in trees.values() for one in ast.walk(tree)):
        if isinstance(node, ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            function = node.value.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name in SHOWN_BY:
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def _of_batches(seen: Seen, cell: int, loop: ast.For, saved: frozenset[str], calls: Calls) -> Iterator[Diagnostic]:
    for inner in list(loops_over(ast.Module(loop.body, []), "batches"))[:1]:
        for one in leftovers(inner, calls):
            if one.name not in saved:
                yield _diagnostic(seen, cell, one, _WITHIN)


def _trees(seen: Seen) -> dict[int, ast.Module]:
    found = {}
    for section in sections(seen.notebook):
        tree = parsed(seen.notebook.cell(section.cell).python) if section.role is not Role.SKIPPED else None
        if tree is not None:
            found[section.cell] = tree
    return found


def _training(loop: ast.For, made: dict[str, _Made]) -> _Made | None:
    """The training whose epochs a loop goes through."""
    names = [node.id for node in ast.walk(loop.iter) if isinstance(node, ast.Name)]
    return next((made[name] for name in names if name in made), None)


def _made(tree: ast.Module, trees: dict[int, ast.Module]) -> dict[str, _Made]:
    """The trainings that a cell makes, by their names."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _is_training(node.value.func):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = _read(node.value, target.id, trees)
    return found


def _is_training(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "training" and isinstance(node.value, ast.Name) and node.value.id == "track"
    return isinstance(node, ast.Name) and node.id == "training"


def _read(call: ast.Call, name: str, trees: dict[int, ast.Module]) -> _Made:
    given = {each.arg: each.value for each in call.keywords}
    saved = [*call.args[:2], *(given[each] for each in ("net", "optimizer", "scheduler", "scaler") if each in given)]
    names = {node.id for each in saved for node in ast.walk(each) if isinstance(node, ast.Name)}
    state = given.get("state")
    names |= {name} | (_names_of(state, trees) if state is not None else set())
    return _Made(frozenset(names), _is_within(given.get("every")))


def _names_of(state: ast.expr, trees: dict[int, ast.Module]) -> set[str]:
    """The names that `state` holds: the keys of a dictionary, also where a variable is bound to it."""
    if isinstance(state, ast.Dict):
        return {str(key.value) for key in state.keys if isinstance(key, ast.Constant)}
    if not isinstance(state, ast.Name):
        return set()
    found = {state.id}
    for tree in trees.values():
        for node in ast.walk(tree):
            is_it = isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == state.id for target in node.targets
            )
            if is_it and isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                found |= _names_of(node.value, trees)
    return found


def _is_within(every: ast.expr | None) -> bool:
    try:
        return isinstance(every, ast.Constant) and parse_every(every.value).within_epochs
    except (TypeError, ValueError):
        return False


def _diagnostic(seen: Seen, cell: int, one: Leftover, told: tuple[Severity, str]) -> Diagnostic:
    name = shown(one.name)
    does = "binds" if one.bound else "changes"
    severity, then = told
    return Diagnostic(
        code=CODE,
        severity=severity,
        message=f"the loop {does} `{name}`, {then}",
        location=place(seen, cell, one.node),
        hint=f'name it: `track.training(..., state={{"{name}": {name}}})`',
    )
