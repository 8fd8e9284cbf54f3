"""Programs of engines, and the variables of their processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from environments import environment

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_notebooks"


def program(engine: str, name: str) -> str:
    """The path of a program of an engine."""
    return str(environment(engine) / name)


def variables(**more: str) -> dict[str, str]:
    """The variables of an engine's process: `python` is that of the tests, which has what the steps need."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("NB2PIPE", "PYTEST"))}
    return {**own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}", **more}
