"""The key of a call: a digest of everything known before the run that the result of a step depends on.

`resume` takes the results of a finished step whose key still holds, so what is missing here makes a wrong result, and
what is too much here makes steps run again. Comments, empty lines and the place of cells are not part of it.
"""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.pipeline.model import BlockRole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.execution.model import StepCall
    from nb2pipe.notebook.model import Cell, Magic
    from nb2pipe.pipeline.model import Block

GENERATORS = frozenset({"random", "numpy", "torch"})
"""Hidden state that begins with the seed. A step that does not draw does not depend on it."""

_VARIABLES = frozenset({"OMP_WAIT_POLICY"})
"""Environment variables that cost or save time and change no value."""


def call_key(call: StepCall, values: Mapping[str, object], modules: Mapping[str, str] | None = None) -> str:
    """The key of a call.

    Args:
        call: The call; its own `key` does not count.
        values: The values of all parameters that the step uses, defaults included.
        modules: Digests of the modules beside the notebook that the step imports, by name.
    """
    step, around = call.step, call.surroundings
    content = {
        "code": [_block(call.notebook.cell(block.cell), block, step.metrics) for block in step.blocks],
        "modules": dict(modules or {}),
        "parameters": {name: typed(values[name]) for name in step.parameters if name in values},
        "injected": sorted(call.parameters),
        "inputs": sorted([list(group.names), str(group.digest)] for group in call.inputs),
        "takes": sorted(port.name for port in step.inputs),
        "outputs": sorted([port.name, port.kind] for port in step.outputs),
        "state": {kind: digest for kind, digest in call.state.items() if _counts(kind, call)},
        "seed": around.seed if step.draws else None,
        "draws": sorted(step.draws),
        "kernel": around.kernel,
        "folder": str(around.folder),
        "variables": {name: text for name, text in around.variables.items() if name not in _VARIABLES},
    }
    return str(Digest.of("step-call", content))


def typed(value: object) -> object:
    """A value of a parameter as JSON that tells apart what Python tells apart.

    >>> typed([1, 1.0, True]), typed({"a": None})
    (['list', [['int', '1'], ['float', '1.0'], ['bool', 'True']]], ['dict', [[['str', "'a'"], ['NoneType', 'None']]]])
    """
    kind = type(value).__name__
    if isinstance(value, dict):
        return [kind, [[typed(key), typed(item)] for key, item in value.items()]]
    if isinstance(value, list | tuple):
        return [kind, [typed(item) for item in value]]
    if isinstance(value, set | frozenset):
        return [kind, sorted(repr(typed(item)) for item in value)]
    return [kind, repr(value)]


def _counts(kind: str, call: StepCall) -> bool:
    return kind not in GENERATORS or kind in call.step.draws


def _block(cell: Cell, block: Block, metrics: tuple[int, ...]) -> object:
    return {
        "role": block.role,
        "code": code_of(cell, block.lines),
        "may_raise": block.may_raise,
        "metrics": block.role is BlockRole.CODE and block.cell in metrics,
    }


def code_of(cell: Cell, lines: frozenset[int] | None) -> object:
    """The code of some lines of a cell, without comments and positions; IPython syntax as it is written."""
    rows = (cell.python or cell.source).splitlines()
    kept = "\n".join(row if lines is None or number in lines else "" for number, row in enumerate(rows, 1))
    magics = [_magic(magic) for magic in cell.magics if lines is None or magic.line in lines]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the author's text is the author's
            return [_node(ast.parse(kept)), magics]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [kept, magics]


def _magic(magic: Magic) -> list[object]:
    return [magic.kind, magic.name, magic.arguments, magic.body, list(magic.target)]


def _node(node: object) -> object:
    """A syntax tree as JSON, the same in every version of Python: `ast.dump` is not."""
    if isinstance(node, ast.AST):
        fields = ((name, value) for name, value in ast.iter_fields(node) if name not in {"kind", "type_comment"})
        return [
            type(node).__name__,
            {name: _node(value) for name, value in fields if value is not None and value != []},
        ]
    if isinstance(node, list):
        return [_node(item) for item in node]
    return typed(node)
