from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from nb2pipe.errors import Nb2pipeError, StoreError, UsageError
from nb2pipe.store.remote import Remote, normal

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Remote:
    (tmp_path / "share").mkdir()
    return Remote(request.getfixturevalue("s3") if request.param == "s3" else str(tmp_path / "share"))


def test_files_are_written_read_listed_and_removed(place: Remote) -> None:
    assert (place.read("a/b"), place.size("a/b"), place.names("a")) == (None, None, [])
    place.write("a/b", b"one")
    place.write("a/c d%20", b"")
    assert place.read_all(["a/b", "a/c d%20", "a/missing"]) == {"a/b": b"one", "a/c d%20": b""}
    assert (place.size("a/b"), place.names("a"), place.names("")) == (3, ["b", "c d%20"], ["a"])
    place.write("a/b", b"other")
    assert place.read("a/b") == b"other"
    place.remove("a/b")
    place.remove("a/b")
    assert place.read("a/b") is None


def test_what_another_machine_writes_is_seen_at_once(place: Remote) -> None:
    other = Remote(place.url)
    assert other.names("a") == []
    place.write("a/b", b"1")
    assert other.names("a") == ["b"]


def test_of_many_who_write_a_file_once_one_does(place: Remote) -> None:
    wrote: list[bool] = []
    threads = [
        threading.Thread(target=lambda word=word: wrote.append(place.write_once("seed", word * 20)))
        for word in (b"1", b"2", b"3", b"4")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False, False, False, True]
    assert len(set(place.read("seed") or b"")) == 1


def test_large_files_go_both_ways_and_tell_how_far_they_are(place: Remote, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(1 << 20) * 60)
    told: list[int] = []
    place.upload(source, "store/x", told.append)
    place.download("store/x", back, told.append)
    assert back.read_bytes() == source.read_bytes()
    assert max(told, default=0) in {0, 60 << 20}, "a folder tells nothing"
    assert place.names("store") == ["x"], "nothing temporary is left"


def test_a_transfer_that_fails_leaves_what_was_there(place: Remote, tmp_path: Path) -> None:
    place.write("x", b"before")
    with pytest.raises(StoreError):
        place.upload(tmp_path / "missing", "x")
    assert place.read("x") == b"before"
    assert place.names("") == ["x"]


def test_a_bucket_that_is_not_there_is_told(s3: str) -> None:
    with pytest.raises(StoreError, match=r"is not there.*bucket does not exist") as caught:
        Remote(s3.replace("bucket-", "no-such-")).write_once("seed", b"1")
    assert caught.value.hint == "make the bucket or the folder first"


def test_wrong_credentials_and_none_are_told(s3: str, s3_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    try:
        requests.post(f"{s3_server}/moto-api/reset-auth", data=b"0", timeout=10)
        with pytest.raises(StoreError, match="refuses") as caught:
            Remote(s3).write("x", b"1")
        assert "credentials" in (caught.value.hint or "")
    finally:
        requests.post(f"{s3_server}/moto-api/reset-auth", data=b"inf", timeout=10)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(StoreError, match="no credentials") as caught:
        Remote(s3).read("x")
    assert "AWS_ACCESS_KEY_ID" in (caught.value.hint or "")


def test_an_address_where_nobody_answers_is_told(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Remote(s3).read("x")
    assert "AWS_ENDPOINT_URL" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("url", "kind", "words"),
    [
        ("nope://x", UsageError, "`nope://x` is no store"),
        ("", UsageError, "is empty"),
        ("s3://key:word@bucket", UsageError, "holds a password"),
        ("gs://bucket/x", StoreError, "is not installed"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_with_a_hint(url: str, kind: type[Nb2pipeError], words: str) -> None:
    with pytest.raises(kind, match=words) as caught:
        Remote(url)
    assert caught.value.hint


@pytest.mark.parametrize(("url", "module"), [("s3://bucket/x", "s3fs"), ("/tmp", "fsspec.core")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(url: str, module: str) -> None:
    code = f"""
import sys
sys.modules[{module!r}] = None
from nb2pipe.errors import StoreError
from nb2pipe.store.remote import Remote
try:
    Remote({url!r})
except StoreError as error:
    print(error.message, error.hint, sep="|")
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    message, _, hint = told.strip().partition("|")
    assert "not installed" in message
    assert hint == "pip install s3fs; where nb2pipe itself is installed, pip install 'nb2pipe[store]'"


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used"):
        Remote(str(tmp_path / "file")).write("x", b"1")


def test_a_folder_is_kept_as_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert normal("share/") == normal("~/share") == str(tmp_path / "share")
