"""A library that nb2pipe does not know brings the rule for its objects along, by an entry point."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

from nb2pipe.serializers.groups import dump, load
from nb2pipe.serializers.reduce import _family
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

LIBRARY = """
from nb2pipe.serializers.shapes import Made

class Handle:
    def __init__(self, number):
        self.number = number
        self.callback = lambda: number  # pickle cannot take it

def rule(kind):
    return reduced if issubclass(kind, Handle) else None

def reduced(value, context):
    return Made(Handle, (value.number,))
"""


def test_the_rule_of_an_installed_library_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "handles.py").write_text(LIBRARY)
    info = tmp_path / "handles-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: handles\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nb2pipe.serializers]\nhandles = handles:rule\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    _family.cache_clear()
    handles = importlib.import_module("handles")
    store = LocalStore(tmp_path / "store")
    (group,) = dump({"h": handles.Handle(3)}, store=store, namespace={})
    assert load(group, store=store, namespace={})["h"].callback() == 3
    del sys.modules["handles"]
    _family.cache_clear()
