"""Makes `environments` and `programs` importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """What runs in an engine's environment is none of our modules: looking for doctests would import it."""
    return True if collection_path.suffix == ".py" and not collection_path.name.startswith("test_") else None


pytest.register_assert_rewrite("examples", "nb2pipe.testing.targets")
