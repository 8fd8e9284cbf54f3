"""The key of a call: a digest of everything known before the run that the result of a step depends on.

A finished step whose key still holds need not run again, so what is missing here makes a wrong result, and
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


def call_parts(
    call: StepCall, values: Mapping[str, object], modules: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What the result of a call depends on, each part by a name with its digest.

    The parts are `code N` (the N-th block of the step, from 1), `parameter NAME`, `input NAMES`, `state KIND`,
    `module NAME`, `variable NAME`, and a few of one word.

    Args:
        call: The call; its own `key` does not count.
        values: The values of all parameters that the step uses, defaults included.
        modules: Digests of the modules beside the notebook that the step imports, by name.
    """
    step, around = call.step, call.surroundings
    blocks = (_block(call.notebook.cell(block.cell), block, step.metrics) for block in step.blocks)
    content = {
        **{f"code {number}": block for number, block in enumerate(blocks, 1)},
        **{f"parameter {name}": typed(values[name]) for name in step.parameters if name in values},
        **{f"input {', '.join(group.names)}": str(group.digest) for group in call.inputs},
        **{f"state {kind}": digest for kind, digest in call.state.items() if _counts(kind, call)},
        **{f"module {name}": digest for name, digest in (modules or {}).items()},
        **{f"variable {name}": text for name, text in around.variables.items() if name not in _VARIABLES},
        "injected": sorted(call.parameters),
        "takes": sorted(port.name for port in step.inputs),
        "outputs": sorted([port.name, port.kind] for port in step.outputs),
        "seed": around.seed if step.draws else None,
        "draws": sorted(step.draws),
        "kernel": around.kernel,
        "folder": str(around.folder),
        "executor": around.executor,
    }
    return {name: part(value) for name, value in content.items()}


def part(value: object) -> str:
    """What stands for a part of a call in its key."""
    return str(Digest.of("call-part", value))


def call_key(parts: Mapping[str, str]) -> str:
    """The key of a call, of its parts."""
    return str(Digest.of("step-call", dict(parts)))


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
