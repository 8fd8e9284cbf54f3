"""A folder as a store, without any package; other URLs through fsspec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.errors import StoreError
from nb2pipe.store.place import Folder, place
from nb2pipe.store.remote import Remote

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("beginning", ["", "file://"])
def test_a_folder_is_read_and_written(beginning: str, tmp_path: Path) -> None:
    found = place(f"{beginning}{tmp_path / 'store'}/")
    assert isinstance(found, Folder)
    assert found.read_all(["a/b"]) == {}
    found.write("a/b", b"one")
    found.write("a/b", b"two")
    assert found.read_all(["a/b", "a/missing", "a/b/c"]) == {"a/b": b"two"}
    assert [path.name for path in (tmp_path / "store" / "a").iterdir()] == ["b"], "nothing temporary is left"


def test_other_urls_are_reached_through_fsspec(s3: str) -> None:
    found = place(s3)
    assert isinstance(found, Remote)
    found.write("a", b"one")
    assert found.read_all(["a", "b"]) == {"a": b"one"}


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot write"):
        place(str(tmp_path / "file")).write("a", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="cannot read"):
        place(str(tmp_path)).read_all(["folder"])
