from __future__ import annotations

import textwrap

from nb2pipe.targets.imports import imported


def modules(text: str, package: str = "") -> list[str]:
    return [each.module for each in imported(textwrap.dedent(text), package)]


def test_imports_are_found_inside_functions_classes_and_branches() -> None:
    text = """
    import os
    def f():
        import json
        class A:
            import math
    if os.name:
        import cv2 as vision
    """
    assert modules(text) == ["os", "json", "math", "cv2"]


def test_a_name_taken_from_a_package_may_be_a_module() -> None:
    assert modules("from google.cloud import storage, bigquery") == [
        "google.cloud",
        "google.cloud.storage",
        "google.cloud.bigquery",
    ]
    assert modules("from os import *") == ["os"]


def test_relative_imports_count_from_the_package() -> None:
    assert modules("from . import a\nfrom .b import c\nfrom ..d import e", "top.inner") == [
        "top.inner",
        "top.inner.a",
        "top.inner.b",
        "top.inner.b.c",
        "top.d",
        "top.d.e",
    ]
    assert modules("from ... import a", "top") == []


def test_imports_by_text_are_found_where_the_text_is_a_literal() -> None:
    assert modules("importlib.import_module('yaml'); __import__('PIL.Image'); import_module(name); import x") == [
        "yaml",
        "PIL.Image",
        "x",
    ]


def test_what_only_type_checkers_import_is_not_needed() -> None:
    text = """
    from typing import TYPE_CHECKING
    if TYPE_CHECKING:
        import pandas
    else:
        import json
    """
    assert modules(text) == ["typing", "typing.TYPE_CHECKING", "json"]


def test_an_import_that_may_fail_is_optional() -> None:
    text = """
    try:
        import cupy
    except ImportError:
        import numpy
    try:
        import torch
    except ValueError:
        pass
    """
    assert [(each.module, each.optional) for each in imported(textwrap.dedent(text))] == [
        ("cupy", True),
        ("numpy", False),
        ("torch", False),
    ]


def test_the_comment_above_tells_the_cell() -> None:
    text = "import a\n# %% cell 3\nimport b\n\nimport c\n# %% inner.ipynb, cell 7, line 4\nx = 1\nimport d\n"
    assert [(each.module, each.notebook, each.cell, each.cell_line) for each in imported(text)] == [
        ("a", None, None, None),
        ("b", None, 3, 1),
        ("c", None, 3, 3),
        ("d", "inner.ipynb", 7, 5),
    ]


def test_what_is_no_python_imports_nothing() -> None:
    assert modules("import (") == []
    assert modules("import " + "a." * 5 + "") == []
    assert modules("__import__('../evil; import os')\nimport ok") == ["ok"]
