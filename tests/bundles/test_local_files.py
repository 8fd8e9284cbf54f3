from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.bundles import local_files as module
from nb2pipe.bundles.local_files import LocalFiles, local_files
from nb2pipe.errors import UsageError
from nb2pipe.targets.imports import imported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    place.mkdir()
    return place


def lay(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def found(folder: Path, text: str = "", include: Sequence[str] = (), *more: Path) -> LocalFiles:
    return local_files([folder, *more], imported(text), include, avoid=folder / "made", notebook="n.ipynb")


def paths(result: LocalFiles) -> list[str]:
    return [copy.path for copy in result.copies]


def test_modules_that_are_imported_are_copied_with_what_they_import(folder: Path) -> None:
    lay(folder, {"helpers.py": "import more\nimport json", "more.py": "import requests", "unused.py": ""})
    result = found(folder, "from helpers import f\nimport torch")
    assert paths(result) == ["helpers.py", "more.py"]
    assert [each.module for each in result.others] == ["json", "requests", "torch"]
    assert all(copy.module for copy in result.copies)


def test_a_package_is_copied_as_a_whole_with_its_data(folder: Path) -> None:
    lay(
        folder,
        {
            "lib/__init__.py": "from .a import x",
            "lib/a.py": "import yaml\nfrom ..lib.deep import b",
            "lib/deep/__init__.py": "",
            "lib/deep/b.py": "from . import c\nimport cv2",
            "lib/data.json": "{}",
            "lib/.hidden": "",
            "lib/__pycache__/a.cpython-311.pyc": "",
        },
    )
    result = found(folder, "import lib.a")
    assert paths(result) == ["lib/__init__.py", "lib/a.py", "lib/data.json", "lib/deep/__init__.py", "lib/deep/b.py"]
    assert [each.module for each in result.others if "." not in each.module] == ["cv2", "yaml"]


def test_a_folder_without_an_init_gives_the_modules_that_are_imported(folder: Path) -> None:
    lay(folder, {"src/model.py": "", "src/other.py": "", "datasets/table.csv": ""})
    result = found(folder, "from src import model\nimport datasets")
    assert paths(result) == ["src/model.py"]
    assert [each.module for each in result.others] == ["datasets"]


def test_modules_of_nested_notebooks_keep_their_place(folder: Path) -> None:
    lay(folder, {"inner/tools.py": ""})
    assert paths(found(folder, "import tools", (), folder / "inner")) == ["inner/tools.py"]


def test_what_include_names_is_copied_to_the_same_place(folder: Path) -> None:
    lay(folder, {"data/a.csv": "1", "data/deep/b.csv": "2", "data/c.txt": "", ".env": "secret", "made/d.csv": ""})
    assert paths(found(folder, "", ["data/*.csv"])) == ["data/a.csv"]
    assert paths(found(folder, "", ["**/*.csv"])) == ["data/a.csv", "data/deep/b.csv"]
    assert paths(found(folder, "", ["data"])) == ["data/a.csv", "data/c.txt", "data/deep/b.csv"]
    assert paths(found(folder, "", ["**"])) == ["data/a.csv", "data/c.txt", "data/deep/b.csv"]
    assert paths(found(folder, "", [".env"])) == [".env"]
    assert not any(copy.module for copy in found(folder, "", ["data"]).copies)


@pytest.mark.parametrize("pattern", ["../*", "/etc/passwd", "data/../../x", "", "*.nothing", "made/*"])
def test_a_pattern_that_leads_out_or_finds_nothing_is_an_error(folder: Path, pattern: str) -> None:
    lay(folder, {"data/a.csv": "1", "made/d.csv": ""})
    with pytest.raises(UsageError, match="--include"):
        found(folder, "", [pattern])


def test_links_out_of_the_folder_are_not_followed(folder: Path) -> None:
    lay(folder.parent, {"outside/secret.py": "", "outside/x.csv": ""})
    (folder / "helpers.py").symlink_to(folder.parent / "outside" / "secret.py")
    (folder / "data").symlink_to(folder.parent / "outside")
    (folder / "lib").symlink_to(folder.parent / "outside")
    lay(folder.parent, {"outside/__init__.py": ""})
    result = found(folder, "import helpers, lib.secret", ["data", "data/*.csv"])
    assert result.copies == ()
    assert {each.code for each in result.diagnostics} == {"NB405"}
    assert len(result.diagnostics) >= 3


def test_a_link_within_the_folder_is_copied_as_a_file(folder: Path) -> None:
    lay(folder, {"real.py": "import json"})
    (folder / "helpers.py").symlink_to("real.py")
    assert paths(found(folder, "import helpers")) == ["helpers.py"]


def test_what_is_too_large_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 1 << 20)
    lay(folder, {"small.csv": "1", "large.csv": "1" * (2 << 20)})
    result = found(folder, "", ["*.csv"])
    assert paths(result) == ["small.csv"]
    assert "larger than 1 MB" in result.diagnostics[0].message


def test_the_bundle_itself_is_left_out(folder: Path) -> None:
    lay(folder, {"made/helpers.py": "", "made/README.md": "", "a.md": ""})
    assert paths(found(folder, "import made.helpers", ["**/*.md"])) == ["a.md"]
