"""A step takes an object whose class the notebook has defined again since, with the same methods.

In the notebook the two classes are two, though they have one name. A step that is given an object of the first one and
the second one itself would find one class, since classes are known by their name and methods.

    class Config:                   # in the step `first`
        rate = 0.1
    old = Config()

    class Config:                   # in the step `second`
        rate = 0.2
    new = Config()

    print(old.rate, new.rate)       # in the step `compare`

What to do: give one of the two classes another name, or make the object anew. Classes whose methods differ are kept
apart, as in the notebook.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.heap import Function, Klass, Library
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.analysis.flows import Taken
    from nb2pipe.analysis.heap import Obj
    from nb2pipe.analysis.model import Flow
    from nb2pipe.analysis.walk import Seen

CODE = "NB210"


def classes_defined_again(seen: Seen, taken: Taken) -> Iterator[Diagnostic]:
    """An error for each variable that brings a step the older one of two classes of one name."""
    twice = _twice(seen)
    if not twice:
        return
    flows = sorted(
        (flow for flow in taken.flows if seen.sections[flow.source].step != seen.sections[flow.target].step),
        key=lambda flow: (flow.target, flow.name),
    )
    given = _given(flows, seen, taken)
    told: set[tuple[str, int]] = set()
    for flow in flows:
        for old in _classes(flow, seen):
            new = twice.get(old)
            if new is None or new not in given.get(_step(flow.target, seen), ()) or (flow.name, flow.source) in told:
                continue
            told.add((flow.name, flow.source))
            yield _diagnostic(flow, old, new, seen)


def _twice(seen: Seen) -> dict[Klass, Klass]:
    """The classes that are defined again with the same methods, each with the last one of its name."""
    found: dict[Klass, Klass] = {}
    for name, reaches in seen.history.reaches.items():
        bound = [thing for reach in reaches for thing in reach.roots if isinstance(thing, Klass) and thing.name == name]
        for number, old in enumerate(bound):
            later = [new for new in bound[number + 1 :] if new is not old and _described(old) == _described(new)]
            if later:
                found[old] = later[-1]
    return found


def _described(klass: Klass) -> tuple[object, ...]:
    """What tells classes of one name apart where they are loaded: bases and methods."""
    bases = sorted(_name(base) for base in klass.bases)
    methods = [
        (key, ast.dump(value.node))
        for key, values in sorted(klass.fields.items())
        for value in values
        if isinstance(value, Function)
    ]
    return (*bases, *sorted(methods))


def _name(base: Obj) -> str:
    if isinstance(base, Klass):
        return base.name
    return base.path if isinstance(base, Library) else ""


def _given(flows: list[Flow], seen: Seen, taken: Taken) -> Mapping[str, set[Klass]]:
    """The classes that each step is given, by itself or with its definitions."""
    found: dict[str, set[Klass]] = {}
    for flow in flows:
        found.setdefault(_step(flow.target, seen), set()).update(_classes(flow, seen))
    by_definition = {
        thing.definition: thing
        for reaches in seen.history.reaches.values()
        for reach in reaches
        for thing in reach.roots
        if isinstance(thing, Klass) and thing.definition is not None
    }
    for cell, needs in taken.needs.items():
        classes = {by_definition[number] for number in needs if number in by_definition}
        found.setdefault(_step(cell, seen), set()).update(classes)
    return found


def _step(cell: int, seen: Seen) -> str:
    return seen.sections[cell].step or ""


def _classes(flow: Flow, seen: Seen) -> list[Klass]:
    reach = seen.history.reach(flow.name, flow.target)
    return [thing for thing in reach.described_before(flow.target) if isinstance(thing, Klass)] if reach else []


def _diagnostic(flow: Flow, old: Klass, new: Klass, seen: Seen) -> Diagnostic:
    name, klass = shown(flow.name), shown(old.name)
    reader = f"cell {flow.target} of the step `{_step(flow.target, seen)}`"
    first = next(
        (
            node.lineno
            for node in ast.walk(ast.parse(seen.notebook.cell(new.born).python))
            if isinstance(node, ast.ClassDef) and node.name == old.name
        ),
        1,
    )
    return Diagnostic(
        code=CODE,
        severity=Severity.ERROR,
        message=(
            f"the class `{klass}` is defined again here, with the same methods, and {reader} takes `{name}`, which is"
            f" of the class `{klass}` of cell {old.born}: the two would become one"
        ),
        location=place(seen, new.born, first),
        hint=f"give one of the two classes another name, or make `{name}` anew",
    )
