"""The README's tables on targets are those of the targets, and of what their tests found."""

from __future__ import annotations

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_readme_has_the_tables_as_they_are() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    made = runpy.run_path(str(ROOT / "docs" / "tables.py"))["rendered"](text)
    assert made == text, "make tables"
    assert "| not run |" not in made
