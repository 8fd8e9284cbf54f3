"""Flows outside of variables: random generators, files, hidden state.

They are order: nothing of them passes through the store.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import Flow, FlowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.analysis.trace import Trace

_WITHOUT_ORDER = frozenset({"recursion"})
"""Hidden state that no later cell's values depend on."""


def outside_flows(traces: Sequence[Trace], imports: Mapping[int, frozenset[str]]) -> set[Flow]:
    """The flows of random generators, files and hidden state.

    Args:
        traces: In notebook order.
        imports: The modules that each cell imports, or has imported before it, but for those that are installed.
    """
    return {*_random(traces), *_files(traces, imports), *_state(traces, imports)}


def _random(traces: Iterable[Trace]) -> Iterator[Flow]:
    """Cells that draw from one generator run in notebook order."""
    last: dict[str, int] = {}
    for trace in traces:
        for generator in sorted(trace.draws):
            if generator in last:
                yield Flow(name=generator, source=last[generator], target=trace.cell, kind=FlowKind.RANDOM)
            last[generator] = trace.cell


@dataclass(slots=True)
class _Files:
    """Who wrote and who read which file so far.

    Attributes:
        writer: The last cell that wrote a path.
        readers: The cells that have read it since; a listed folder ends with `/`.
        inside: The paths that were written inside a folder.
        tails: The paths that were written, by each of their ends: a module is found in any folder of `sys.path`.
    """

    writer: dict[str, int] = field(default_factory=dict)
    readers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    inside: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    tails: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def before(self, path: str) -> Iterator[tuple[str, int]]:
        """Who has written what a cell reads or writes."""
        for known in (*_written(path.rstrip("/"), self.writer), *sorted(self.inside.get(path, ()))):
            yield known, self.writer[known]

    def of_module(self, path: str) -> Iterator[tuple[str, int]]:
        """Who has written the file of a module."""
        for known in sorted(self.tails.get(path, ())):
            yield known, self.writer[known]

    def readers_of(self, path: str) -> list[int]:
        """Who has read what a cell writes, or listed its folder."""
        listed = {reader for folder in _folders(path) for reader in self.readers.get(f"{folder}/", ())}
        return sorted(self.readers.pop(path, set()) | listed)

    def note(self, trace: Trace) -> None:
        """Takes in what a cell does."""
        for path in trace.writes:
            self.writer[path] = trace.cell
            self.tails[path].add(path)
            for folder in _folders(path):
                self.inside[f"{folder}/"].add(path)
                self.tails[path.removeprefix(f"{folder}/")].add(path)
        for path in trace.reads - trace.writes:
            self.readers[path].add(trace.cell)


def _files(traces: Iterable[Trace], imports: Mapping[int, frozenset[str]]) -> Iterator[Flow]:
    """Who reads a file, or lists its folder, comes after who wrote it, and before who writes it next."""
    files = _Files()
    for trace in traces:
        earlier = {pair for path in trace.reads | trace.writes for pair in files.before(path)}
        earlier |= {pair for path in _modules(imports[trace.cell]) for pair in files.of_module(path)}
        for known, writer in sorted(earlier):
            yield Flow(name=known, source=writer, target=trace.cell, kind=FlowKind.FILE)
        for path in sorted(trace.writes):
            for reader in files.readers_of(path):
                yield Flow(name=path, source=reader, target=trace.cell, kind=FlowKind.FILE)
        files.note(trace)


def _written(path: str, writer: dict[str, int]) -> Iterator[str]:
    """The path itself and the folders above it, where cells wrote or made them."""
    yield from (known for known in (path, *_folders(path)) if known in writer)


def _folders(path: str) -> Iterator[str]:
    """The folders above a path.

    >>> list(_folders("data/raw/x.csv"))
    ['data/raw', 'data', '.']
    """
    while "/" in path.strip("/"):
        path = path.rpartition("/")[0]
        yield path
    if not path.startswith(("/", "..")) and path != ".":
        yield "."


def _modules(names: Iterable[str]) -> set[str]:
    """The files that modules may be."""
    paths = {name.lstrip(".").replace(".", "/") for name in names}
    return {f"{path}.py" for path in paths} | {f"{path}/__init__.py" for path in paths}


def _state(traces: Iterable[Trace], imports: Mapping[int, frozenset[str]]) -> Iterator[Flow]:
    """Who sets hidden state comes before those whom it concerns."""
    setter: dict[str, int] = {}
    for trace in traces:
        concerned = trace.state | trace.sets | ({"sys.path"} if imports[trace.cell] else set())
        for state in sorted(concerned - _WITHOUT_ORDER):
            if state in setter:
                yield Flow(name=state, source=setter[state], target=trace.cell, kind=FlowKind.ORDER)
        for state in trace.sets:
            setter[state] = trace.cell
