"""STAGE 4a: a step as a notebook that papermill runs: the author's cells, with ours before and after them."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from nb2pipe.codegen.literals import literal
from nb2pipe.notebook.model import ParametersTag
from nb2pipe.notebook.secret_defaults import masked_source
from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.model import Block, BlockRole
from nb2pipe.records.values import masked
from nb2pipe.runtime.early import read_at_once
from nb2pipe.runtime.spec import BOOTSTRAP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbformat import NotebookNode

    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Step
    from nb2pipe.records.masking import Masking
    from nb2pipe.runtime.spec import GroupSpec, StepSpec

_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


class Call(Protocol):
    """What a step notebook is made from; `execution.model.StepCall` is one."""

    @property
    def step(self) -> Step:
        """The step."""

    @property
    def notebook(self) -> Notebook:
        """The notebook that the step is of."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """The values to inject, by name."""


@dataclass(frozen=True, slots=True)
class _Own:
    """A cell of ours."""

    role: str
    source: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Authors:
    """A cell of the author's, or some lines of it."""

    block: Block
    cell: Cell


def step_notebook(call: Call, spec: StepSpec, *, kernel: str) -> NotebookNode:
    """The notebook that runs a step.

    First comes our cell that begins the step, then the step's blocks in notebook order, then our cell that stores what
    the step leaves. The inputs are loaded as late as possible, after the definitions, since objects need their classes.
    Values of parameters are assigned after the cell that holds their default, in a cell with papermill's tag. We write
    that cell ourselves: papermill knows one place for all parameters, and turns the keys of dictionaries into strings.

    Args:
        call: The step.
        spec: What the step's kernel is told.
        kernel: The kernel's name.

    Returns:
        A notebook of nbformat 4.5. Each of the author's cells has metadata `{"nb2pipe": {"cell": POSITION, "role":
        "code"|"definitions"|"parameters"}}`, each of ours `{"nb2pipe": {"role": "enter"|"leave"|"injected"}}`.
    """
    import nbformat.v4  # heavy

    cells = [_node(part, index) for index, part in enumerate(_parts(call, spec))]
    display = {"name": kernel, "display_name": kernel, "language": "python"}
    metadata = {"kernelspec": display, "language_info": {"name": "python"}, "nb2pipe": {"step": spec.step}}
    return nbformat.v4.new_notebook(cells=_unique(cells), metadata=metadata)


def without_secrets(
    notebook: NotebookNode, parameters: Mapping[str, object], masking: Masking | None = None
) -> NotebookNode:
    """The step notebook as it may be kept: secret values are masked, in our cells as in the record.

    Args:
        notebook: What `step_notebook` made, with or without outputs; it is left as it is.
        parameters: The values that it injects.
        masking: Replaces secret values in all other cells, and in what they show.
    """
    return _with_masks(_without_given(notebook, parameters), masking)


def _with_masks(notebook: NotebookNode, masking: Masking | None) -> NotebookNode:
    if not masking:
        return notebook
    kept = copy.copy(notebook)
    kept["cells"] = [_hidden(cell, masking) for cell in notebook["cells"]]
    kept["metadata"] = masking.value(notebook["metadata"])
    return kept


def _hidden(cell: NotebookNode, masking: Masking) -> NotebookNode:
    kept = copy.copy(cell)
    ours = cell["metadata"].get("nb2pipe", {})
    source = masked_source(cell["source"]) if ours.get("role") == "parameters" else cell["source"]
    kept["source"] = masking.text(source)
    kept["outputs"] = masking.value(cell["outputs"])
    return kept


def _without_given(notebook: NotebookNode, parameters: Mapping[str, object]) -> NotebookNode:
    hidden = masked(parameters)
    lines = {
        _assignment(name, value): _assignment(name, hidden[name])
        for name, value in parameters.items()
        if hidden[name] is not value
    }
    if not lines:
        return notebook
    kept = copy.copy(notebook)
    kept["cells"] = [_without(cell, lines) if _is_injected(cell) else cell for cell in notebook["cells"]]
    return kept


def _is_injected(cell: NotebookNode) -> bool:
    ours = cell["metadata"].get("nb2pipe", {})
    return bool(ours.get("role") == "injected")


def _without(cell: NotebookNode, lines: Mapping[str, str]) -> NotebookNode:
    kept = copy.copy(cell)
    kept["source"] = "\n".join(lines.get(line, line) for line in cell["source"].split("\n"))
    return kept


