"""Targets of assignments: names, attributes, elements, and patterns of them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis import dynamic
from nb2pipe.analysis.heap import NOTHING, Value, elements
from nb2pipe.analysis.objects import delete_item, store_attribute, store_item, unpack, use_up

if TYPE_CHECKING:
    from nb2pipe.analysis.machine import Machine
    from nb2pipe.analysis.scopes import Scope


def assign(machine: Machine, target: ast.expr, value: Value, scope: Scope) -> None:
    """Does `target = value`."""
    match target:
        case ast.Name():
            machine.bind(target.id, value, scope)
        case ast.Attribute():
            store_attribute(machine, machine.evaluate(target.value, scope), target.attr, value, target)
        case ast.Subscript():
            _assign_item(machine, target, value, scope)
        case ast.Tuple() | ast.List():
            _unpack(machine, target.elts, value, scope)
        case ast.Starred():
            assign(machine, target.value, value, scope)
        case _:
            pass


def _assign_item(machine: Machine, target: ast.Subscript, value: Value, scope: Scope) -> None:
    if (name := dynamic.item_of_globals(machine, target, scope)) is not None:
        machine.bind_in(machine.module, name, value)
        return
    base = machine.evaluate(target.value, scope)
    machine.evaluate(target.slice, scope)
    store_item(machine, base, value, target)


def _unpack(machine: Machine, targets: list[ast.expr], value: Value, scope: Scope) -> None:
    use_up(machine, value, targets[0] if targets else ast.Pass())
    for place, target in enumerate(targets):
        if isinstance(target, ast.Starred):
            rest = machine.thing("builtins.list", elements(value) or unpack(machine, value, place))
            assign(machine, target.value, frozenset({rest}), scope)
        else:
            assign(machine, target, unpack(machine, value, place), scope)


def delete(machine: Machine, target: ast.expr, scope: Scope) -> None:
    """Does `del target`."""
    match target:
        case ast.Name():
            machine.read(target, scope)
            machine.unbind(target.id, scope)
        case ast.Attribute():
            store_attribute(machine, machine.evaluate(target.value, scope), target.attr, NOTHING, target)
        case ast.Subscript():
            if (name := dynamic.item_of_globals(machine, target, scope)) is not None:
                machine.unbind(name, machine.module)
                return
            base = machine.evaluate(target.value, scope)
            machine.evaluate(target.slice, scope)
            delete_item(machine, base, target)
        case ast.Tuple() | ast.List():
            for part in target.elts:
                delete(machine, part, scope)
        case _:
            pass
