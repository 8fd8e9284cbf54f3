"""Flows outside of variables: random generators, files, hidden state.

They are order: nothing of them passes through the store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.files import file_flows
from nb2pipe.analysis.model import Flow, FlowKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.analysis.trace import Trace

_WITHOUT_ORDER = frozenset({"recursion", "gc", "process"})
"""Hidden state that no later cell's values depend on."""


def outside_flows(traces: Sequence[Trace], imports: Mapping[int, frozenset[str]]) -> set[Flow]:
    """The flows of random generators, files and hidden state.

    Args:
        traces: In notebook order.
        imports: The modules that each cell imports, or has imported before it, but for those that are installed.
    """
    return {*_random(traces), *file_flows(traces, imports), *_state(traces, imports)}


def _random(traces: Iterable[Trace]) -> Iterator[Flow]:
    """Cells that draw from one generator run in notebook order."""
    last: dict[str, int] = {}
    for trace in traces:
        for generator in sorted(trace.draws):
            if generator in last:
                yield Flow(name=generator, source=last[generator], target=trace.cell, kind=FlowKind.RANDOM)
            last[generator] = trace.cell


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
