"""Which steps train, as their code and their values' types say; never a variable's name."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from nb2pipe.notebook.syntax import parsed
from nb2pipe.pipeline.blocks import block_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.pipeline.work import Unit

_MAKERS: Final = ("torch.optim.", "nb2pipe.track.training")
"""What a training calls: it makes an optimizer, or is one that goes on after a crash."""

_TYPES: Final = ("torch.nn.", "torch.optim.")


def trains(unit: Unit, types: Mapping[str, str]) -> bool:
    """Whether a step trains: it makes an optimizer of torch, calls `track.training`, or leaves a model of torch.

    Args:
        unit: The step.
        types: The types of values that a run saw, by `STEP.NAME`.
    """
    left = (types.get(f"{unit.name}.{port.name}", "") for port in unit.step.outputs)
    return any(kind.startswith(_TYPES) for kind in left) or any(name.startswith(_MAKERS) for name in _called(unit))


def _called(unit: Unit) -> Iterator[str]:
    """The full names of what the code of a step calls, as far as its imports tell."""
    trees = [tree for tree in map(parsed, _texts(unit)) if tree is not None]
    bound = {name: full for tree in trees for name, full in _imports(tree)}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                parts = _dotted(node.func)
                if parts and parts[0] in bound:
                    yield ".".join([bound[parts[0]], *parts[1:]])


def _texts(unit: Unit) -> Iterator[str]:
    for block in unit.step.blocks:
        cell = unit.pipeline.notebook.cell(block.cell)
        yield cell.python if block.text is None and block.lines is None else block_text(cell, block)


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [*parts, node.id][::-1] if isinstance(node, ast.Name) else []
