"""Files that steps read and that no step makes: they have to be there where the bundle runs."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nb2pipe.pipeline.work import make_work

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Cell
    from nb2pipe.pipeline.model import Pipeline


def reads_of_steps(pipeline: Pipeline) -> dict[str, tuple[str, ...]]:
    """The literal paths that each step reads and that no earlier cell writes; those in the working directory.

    Args:
        pipeline: Compiled, so that its cells' facts are known.
    """
    found: dict[str, tuple[str, ...]] = {}
    written: set[str] = set()
    for unit in make_work(pipeline, Path()).units:
        dataflow = unit.pipeline.dataflow
        if dataflow is None or unit.step.nested is not None:
            continue
        facts = [fact for cell in unit.step.cells if (fact := dataflow.facts_of(cell)) is not None]
        read: set[str] = set()
        for fact in facts:
            commands = _commands(unit.pipeline.notebook.cell(fact.cell))
            read |= {path for path in fact.files_read - written if _is_here(path) and path not in commands}
            written |= fact.files_written
        if read:
            found[unit.name] = tuple(sorted(read))
    return found


def cell_that_reads(pipeline: Pipeline, step: str, path: str) -> int | None:
    """The position of the first cell of a step that reads a file."""
    unit = make_work(pipeline, Path()).by_name[step]
    facts = unit.pipeline.dataflow.facts if unit.pipeline.dataflow is not None else ()
    return next((fact.cell for fact in facts if fact.cell in unit.step.cells and path in fact.files_read), None)


def _commands(cell: Cell) -> str:
    """The commands and magics of a cell; nobody knows which of their words are files: `!pip install pandas`."""
    return "\n".join(f"{magic.arguments}\n{magic.body}" for magic in cell.magics)


def _is_here(path: str) -> bool:
    """Whether a path is one of a file below the working directory."""
    pure = PurePosixPath(path)
    plain = path.isprintable() and "://" not in path and "\\" not in path and not set("*?[") & set(path)
    return plain and not pure.is_absolute() and ".." not in pure.parts and not path.startswith("~") and bool(pure.parts)
