"""Stage 2: a notebook becomes a dataflow. Pure: nothing is executed, read or imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.nb209_cannot_be_passed import cannot_be_passed
from nb2pipe.analysis.checks.nb210_class_defined_again import classes_defined_again
from nb2pipe.analysis.checks.production import production
from nb2pipe.analysis.effects import effects
from nb2pipe.analysis.flows import value_flows
from nb2pipe.analysis.model import OUTSIDE, CellFacts, Dataflow
from nb2pipe.analysis.outside import outside_flows
from nb2pipe.analysis.paths import literal, shown
from nb2pipe.analysis.problems import problems
from nb2pipe.analysis.walk import walk
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.sections import Role

if TYPE_CHECKING:
    from nb2pipe.analysis.flows import Taken
    from nb2pipe.analysis.model import Flow
    from nb2pipe.analysis.trace import Trace
    from nb2pipe.analysis.walk import Seen
    from nb2pipe.notebook.environment import Environment
    from nb2pipe.notebook.model import Notebook


def analyze(notebook: Notebook, environment: Environment) -> tuple[Dataflow, Report]:
    """What each cell of a notebook does, and what flows between them.

    Args:
        notebook: The notebook.
        environment: What lies around it.

    Returns:
        The dataflow, and the problems that were found in the notebook's code.
    """
    seen = walk(notebook, environment)
    parameters = {name: fact.cell for name, fact in seen.parameters.items()}
    taken = value_flows(seen.traces, seen.history, seen.definitions, parameters)
    flows = taken.flows | outside_flows(seen.traces, _imports(seen, taken))
    dataflow = Dataflow(
        notebook=notebook,
        facts=tuple(_facts(trace, seen, taken) for trace in seen.traces),
        definitions=tuple(defined.definition for defined in seen.definitions),
        parameters=tuple(sorted(seen.parameters.values(), key=lambda fact: (fact.cell, fact.line, fact.name))),
        flows=tuple(sorted(flows, key=_order)),
        parameter_uses={name: frozenset(taken.parameter_uses.get(name, ())) for name in seen.parameters},
    )
    found = (problems(seen), cannot_be_passed(seen, taken.flows), classes_defined_again(seen, taken))
    return dataflow, Report.of(*found, production(notebook))


def _imports(seen: Seen, taken: Taken) -> dict[int, frozenset[str]]:
    """The modules that each cell has imported, but for those of the standard library and those that the table knows."""
    known = sys.stdlib_module_names | effects().sections.keys()
    found: dict[int, frozenset[str]] = {}
    for trace in seen.traces:
        needed = (seen.definitions[index].imports for index in taken.needs.get(trace.cell, ()))
        modules = trace.imports.union(*needed)
        found[trace.cell] = frozenset(module for module in modules if module.partition(".")[0] not in known)
    return found


def _order(flow: Flow) -> tuple[int, int, str, str]:
    return (flow.target, flow.source, flow.kind, flow.name)


def _facts(trace: Trace, seen: Seen, taken: Taken) -> CellFacts:
    cell = trace.cell
    parameters = {name for name, fact in seen.parameters.items() if fact.cell == cell}
    whole = seen.roles[cell] is Role.STEP
    return CellFacts(
        cell=cell,
        definitions=seen.bound[cell] - parameters,
        functions=seen.functions[cell],
        uses=frozenset(trace.uses),
        mutations=frozenset(seen.changed[cell]) | frozenset(taken.tied.get(cell, ())),
        deletions=frozenset(trace.deleted),
        needs=tuple(sorted(taken.needs.get(cell, ()))),
        draws=frozenset(trace.draws),
        sets=frozenset(trace.sets),
        files_read=literal(trace.reads),
        files_written=frozenset(map(shown, trace.writes | trace.makes)),
        outside=frozenset(trace.state & OUTSIDE),
        code_lines=None if whole else frozenset(seen.code_lines[cell]),
    )
