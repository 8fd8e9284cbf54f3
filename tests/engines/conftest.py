"""Makes `environments` and `programs` importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

pytest.register_assert_rewrite("examples", "nb2pipe.testing.targets")
