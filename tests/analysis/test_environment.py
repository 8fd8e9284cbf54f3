"""What is read around a notebook: nothing of its folder is executed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.notebook.environment import read_distributions, read_environment
from nb2pipe.notebook.model import Cell, CellKind, Kernel, Notebook, Settings

if TYPE_CHECKING:
    from pathlib import Path


def notebook_of(*texts: str) -> Notebook:
    cells = tuple(
        Cell(id=str(number), position=number, kind=CellKind.CODE, source=text, python=text)
        for number, text in enumerate(texts, start=1)
    )
    return Notebook(path="n.ipynb", cells=cells, kernel=Kernel(), settings=Settings(), digest=Digest.of("n", 1))


def test_modules_beside_the_notebook_are_read_and_not_executed(tmp_path: Path) -> None:
    (tmp_path / "helpers.py").write_text("import deeper\nraise SystemExit('executed')\n")
    (tmp_path / "deeper.py").write_text("x = 1\n")
    (tmp_path / "unused.py").write_text("x = 1\n")
    environment = read_environment(notebook_of("import helpers, json", "import nowhere"), tmp_path)
    assert set(environment.local_sources) == {"helpers", "deeper"}
    assert "helpers" not in sys.modules


def test_packages_and_relative_imports_are_followed(tmp_path: Path) -> None:
    package = tmp_path / "tools"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("from .one import f\n")
    (package / "one.py").write_text("from . import two\nfrom .inner.deep import g\ndef f(): pass\n")
    (package / "two.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    (package / "inner" / "deep.py").write_text("from ..two import *\n")
    found = read_environment(notebook_of("from tools import f"), tmp_path).local_sources
    assert set(found) == {"tools", "tools.one", "tools.two", "tools.inner", "tools.inner.deep"}


def test_a_star_import_of_a_local_module_binds_its_public_names(tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text(
        "import os\n_hidden = 1\nx, y = 1, 2\nif x:\n    z = 3\ndef f():\n    local = 1\nclass C: pass\n"
    )
    (tmp_path / "listed.py").write_text("__all__ = ['a']\n__all__ += ['b']\na = b = c = 1\n")
    (tmp_path / "chained.py").write_text("from listed import *\nown = 1\n")
    cells = notebook_of("from names import *", "from listed import *", "from chained import *")
    exports = read_environment(cells, tmp_path).star_exports
    assert exports["names"] == ("C", "f", "os", "x", "y", "z")
    assert exports["listed"] == ("a", "b")
    assert exports["chained"] == ("a", "b", "own")


def test_the_names_of_the_standard_library_are_known(tmp_path: Path) -> None:
    exports = read_environment(notebook_of("from math import *\nfrom os.path import *"), tmp_path).star_exports
    assert {"pi", "sqrt"} <= set(exports["math"])
    assert "join" in exports["os.path"]


def test_computed_exports_are_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "computed.py").write_text("__all__ = [name for name in dir() if name]\nx = 1\n")
    exports = read_environment(
        notebook_of("from computed import *\nfrom nowhere_at_all import *"), tmp_path
    ).star_exports
    assert exports == {}


def test_what_is_no_module_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00broken")
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "folder.py").mkdir()
    environment = read_environment(notebook_of("import binary, folder\nfrom broken import *", "import ("), tmp_path)
    assert set(environment.local_sources) == {"broken"}
    assert environment.star_exports == {}


def test_distributions_are_read_only_where_they_are_asked_for(tmp_path: Path) -> None:
    environment = read_environment(notebook_of("import pytest"), tmp_path)
    assert not environment.distributions
    filled = read_distributions(environment)
    assert filled.modules["pytest"] == "pytest"
    assert filled.distributions["pytest"]
