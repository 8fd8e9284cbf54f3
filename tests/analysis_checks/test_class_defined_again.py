"""NB210: a step is not given an object of the older one of two classes that look the same, and the newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.diagnostics import Severity
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from pathlib import Path

OLD = "class A:\n    n = 1\na = A()"
NEW = "class A:\n    n = 2\nb = A()"
CASES = {
    "both are taken": ([("step:a", OLD), ("step:b", NEW), ("step:c", "print(a.n, b.n)")], [(2, 1)]),
    "the newer one by itself": ([("step:a", OLD), ("step:b", NEW), ("step:c", "print(isinstance(a, A))")], [(2, 1)]),
    "in a list": ([("step:a", f"{OLD}\nl = [a]"), ("step:b", NEW), ("step:c", "print(l, b)")], [(2, 1)]),
    "classes of definition cells": (
        [
            ("functions", "class A:\n    n = 1"),
            ("step:a", "a = A()"),
            ("functions", "class A:\n    n = 2"),
            ("step:c", "a, A"),
        ],
        [(3, 1)],
    ),
    "other methods": (
        [
            ("step:a", f"{OLD}\nA.f = 1"),
            ("step:b", "class A:\n    def f(self): pass\nb = A()"),
            ("step:c", "print(a, b)"),
        ],
        [],
    ),
    "only the older one": ([("step:a", OLD), ("step:b", NEW), ("step:c", "print(a.n)")], []),
    "made anew": ([("step:a", OLD), ("step:b", NEW.replace("b =", "a =")), ("step:c", "print(a.n, A)")], []),
    "defined again by the reader": ([("step:a", OLD), ("step:b", f"{NEW}\nprint(isinstance(a, A))")], []),
    "one class": ([("step:a", OLD), ("step:b", "b = A()"), ("step:c", "print(a, b, A)")], []),
    "a class of a function": (
        [
            ("step:a", OLD),
            ("step:b", "def f():\n    class A:\n        n = 2\n    return A()\nb = f()"),
            ("step:c", "a, b"),
        ],
        [],
    ),
}


@pytest.mark.parametrize(("cells", "expected"), CASES.values(), ids=CASES)
def test_two_classes_that_would_become_one_are_an_error(
    cells: list[tuple[str, str]], expected: list[tuple[int, int]], tmp_path: Path
) -> None:
    path = tmp_path / "n.py"
    path.write_text("\n\n".join(f'# %% tags=["{tag}"]\n{code}' for tag, code in cells) + "\n")
    found = [each for each in compile_notebook(path).report.diagnostics if each.code == "NB210"]
    assert [(each.location.position, each.location.line) for each in found] == expected
    assert all(each.severity is Severity.ERROR for each in found)
