from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.store.layered import LayeredStore, remote_path
from nb2pipe.store.local import LocalStore
from nb2pipe.store.remote import Remote

if TYPE_CHECKING:
    from pathlib import Path


class Two:
    """Two machines with one place."""

    def __init__(self, folder: Path) -> None:
        (folder / "place").mkdir()
        self.place = folder / "place"
        self.told: list[tuple[Digest, int, int]] = []
        self.one = LayeredStore(LocalStore(folder / "one"), Remote(str(self.place)))
        self.other = LayeredStore(
            LocalStore(folder / "other"), Remote(str(self.place)), lambda *what: self.told.append(what)
        )

    def file(self, digest: Digest) -> Path:
        return self.place / remote_path(digest)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def test_what_one_pushes_the_other_pulls_when_it_reads_it(two: Two) -> None:
    digest = two.one.put(b"content")
    assert not two.other.has(digest)
    assert (two.one.push(digest), two.one.push(digest)) == (7, 0)
    assert two.other.has(digest)
    assert two.other.holds(digest)
    assert not two.other.local.has(digest), "to ask is not to pull"
    assert two.other.get(digest) == b"content"
    assert two.other.path(digest) == two.other.local.path(digest)


def test_what_is_there_is_not_pushed_again(two: Two) -> None:
    digest = two.one.put(b"content")
    two.one.push(digest)
    before = two.file(digest).stat()
    again = LayeredStore(two.one.local, Remote(str(two.place)))
    assert again.push(digest) == 0
    assert two.file(digest).stat().st_ino == before.st_ino


def test_what_was_cut_off_there_is_pushed_anew(two: Two) -> None:
    digest = two.one.put(b"content")
    two.file(digest).parent.mkdir(parents=True)
    two.file(digest).write_bytes(b"con")
    assert two.one.push(digest) == 7
    assert two.other.get(digest) == b"content"


def test_what_was_altered_there_is_never_kept_and_can_be_pushed_anew(two: Two) -> None:
    digest = two.one.put(b"content")
    two.one.push(digest)
    two.file(digest).chmod(0o644)
    two.file(digest).write_bytes(b"tampere")
    with pytest.raises(StoreError, match="was damaged in") as caught:
        two.other.get(digest)
    assert caught.value.hint
    assert two.other.local.digests() == []
    assert not two.file(digest).exists()
    again = LayeredStore(two.one.local, Remote(str(two.place)))
    assert again.push(digest) == 7
    assert two.other.get(digest) == b"content"


def test_what_is_damaged_here_is_pulled(two: Two) -> None:
    digest = two.one.put(b"content")
    two.one.push(digest)
    file = two.one.local.path(digest)
    file.chmod(0o644)
    file.write_bytes(b"damaged")
    fresh = LayeredStore(LocalStore(two.one.local.root), Remote(str(two.place)))
    assert fresh.holds(digest)
    assert fresh.get(digest) == b"content"


def test_what_is_in_neither_is_told(two: Two) -> None:
    digest = Digest.of_bytes(b"never")
    with pytest.raises(StoreError, match="is not in the store"):
        two.one.get(digest)
    with pytest.raises(StoreError, match="in neither store"):
        two.one.push(digest)


def test_many_readers_at_once_pull_once(two: Two) -> None:
    digest = two.one.put(b"x" * (8 << 20))
    two.one.push(digest)
    pulled: list[int] = []
    download = two.other.remote.download

    def counted(path: str, target: Path, *_: object) -> None:
        pulled.append(1)
        download(path, target)

    two.other.remote.download = counted  # type: ignore[method-assign, assignment]
    threads = [threading.Thread(target=two.other.path, args=(digest,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pulled == [1]


def test_where_the_place_fails_what_is_here_still_counts(two: Two) -> None:
    here, there = two.one.put(b"here"), Digest.of_bytes(b"there")
    two.place.rmdir()
    two.place.write_text("no folder any more")
    assert two.one.holds(here)
    assert two.one.get(here) == b"here"
    assert not two.one.holds(there)
    with pytest.raises(StoreError, match="cannot be used"):
        two.one.push(here)
