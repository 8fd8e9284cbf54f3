from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from nb2pipe.bundles import write as module
from nb2pipe.bundles.write import NOTE, changes, write
from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.model import DefinitionsPlan, PackagePlan
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.errors import ConversionError
from nb2pipe.targets.model import BUNDLE_FILE, Bundle, Copy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SAME = {("c.py", "30"), ("gone.py", "3"), ("mine.py", "4")}
"""Files of two bundles that are there in one state only, if they are there."""

PLAN = PackagePlan(
    name="p", title="p", notebook="n.ipynb", definitions=DefinitionsPlan(), parameters=(), steps=(), report=Report()
)


def bundle(files: Mapping[str, str], copies: tuple[Copy, ...] = ()) -> Bundle:
    """A bundle of some files, with its `bundle.json`."""
    digests = {path: str(Digest.of_bytes(text.encode())) for path, text in files.items()}
    content = {
        "schema": 1,
        "nb2pipe": "0",
        "target": "python",
        "notebook": {"path": "../n.ipynb", "digest": ""},
        "flags": {"image": None, "include": [], "templates": None},
        "types": {},
        "requirements": {},
        "lock": {},
        "modules": {},
        "python": "3.11.7",
        "files": digests | {copy.path: str(copy.digest) for copy in copies},
    }
    content["digest"] = str(Digest.of("bundle", content))
    texts = {**files, BUNDLE_FILE: json.dumps(content)}
    emitted = tuple(EmittedFile(path=path, text=text) for path, text in sorted(texts.items()))
    return Bundle(target="python", files=emitted, copies=copies, plan=PLAN)


def tree(folder: Path) -> dict[str, str]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {path: file.read_text("utf-8") for path, file in sorted(found.items()) if path != BUNDLE_FILE}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "made"


def test_all_files_are_written_and_a_second_time_nothing(folder: Path) -> None:
    made = bundle({"a.py": "1\n", "p/steps/b.py": "ü\n"})
    assert write(made, folder).new == ("a.py", BUNDLE_FILE, "p/steps/b.py")
    assert tree(folder) == {"a.py": "1\n", "p/steps/b.py": "ü\n"}
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert write(made, folder).paths == ()
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


def test_what_the_bundle_has_no_more_is_removed_with_its_folders(folder: Path) -> None:
    write(bundle({"a.py": "1", "p/steps/old/b.py": "2", "p/steps/c.py": "3"}), folder)
    done = write(bundle({"a.py": "1", "p/steps/c.py": "4"}), folder)
    assert done.removed == ("p/steps/old/b.py",)
    assert done.changed == (BUNDLE_FILE, "p/steps/c.py")
    assert tree(folder) == {"a.py": "1", "p/steps/c.py": "4"}
    assert not (folder / "p/steps/old").exists()


def test_edited_and_foreign_files_are_all_named_and_nothing_is_touched(folder: Path) -> None:
    write(bundle({"a.py": "1", "b.py": "2", "gone.py": "3", "same.py": "4"}), folder)
    (folder / "a.py").write_text("mine")
    (folder / "gone.py").write_text("mine too")
    (folder / "new.py").write_text("not yours")
    before = tree(folder)
    with pytest.raises(ConversionError) as error:
        write(bundle({"a.py": "10", "b.py": "20", "new.py": "30", "same.py": "4"}), folder)
    for path in ("a.py", "gone.py", "new.py"):
        assert path in error.value.message
    assert "b.py" not in error.value.message
    assert "--force" in str(error.value.hint)
    assert tree(folder) == before


def test_force_overwrites_and_removes(folder: Path) -> None:
    write(bundle({"a.py": "1", "gone.py": "3"}), folder)
    (folder / "a.py").write_text("mine")
    (folder / "gone.py").write_text("mine too")
    (folder / "notes.txt").write_text("stays")
    write(bundle({"a.py": "1"}), folder, force=True)
    assert tree(folder) == {"a.py": "1", "notes.txt": "stays"}


def test_an_edit_that_is_what_would_be_written_is_none(folder: Path) -> None:
    write(bundle({"a.py": "1"}), folder)
    (folder / "a.py").write_text("2")
    assert write(bundle({"a.py": "2"}), folder).changed == (BUNDLE_FILE,)


def test_an_edited_bundle_json_is_not_overwritten(folder: Path) -> None:
    write(bundle({"a.py": "1"}), folder)
    content = json.loads((folder / BUNDLE_FILE).read_text())
    (folder / BUNDLE_FILE).write_text(json.dumps(content | {"python": "3.12.0"}))
    assert changes(bundle({"a.py": "1"}), folder).foreign == (BUNDLE_FILE,)


