"""Flows outside of variables: random generators, files, hidden state.

They are order: nothing of them passes through the store.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import Flow, FlowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.analysis.trace import Trace

_WITHOUT_ORDER = frozenset({"warnings", "recursion"})
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


def _files(traces: Iterable[Trace], imports: Mapping[int, frozenset[str]]) -> Iterator[Flow]:
    """Who reads a file comes after who wrote it, and before who writes it next."""
    writer: dict[str, int] = {}
    readers: dict[str, set[int]] = defaultdict(set)
    for trace in traces:
        for path in sorted(trace.reads | trace.writes | _modules(imports[trace.cell])):
            for known in _written(path, writer):
                yield Flow(name=known, source=writer[known], target=trace.cell, kind=FlowKind.FILE)
        for path in sorted(trace.writes):
            for reader in sorted(readers.pop(path, ())):
                yield Flow(name=path, source=reader, target=trace.cell, kind=FlowKind.FILE)
        for path in trace.writes:
            writer[path] = trace.cell
        for path in trace.reads - trace.writes:
            readers[path].add(trace.cell)


def _written(path: str, writer: dict[str, int]) -> Iterator[str]:
    """The path itself and the folders above it, where cells wrote or made them."""
    while path not in {"", ".", "/"}:
        if path in writer:
            yield path
        path = path.rpartition("/")[0]


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
