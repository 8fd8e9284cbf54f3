"""Code that reaches names by their text, so that nobody can tell which.

`exec(text)`, `eval(text)` and `globals()` may read, bind and change every variable. The pipeline takes the safe side:
such a cell is given every variable, and later steps take from it what it may have changed. That is right, but steps
that could run side by side wait for each other.

    for name in ["a", "b"]:
        globals()[name] = load(name)

What to do: use a dictionary (`tables = {"a": load("a")}`), or write the name out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.places import place
from nb2pipe.diagnostics import Diagnostic, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.walk import Seen

CODE = "NB201"


def names_by_text(seen: Seen) -> Iterator[Diagnostic]:
    """A warning at each place whose effect cannot be told."""
    for trace in seen.traces:
        for doubt in trace.doubts:
            yield Diagnostic(
                code=CODE,
                severity=Severity.WARNING,
                message=f"{doubt.what}: what it reads and changes cannot be told from the text",
                location=place(seen, doubt.cell, doubt.node),
                hint="use a dictionary, or write the names out: steps that share all names run one after another",
            )
