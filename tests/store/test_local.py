from __future__ import annotations

import hashlib
import mmap
import multiprocessing
import os
from pathlib import Path

import pytest

from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError
from nb2pipe.store.local import LocalStore


def test_what_is_put_comes_back_under_its_sha256(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "store")
    digest = store.put(b"hello")
    assert digest.hex == hashlib.sha256(b"hello").hexdigest()
    assert store.get(digest) == b"hello"
    assert store.path(digest) == tmp_path / "store" / "sha256" / digest.hex[:2] / digest.hex[2:]
    assert store.has(digest)
    assert store.digests() == [digest]


def test_empty_bytes_are_an_artifact(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.get(store.put(b"")) == b""


def test_any_buffer_can_be_put(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    assert store.put(memoryview(bytearray(b"abc"))) == store.put(b"abc")


def test_what_is_there_is_not_written_again(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    path = store.path(store.put(b"once"))
    before = path.stat()
    store.put(b"once")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_nothing_temporary_is_left(tmp_path: Path) -> None:
    LocalStore(tmp_path).put(b"x" * 1000)
    assert [path.name for path in tmp_path.rglob(".new-*")] == []


def test_a_missing_artifact_is_named_with_its_file(tmp_path: Path) -> None:
    digest = Digest.of_bytes(b"never")
    with pytest.raises(StoreError, match="is not in the store") as caught:
        LocalStore(tmp_path).get(digest)
    assert caught.value.hint is not None
    with pytest.raises(StoreError, match=digest.hex[2:]):
        LocalStore(tmp_path).path(digest)
    assert not LocalStore(tmp_path).has(digest)


@pytest.mark.parametrize("read", ["get", "path"])
def test_a_damaged_artifact_is_found_on_reading(tmp_path: Path, read: str) -> None:
    digest = LocalStore(tmp_path).put(b"right")
    path = LocalStore(tmp_path).path(digest)
    path.chmod(0o644)
    path.write_bytes(b"wrong")
    with pytest.raises(StoreError, match="was damaged"):
        getattr(LocalStore(tmp_path), read)(digest)
    assert not path.exists(), "what made it can make it anew"


class Known:
    """Digests by path, taken anew where the time of a file is another."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.kept: dict[str, tuple[int, str]] = {}

    def of(self, path: str) -> str:
        time = Path(path).stat().st_mtime_ns
        if path not in self.kept or self.kept[path][0] != time:
            self.taken.append(path)
            self.kept[path] = (time, str(Digest.of_file(Path(path))))
        return self.kept[path][1]

    def written(self, path: str, digest: str) -> None:
        self.kept[path] = (Path(path).stat().st_mtime_ns, digest)


@pytest.mark.parametrize("size", [5, 2 << 20])
def test_a_damaged_artifact_is_not_held_and_is_put_anew(tmp_path: Path, size: int) -> None:
    known = Known()
    digest = LocalStore(tmp_path).put(b"a" * size)
    path = LocalStore(tmp_path).path(digest)
    assert LocalStore(tmp_path, known).holds(digest)
    path.chmod(0o644)
    path.write_bytes(b"b" * size)
    os.utime(path, ns=(1, 1))
    store = LocalStore(tmp_path, known)
    assert store.has(digest)
    assert not store.holds(digest)
    assert not store.has(digest)
    assert store.put(b"a" * size) == digest
    assert store.holds(digest)
    assert bool(known.taken) is (size > 1 << 20), "that of a small one is taken at once"


def test_the_digest_of_a_large_artifact_is_taken_once_for_all_who_read_it(tmp_path: Path) -> None:
    known = Known()
    digest = LocalStore(tmp_path, known).put(b"a" * (2 << 20))
    for _ in range(2):
        assert LocalStore(tmp_path, known).path(digest).stat().st_size == 2 << 20
        assert LocalStore(tmp_path, known).holds(digest)
    assert known.taken == []
    path = LocalStore(tmp_path).path(digest)
    path.chmod(0o644)
    path.write_bytes(b"b" * (2 << 20))
    os.utime(path, ns=(1, 1))
    with pytest.raises(StoreError, match="damaged"):
        LocalStore(tmp_path, known).path(digest)


def test_an_artifact_that_was_cut_off_is_written_again(tmp_path: Path) -> None:
    digest = LocalStore(tmp_path).put(b"whole")
    path = LocalStore(tmp_path).path(digest)
    path.chmod(0o644)
    path.write_bytes(b"wh")
    assert LocalStore(tmp_path).put(b"whole") == digest
    assert LocalStore(tmp_path).get(digest) == b"whole"


def test_an_artifact_that_disappears_after_it_was_read_is_missing(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    path = store.path(store.put(b"gone"))
    path.unlink()
    with pytest.raises(StoreError, match="is not in the store"):
        store.path(Digest.of_bytes(b"gone"))


def test_a_store_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="cannot be written"):
        LocalStore(tmp_path / "file").put(b"x")


def test_a_full_disk_says_so_and_names_the_way_out() -> None:
    from pathlib import Path

    if not Path("/dev/full").exists():
        pytest.fail("this test needs Linux")
    from nb2pipe.store import local

    def fill() -> None:
        try:
            with Path("/dev/full").open("wb", buffering=0) as stream:
                stream.write(b"x")
        except OSError as cause:
            local._refuse_write(Path("/store"), cause)

    with pytest.raises(StoreError, match="no space is left") as caught:
        fill()
    assert "--home" in str(caught.value.hint)


def test_a_mapping_is_private_and_leaves_the_artifact_as_it_was(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    digest = store.put(b"a" * 100_000)
    with store.path(digest).open("rb") as stream:
        mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_COPY)
    mapped[0:1] = b"b"
    assert LocalStore(tmp_path).get(digest) == b"a" * 100_000


def _put_many(root: str) -> None:
    from pathlib import Path

    store = LocalStore(Path(root))
    for number in range(50):
        store.put(str(number).encode() * 5000)


def test_many_writers_of_the_same_bytes_do_no_harm(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_put_many, args=(os.fspath(tmp_path),)) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0, 0]
    store = LocalStore(tmp_path)
    assert len(store.digests()) == 50
    assert all(store.get(digest) for digest in store.digests())
