"""What a user means: a file by its content, a SHA-256, or what lay at a path."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from nb2pipe.errors import Nb2pipeError, RecordsError, UsageError
from nb2pipe.lineage.find import Found, find
from nb2pipe.records.index import links
from nb2pipe.records.model import StepTrace, WrittenFile

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Past

CONTENT = b"weights"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(past: Past, tmp_path: Path) -> Path:
    """A folder with a model that a run made."""
    left = {str(tmp_path / "net.pt"): WrittenFile(sha256=DIGEST, size=7, kept=True)}
    step = past.step("train", ("rows",), ("twin",))
    past.run("1-a", step.__class__(name="train", outputs=step.outputs, trace=StepTrace(writes=left)))
    (tmp_path / "net.pt").write_bytes(CONTENT)
    return tmp_path


def found(past: Past, folder: Path, text: str) -> Found:
    with links(past.home) as index:
        return find(text, index, folder)


def test_a_file_is_found_by_its_content_wherever_it_lies(past: Past, folder: Path) -> None:
    (folder / "net.pt").rename(folder / "other name.bin")
    assert found(past, folder, "other name.bin") == Found((DIGEST,))
    (folder / "deep").mkdir()
    assert found(past, folder / "deep", "../other name.bin") == Found((DIGEST,))


def test_a_sha256_and_the_beginning_of_one_are_found(past: Past, folder: Path) -> None:
    for text in (DIGEST, f"sha256:{DIGEST}", DIGEST[:8].upper(), past.digest("twin")[:10]):
        assert found(past, folder, text).digests[0] in {DIGEST, past.digest("twin")}


def test_a_file_that_is_gone_is_found_by_its_path(past: Past, folder: Path) -> None:
    (folder / "net.pt").unlink()
    expected = "net.pt is gone; this is what the step `train` of run 1-a made"
    assert found(past, folder, "net.pt") == Found((DIGEST,), expected)


@pytest.mark.parametrize(
    ("text", "kind", "message", "hint"),
    [
        ("net.pt", RecordsError, "no run knows the content of net.pt", f"other content: nb2pipe lineage {DIGEST[:16]}"),
        ("new.csv", RecordsError, "no run knows the content of new.csv", "nb2pipe runs list"),
        ("nothing.csv", UsageError, "there is no file nothing.csv", "give a file"),
        ("empty", RecordsError, "no run knows the content of any file in empty", "runs list"),
        ("abcdef12", RecordsError, "no run knows content whose SHA-256 begins with abcdef12", "runs list"),
        ("f" * 64, RecordsError, "no run knows content with the SHA-256 fff", "runs list"),
        ("7477", UsageError, "there is no file 7477", "SHA-256"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_told_with_a_hint(
    past: Past, folder: Path, text: str, kind: type[Nb2pipeError], message: str, hint: str
) -> None:
    (folder / "net.pt").write_bytes(b"changed since")
    (folder / "new.csv").write_bytes(b"never read")
    (folder / "empty").mkdir()
    with pytest.raises(kind, match=message) as caught:
        found(past, folder, text)
    assert hint in (caught.value.hint or "")


def test_a_folder_stands_for_the_files_in_it_that_runs_know(past: Past, folder: Path) -> None:
    (folder / "model" / ".cache").mkdir(parents=True)
    (folder / "net.pt").rename(folder / "model" / "net.bin")
    assert found(past, folder, "model") == Found((DIGEST,))
    (folder / "model" / "notes.txt").write_text("mine")
    (folder / "model" / ".cache" / "x").write_text("hidden")
    assert found(past, folder, "model") == Found((DIGEST,), "runs know 1 contents in model, and 1 not")


def test_a_beginning_of_several_is_told(past: Past, folder: Path) -> None:
    past.run("2-b", past.step("train", (), ("twin1", "twin2")))
    with pytest.raises(RecordsError, match="several contents begins with 7477696e"):
        found(past, folder, past.digest("twin")[:8])