def test_a_bundle_json_cannot_have_files_outside_removed(folder: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("x")
    write(bundle({"a.py": "1"}), folder)
    evil = bundle({"../victim": "x", "b/../../victim": "x", str(victim): "x", "a.py": "1"})
    (folder / BUNDLE_FILE).write_text(evil.text(BUNDLE_FILE))
    write(bundle({"a.py": "1"}), folder)
    assert victim.exists()


def test_links_are_not_written_through(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "file").write_text("x")
    folder.mkdir()
    (folder / "p").symlink_to(tmp_path / "outside")
    (folder / "a.py").symlink_to(tmp_path / "file")
    made = bundle({"p/b.py": "1", "a.py": "2"})
    assert changes(made, folder).foreign == ("a.py",)
    with pytest.raises(ConversionError, match=r"p/b.py \(p is a link\)"):
        write(made, folder, force=True)
    (folder / "p").unlink()
    write(made, folder, force=True)
    assert (tmp_path / "file").read_text() == "x"
    assert not (folder / "a.py").is_symlink()
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_folder_or_a_file_in_the_way_is_named(folder: Path) -> None:
    (folder / "a.py").mkdir(parents=True)
    (folder / "p").write_text("")
    with pytest.raises(ConversionError, match=r"a.py \(there is a folder of that name\), p/b.py \(p is a file\)"):
        write(bundle({"a.py": "1", "p/b.py": "2"}), folder, force=True)


@pytest.mark.parametrize("when", range(8))
def test_a_crash_at_any_file_loses_nothing_and_a_second_convert_mends_it(
    folder: Path, when: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(bundle({"a.py": "1", "b.py": "2", "gone.py": "3", "mine.py": "4"}), folder)
    second = bundle({"a.py": "10", "b.py": "20", "c.py": "30", "mine.py": "4"})
    plain, count = module.write_atomically, 0

    def killed(path: Path, data: bytes, *, durable: bool = True) -> None:
        nonlocal count
        if count == when:
            raise KeyboardInterrupt
        count += 1
        plain(path, data, durable=durable)

    monkeypatch.setattr(module, "write_atomically", killed)
    with contextlib.suppress(KeyboardInterrupt):
        write(second, folder)
    left = {path: text for path, text in tree(folder).items() if path != NOTE}
    assert left.items() <= {("a.py", "1"), ("a.py", "10"), ("b.py", "2"), ("b.py", "20"), *SAME}
    monkeypatch.undo()
    third = bundle({"a.py": "100", "b.py": "2", "mine.py": "4"})
    write(third, folder)
    assert tree(folder) == {"a.py": "100", "b.py": "2", "mine.py": "4"}
    assert not (folder / NOTE).exists()


def test_after_a_crash_an_edit_is_still_seen(folder: Path) -> None:
    folder.mkdir()
    (folder / NOTE).write_text(json.dumps({"a.py": [str(Digest.of_bytes(b"1"))]}))
    (folder / "a.py").write_text("1")
    assert changes(bundle({"a.py": "2"}), folder).changed == ("a.py",)
    (folder / "a.py").write_text("edited")
    assert changes(bundle({"a.py": "2"}), folder).foreign == ("a.py",)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 1}', '{"schema": 2, "files": {}}', "\x00"])
def test_a_bundle_json_that_says_nothing_is_a_foreign_file(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / BUNDLE_FILE).write_text(text)
    assert changes(bundle({"a.py": "2"}), folder).foreign == (BUNDLE_FILE,)


def test_copies_are_written_byte_by_byte(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "image.bin"
    source.write_bytes(b"\x00\xff\r\n")
    copy = Copy(path="data/image.bin", source=source, digest=Digest.of_file(source), size=4, module=False)
    made = bundle({"a.py": "1"}, (copy,))
    write(made, folder)
    assert (folder / "data/image.bin").read_bytes() == b"\x00\xff\r\n"
    assert changes(made, folder).paths == ()
    (folder / "data/image.bin").write_bytes(b"other")
    assert changes(made, folder).foreign == ("data/image.bin",)


def test_a_folder_that_cannot_be_written_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes, *, durable: bool = True) -> None:  # noqa: ARG001
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(module, "write_atomically", full)
    with pytest.raises(ConversionError, match="No space left"):
        write(bundle({"a.py": "1"}), folder)


def test_what_a_killed_convert_left_half_written_goes_with_the_next_one(folder: Path) -> None:
    made = bundle({"a.py": "1", "inner/b.py": "2"})
    write(made, folder)
    left = [folder / ".a.py.0123abcd.tmp", folder / "inner/.b.py.0123abcd.tmp", folder / f".{NOTE}.0123abcd.tmp"]
    mine = [folder / ".c.py.0123abcd.tmp", folder / ".a.py.tmp"]
    for path in (*left, *mine):
        path.write_text("half")
    write(made, folder)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in mine)
    assert not (folder / NOTE).exists()