def _parts(call: Call, spec: StepSpec) -> Iterator[_Own | _Authors]:
    yield _Own("enter", _enter(spec))
    blocks = joined(call.step.blocks)
    takes = loads(call, blocks, spec.inputs) or ({1: []} if spec.state else {})
    gives = injections(call, blocks)
    for index, block in enumerate([None, *blocks]):
        if index in takes:
            yield _Own("enter", _load(takes[index]))
        if block is not None:
            yield _Authors(block, call.notebook.cell(block.cell))
        if names := gives.get(index):
            yield _Own("injected", _assignments(call, names), ("injected-parameters",))
    if len(blocks) + 1 in takes:
        yield _Own("enter", _load(takes[len(blocks) + 1]))
    yield _Own("leave", f"# nb2pipe: keeps what the step `{spec.step}` made\n{_SESSION}.leave()")


def joined(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The blocks, where neighbors of one cell are one block; so a cell stands once in the notebook."""
    joined: list[Block] = []
    for block in blocks:
        if joined and _can_join(joined[-1], block):
            joined[-1] = _join(joined[-1], block)
        else:
            joined.append(block)
    return tuple(joined)


def _can_join(one: Block, two: Block) -> bool:
    return one.cell == two.cell and one.text is None and two.text is None and not one.injects


def _join(one: Block, two: Block) -> Block:
    role = BlockRole.CODE if BlockRole.CODE in (one.role, two.role) else one.role
    lines = None if one.lines is None or two.lines is None else one.lines | two.lines
    return replace(two, role=role, lines=lines, may_raise=one.may_raise or two.may_raise)


def loads(call: Call, blocks: tuple[Block, ...], groups: tuple[GroupSpec, ...]) -> dict[int, list[str]]:
    """The names to load, by the number of the block (from 1) before which that has to be done.

    Where something is repeated before the step's own code there is always such a place: what the repeated imports
    did to random generators and other hidden state is undone there.
    """
    own = (n for n, block in enumerate(blocks, 1) if block.cell in call.step.cells or block.role is BlockRole.CODE)
    first_code = next(own, len(blocks) + 1)
    mentioned = [read_at_once(block_text(call.notebook.cell(block.cell), block)) for block in blocks[: first_code - 1]]
    takes: dict[int, list[str]] = {first_code: []} if groups or first_code > 1 else {}
    for group in groups:
        wanted = (n for n, names in enumerate(mentioned, 1) if names & set(group.take))
        takes.setdefault(next(wanted, first_code), []).extend(group.names)
    return takes


def injections(call: Call, blocks: tuple[Block, ...]) -> dict[int, list[str]]:
    """The parameters to assign, by the number of the block (from 1) after which that is done; 0 is before all."""
    places: dict[int, list[str]] = {}
    for name in call.parameters:
        named = (n for n, block in enumerate(blocks, 1) if name in block.injects)
        place = next(named, None)
        if place is None:
            place = _place_in_order(call.notebook, blocks, name)
        places.setdefault(place, []).append(name)
    return places


def _place_in_order(notebook: Notebook, blocks: tuple[Block, ...], name: str) -> int:
    """Where the parameters cell of a name stands among blocks that do not name it."""
    homes = [cell.position for cell in notebook.cells if cell.has(ParametersTag) and name in _bound(cell.python)]
    home = homes[-1] if homes else 0
    return sum(1 for block in blocks if block.cell <= home)


def _bound(python: str) -> set[str]:
    try:
        tree = ast.parse(python)
    except (SyntaxError, ValueError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def _assignments(call: Call, names: list[str]) -> str:
    return "\n".join(["# Parameters", *(_assignment(name, call.parameters[name]) for name in names)])


def _assignment(name: str, value: object) -> str:
    return f"{name} = {literal(value)}"


def _enter(spec: StepSpec) -> str:
    begin = f'__import__("runpy").run_path({str(BOOTSTRAP)!r})["enter"]'
    return f"# nb2pipe: begins the step `{spec.step}`\n{begin}(\n{spec.literal()}\n)"


def _load(names: list[str]) -> str:
    return f"# nb2pipe: takes what earlier steps made\n{_SESSION}.load({sorted(set(names))!r})"


def _node(part: _Own | _Authors, index: int) -> NotebookNode:
    import nbformat.v4  # heavy

    if isinstance(part, _Own):
        metadata = {"tags": list(part.tags), "nb2pipe": {"role": part.role}}
        return nbformat.v4.new_code_cell(part.source, metadata=metadata, id=f"nb2pipe-{part.role}-{index}")
    ours = {"cell": part.cell.position, "role": part.block.role.value}
    metadata = {"tags": list(part.cell.raw_tags), "nb2pipe": ours}
    return nbformat.v4.new_code_cell(block_text(part.cell, part.block), metadata=metadata, id=part.cell.id)


def _unique(cells: list[NotebookNode]) -> list[NotebookNode]:
    """The cells, with a new id where a cell stands a second time."""
    seen: set[str] = set()
    for index, cell in enumerate(cells):
        if cell["id"] in seen:
            cell["id"] = f"{cell['id'][:50]}-{index}"
        seen.add(cell["id"])
    return cells
