"""nb2pipe: a tagged Jupyter notebook is the pipeline.

The public names are imported when they are first used, so that `import nb2pipe` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pipe.api import emit, load, open_run, run, runs, verify
    from nb2pipe.errors import Nb2pipeError, NotebookError
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.results import Run, RunResult
    from nb2pipe.targets.model import Bundle
    from nb2pipe.tracking import track

__version__ = "0.1.0"
__all__ = [
    "Bundle",
    "Nb2pipeError",
    "NotebookError",
    "Pipeline",
    "Run",
    "RunResult",
    "emit",
    "load",
    "open_run",
    "run",
    "runs",
    "track",
    "verify",
]

_HOMES = {
    "Bundle": "nb2pipe.targets.model",
    "Nb2pipeError": "nb2pipe.errors",
    "NotebookError": "nb2pipe.errors",
    "Pipeline": "nb2pipe.pipeline.model",
    "Run": "nb2pipe.results",
    "RunResult": "nb2pipe.results",
    "emit": "nb2pipe.api",
    "load": "nb2pipe.api",
    "open_run": "nb2pipe.api",
    "run": "nb2pipe.api",
    "runs": "nb2pipe.api",
    "track": "nb2pipe.tracking",
    "verify": "nb2pipe.api",
}


def __getattr__(name: str) -> object:
    """A public name, imported now.

    Raises:
        AttributeError: There is none of that name.
    """
    home = _HOMES.get(name)
    if home is None:
        message = f"module `nb2pipe` has no attribute `{name}`"
        raise AttributeError(message)
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
