"""An address of this machine stands in the code.

`localhost` is the machine that a step runs on: in a container, or on another machine, the service is not there.

    requests.get("http://localhost:8000/predict")

What to do: make the address a parameter, or take it from an environment variable.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import node_place, texts
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.sections import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.checks.production import Code

CODE = "NB255"
_WORTH_READING = re.compile(r"localhost|127\.0\.0\.1|0\.0\.0\.0|::1")

_LOCAL = re.compile(r"(?:[a-zA-Z][\w+.-]*://(?:[^/\s@]*@)?)?(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\])(?::\d+|/|\Z)")


def check(code: Code) -> Iterator[Diagnostic]:
    """The addresses of this machine."""
    for source in code.mentioning(_WORTH_READING):
        if source.role is Role.PARAMETERS:
            continue
        for node, _ in texts(source.tree):
            if _LOCAL.match(str(node.value)):
                yield Diagnostic(
                    code=CODE,
                    severity=Severity.INFO,
                    message="the address is that of the machine that the step runs on",
                    location=node_place(code.notebook, source, node),
                    hint="make it a parameter",
                )
