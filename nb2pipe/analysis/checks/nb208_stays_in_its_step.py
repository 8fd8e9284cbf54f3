"""A step sets something of its process that ends with the process, and that later steps do without.

Each step runs in a process of its own. The working directory, environment, generators, options and more are handed on
from step to step; what hangs on the process itself is not: signal handlers, `atexit` functions, trace functions, its
priority, the way in which it starts others.

    signal.signal(signal.SIGALRM, stop)     # in the step `load`
    signal.alarm(60)                        # in the step `train`: nobody handles it

What to do: nothing if only this step needs it; otherwise call it in each step that does, for example in a function of
a cell tagged `functions`. In a converted package, `python -m PACKAGE` runs all steps in one process, as the notebook.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.analysis.checks.production import parsed
from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB208"

STATE = "process"
"""What the table of effects calls it."""

_NAMES = frozenset(
    {"signal", "alarm", "setitimer", "set_wakeup_fd", "siginterrupt", "register", "unregister", "settrace"}
    | {"setprofile", "setswitchinterval", "addaudithook", "nice", "setpriority", "sched_setaffinity"}
    | {"register_at_fork", "freeze", "set_start_method"}
)
"""The last names of calls that set it."""


def stays_in_its_step(seen: Seen) -> Iterator[Diagnostic]:
    """A note for each cell that does so, where steps of other names stand below."""
    for trace in seen.traces:
        if STATE in trace.sets and _has_later(seen, trace.cell):
            yield Diagnostic(
                code=CODE,
                severity=Severity.INFO,
                message="what is set here of the process ends with the step: later steps run in processes of their own",
                location=place(seen, trace.cell, _call(seen, trace.cell)),
                hint="call it in each step that needs it",
            )


def _has_later(seen: Seen, position: int) -> bool:
    own = seen.sections[position].step
    return any(other > position and section.step not in (None, own) for other, section in seen.sections.items())


def _call(seen: Seen, position: int) -> ast.AST | int:
    tree = parsed(seen.notebook.cell(position).python)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call)) if tree is not None else iter(())
    return next((node for node in calls if _last_name(node.func) in _NAMES), 1)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
