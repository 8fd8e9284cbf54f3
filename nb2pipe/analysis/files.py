"""Flows of files: who reads a file comes after who wrote it, and before who writes it next."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import Flow, FlowKind
from nb2pipe.analysis.paths import HOLE, base, folders, meet, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.analysis.trace import Trace

_MOST = 200
"""Paths with holes that are kept apart; a cell that writes after that may have written anything."""


@dataclass(slots=True)
class _Paths:
    """The cells that did one thing to files.

    Attributes:
        cells: By path, where the path is known.
        below: Known paths, by each of the folders above them.
        tails: Known paths, by each of their ends: a module is found in any folder of `sys.path`.
        holes: By path, where a part of it is not known.
    """

    cells: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    below: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tails: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    holes: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def add(self, path: str, cell: int, *, alone: bool) -> None:
        """Notes a cell; `alone` if those before it count no more."""
        if HOLE in path:
            self.holes[path].add(cell)
            return
        if alone:
            self.cells[path] = {cell}
        else:
            self.cells[path].add(cell)
        self.tails[path].add(path)
        for folder in folders(path):
            self.below[folder].add(path)
            self.tails[path.removeprefix(f"{folder}/")].add(path)

    def drop(self, path: str) -> None:
        """Forgets who did it to a path."""
        self.cells.pop(path, None)

    def of(self, path: str) -> Iterator[tuple[str, int]]:
        """Who did it to what may be this path."""
        if HOLE in path:
            folder = base(path)
            known = self.cells if folder is None else self.below.get(folder, ())
            for one in [one for one in known if meet(path, one)]:
                yield from self._known(one)
        else:
            yield from self._known(path)
        for hole in [hole for hole in self.holes if meet(path, hole)]:
            yield from ((hole, cell) for cell in self.holes[hole])

    def above(self, path: str) -> Iterator[tuple[str, int]]:
        """Who did it to a folder that a path lies in."""
        for folder in folders(path):
            yield from self._known(folder)

    def of_module(self, path: str) -> Iterator[tuple[str, int]]:
        """Who did it to the file of a module."""
        for known in self.tails.get(path, ()):
            yield from self._known(known)
        for hole in [hole for hole in self.holes if hole.endswith(".py") and meet(hole, path)]:
            yield from ((hole, cell) for cell in self.holes[hole])

    def _known(self, path: str) -> Iterator[tuple[str, int]]:
        yield from ((path, cell) for cell in self.cells.get(path, ()))


@dataclass(slots=True)
class _Files:
    """Who wrote files, read them, and made folders so far."""

    written: _Paths = field(default_factory=_Paths)
    read: _Paths = field(default_factory=_Paths)
    made: _Paths = field(default_factory=_Paths)

    def before(self, trace: Trace, modules: Iterable[str]) -> set[tuple[str, int]]:
        """The cells that have to come before one, with the paths for which."""
        found: set[tuple[str, int]] = set()
        writes = self._writes(trace)
        for path in trace.reads | writes | trace.makes:
            found |= {*self.written.of(path), *self.written.above(path)}
        for path in trace.reads | writes:
            found |= {*self._makers(path, trace)}
        for path in modules:
            found |= {*self.written.of_module(path)}
        for path in writes | trace.makes:
            found |= {(path, cell) for _, cell in self.read.of(path)}
        return {pair for pair in found if pair[1] != trace.cell}

    def _writes(self, trace: Trace) -> set[str]:
        crowded = max(len(self.written.holes), len(self.read.holes)) > _MOST
        return {HOLE} if crowded and trace.writes else trace.writes

    def _makers(self, path: str, trace: Trace) -> Iterator[tuple[str, int]]:
        for pair in (*self.made.of(path), *self.made.above(path)):
            if pair[0] not in trace.makes:  # who makes a folder itself needs nobody else to
                yield pair

    def note(self, trace: Trace) -> None:
        """Takes in what a cell does."""
        if HOLE in self._writes(trace):
            # All before it is ordered before it, and all after it after it.
            self.written, self.read, self.made = _Paths(), _Paths(), _Paths()
            self.written.add(HOLE, trace.cell, alone=True)
            return
        for path in trace.writes:
            self.read.drop(path)
            self.written.add(path, trace.cell, alone=True)
        for path in trace.makes - self.made.cells.keys():
            self.made.add(path, trace.cell, alone=True)
        for path in trace.reads - trace.writes - trace.makes:
            self.read.add(path, trace.cell, alone=False)


def file_flows(traces: Iterable[Trace], imports: Mapping[int, frozenset[str]]) -> Iterator[Flow]:
    """The flows of files.

    Args:
        traces: In notebook order.
        imports: The modules that each cell imports, but for those that are installed.
    """
    files = _Files()
    for trace in traces:
        found = files.before(trace, _modules(imports[trace.cell]))
        for path, cell in sorted(found):
            yield Flow(name=shown(path), source=cell, target=trace.cell, kind=FlowKind.FILE)
        files.note(trace)


def _modules(names: Iterable[str]) -> set[str]:
    """The files that modules may be."""
    paths = {name.lstrip(".").replace(".", "/") for name in names}
    return {f"{path}.py" for path in paths} | {f"{path}/__init__.py" for path in paths}
