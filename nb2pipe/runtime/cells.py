"""Runs the cells of a step in namespace form: as top-level code in the notebook's dictionary, one after the other."""

from __future__ import annotations
import __future__

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from itertools import zip_longest
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from nb2pipe.runtime import borders
from nb2pipe.runtime.given_sources import source_of
from nb2pipe.runtime.markers import markers
from nb2pipe.runtime.modules import UNBOUND, bind

if TYPE_CHECKING:
    from types import CodeType, ModuleType

    from nb2pipe.runtime.markers import Place

_FEATURES: dict[str, __future__._Feature] = {name: getattr(__future__, name) for name in __future__.all_feature_names}
_FLAGS = reduce(or_, (feature.compiler_flag for feature in _FEATURES.values()))

Injected = Mapping[int, Mapping[str, object]]

_done: set[tuple[int, Place, str]] = set()
"""The definitions that this process has run, by the dictionary that they were run in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some lines of a cell, as they stand in a file of cells.

    Attributes:
        place: Where they stand in the notebook.
        text: The lines.
        above: How many lines stand above them in the file.
    """

    place: Place
    text: str
    above: int


def run_cells(
    file: Path, definitions: ModuleType, given: Mapping[str, object], *, injected: Injected | None = None
) -> dict[str, Any]:
    """Runs the cells of a step in the dictionary of `definitions`.

    Args:
        file: The file that holds them.
        definitions: The module that stands for the notebook.
        given: The step's inputs and parameters; those that are `UNBOUND` are taken away.
        injected: Values that are bound after a cell, by its position; not those that are `UNBOUND`.

    Returns:
        The dictionary, in which the step's outputs are now.
    """
    names = vars(definitions)
    for turn in _begun(file, names, given, injected):
        with turn:
            for code in turn.codes(awaits=False):
                exec(code, names)  # noqa: S102  # running the author's code is the purpose
    return names


async def run_cells_async(
    file: Path, definitions: ModuleType, given: Mapping[str, object], *, injected: Injected | None = None
) -> dict[str, Any]:
    """As `run_cells`, for cells that await."""
    names = vars(definitions)
    for turn in _begun(file, names, given, injected):
        with turn:
            for code in turn.codes(awaits=True):
                await _execute(code, names)
    return names


def _begun(
    file: Path, names: dict[str, Any], given: Mapping[str, object], injected: Injected | None
) -> tuple[_Turn, ...]:
    """What is to be run, once the inputs are in place."""
    bind(names, given)
    late = {cell: _bound(values) for cell, values in (injected or {}).items()}
    turns = tuple(_turns(Path(file), names))
    last = {turn.part.place.cell: turn for turn in turns}
    for cell, values in late.items():
        if cell in last:
            last[cell].injected = values
        else:  # this process has run it for another step
            names.update(values)
    return turns


def _bound(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value is not UNBOUND}


def parts_of(file: Path) -> tuple[Part, ...]:
    """What stands in a file of cells."""
    return _parts(source_of(file))


def run_definitions(part: Part, file: Path, names: dict[str, Any]) -> None:
    """Runs definitions before their step begins, so that what the step is given finds its classes."""
    if not _is_done(part, names):
        with _Turn(part=part, file=file, names=names) as turn:
            for code in turn.codes(awaits=False):
                exec(code, names)  # noqa: S102  # running the author's code is the purpose


@lru_cache(maxsize=8)
def _parts(text: str) -> tuple[Part, ...]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # it shows when the cell runs
        tree = None
    lines = text.split("\n")
    found = markers(text, tree)
    ends = [*(marker.line - 1 for marker in found), len(lines)]
    return tuple(
        Part(place=marker.place, text="\n".join(lines[marker.line : end]), above=marker.line)
        for marker, end in zip(found, ends[1:], strict=True)
    )


@dataclass(slots=True, kw_only=True)
class _Turn:
    """The run of some lines of a cell.

    Attributes:
        part: The lines.
        file: The file that they stand in.
        names: The notebook's dictionary.
        begins: They are the first of their cell.
        ends: They are the last of their cell.
        before: The lines of the same cell above them.
        raised: The cell may raise, and did.
        injected: What is bound after them.
    """

    part: Part
    file: Path
    names: dict[str, Any]
    begins: bool = True
    ends: bool = True
    before: _Turn | None = None
    raised: bool = False
    injected: Mapping[str, object] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if self.begins:
            borders.begin(self.part.place)
        self.raised = self.before is not None and self.before.raised
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        """Ends the lines; an error of a cell that may raise is told, and stays here."""
        if isinstance(error, Exception | SystemExit) and self.part.place.may_raise:
            self.raised = True
            borders.caught(self.part.place, error)
        elif error is not None:
            return False
        if self.part.place.definitions:
            _done.add(_key(self.part, self.names))
        self.names.update(self.injected)
        if self.ends:
            borders.end(self.part.place, lambda: dict(self.names))
        return error is not None

    def codes(self, *, awaits: bool) -> Iterator[CodeType]:
        """The statements, one by one, as IPython compiles them; what `__future__` gave earlier holds."""
        flags = _known_features(self.names) | (ast.PyCF_ALLOW_TOP_LEVEL_AWAIT if awaits else 0)
        tree = _tree(self.part, self.file, flags)
        for statement in [] if self.raised else tree.body:
            module = ast.Module([statement], tree.type_ignores)
            code: CodeType = compile(module, str(self.file), "exec", flags, dont_inherit=True)
            flags |= code.co_flags & _FLAGS
            yield code


def _turns(file: Path, names: dict[str, Any]) -> Iterator[_Turn]:
    parts = [part for part in parts_of(file) if not _is_done(part, names)]
    last: _Turn | None = None
    for part, following in zip_longest(parts, parts[1:]):
        same = last is not None and last.part.place.of_cell == part.place.of_cell
        ends = following is None or following.place.of_cell != part.place.of_cell
        last = _Turn(part=part, file=file, names=names, begins=not same, ends=ends, before=last if same else None)
        yield last


async def _execute(code: CodeType, names: dict[str, Any]) -> None:
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)  # noqa: S307  # a coroutine of the author's code
    else:
        exec(code, names)  # noqa: S102  # running the author's code is the purpose


def _key(part: Part, names: dict[str, Any]) -> tuple[int, Place, str]:
    return id(names), part.place, part.text


def _is_done(part: Part, names: dict[str, Any]) -> bool:
    """Whether this process has run these definitions; imports are run again, since it costs nothing."""
    if _key(part, names) not in _done:
        return False
    statements = ast.parse(part.text).body
    return not all(isinstance(one, ast.Import | ast.ImportFrom) for one in statements)


def _tree(part: Part, file: Path, flags: int) -> ast.Module:
    """The syntax tree of some lines, with the line numbers of the file."""
    try:
        tree = compile(part.text, str(file), "exec", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
    except SyntaxError as error:
        error.lineno = error.lineno + part.above if error.lineno is not None else None
        error.end_lineno = error.end_lineno + part.above if error.end_lineno is not None else None
        raise
    assert isinstance(tree, ast.Module)
    ast.increment_lineno(tree, part.above)
    return tree


def _known_features(names: Mapping[str, object]) -> int:
    flags = (feature.compiler_flag for name, feature in _FEATURES.items() if names.get(name) is feature)
    return reduce(or_, flags, 0)
