from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "module_of_a_case"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = list(sys.meta_path)
    path = tmp_path / f"{NAME}.py"
    path.write_text("value = 1\n")
    yield path
    sys.modules.pop(NAME, None)
    sys.meta_path[:] = before


def test_it_acts_right_after_the_first_import_and_leaves_no_trace(module: Path) -> None:
    before = list(sys.meta_path)
    seen: list[int] = []
    for _ in range(2):
        after_import(NAME, lambda: seen.append(sys.modules[NAME].value))
    assert seen == []
    found = importlib.import_module(NAME)
    assert seen == [1, 1]
    assert sys.meta_path == before
    assert type(found.__loader__).__name__ == "SourceFileLoader"
    assert "exec_module" not in vars(found.__loader__)
    assert found.__file__ == str(module)


def test_what_is_imported_already_is_acted_on_at_once(module: Path) -> None:
    importlib.import_module(NAME)
    seen: list[bool] = []
    after_import(NAME, lambda: seen.append(module.exists()))
    assert seen == [True]


def test_an_import_that_fails_fails_as_before_and_may_be_tried_again(module: Path) -> None:
    seen: list[bool] = []
    after_import(NAME, lambda: seen.append(True))
    module.write_text("raise ValueError('of the module')\n")
    with pytest.raises(ValueError, match="of the module"):
        importlib.import_module(NAME)
    module.write_text("value = 'more than before'\n")
    importlib.invalidate_caches()
    importlib.import_module(NAME)
    assert seen == [True]


def test_a_module_that_is_not_there_is_not_found(module: Path) -> None:
    module.unlink()
    importlib.invalidate_caches()
    after_import(NAME, lambda: None)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)
    assert importlib.util.find_spec(NAME) is None
