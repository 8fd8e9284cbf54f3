"""Engines, each in an environment of its own: `make test-engines` installs them into `.venv/engines/NAME`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "example_notebooks"


def program(engine: str, name: str) -> str:
    """The path of a program of an engine."""
    return str(ROOT / ".venv" / "engines" / engine / "bin" / name)


def environment(**more: str) -> dict[str, str]:
    """The variables of an engine's process: `python` is that of the tests, which has what the steps need."""
    own = {name: text for name, text in os.environ.items() if not name.startswith(("NB2PIPE", "PYTEST"))}
    return {**own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}", **more}
