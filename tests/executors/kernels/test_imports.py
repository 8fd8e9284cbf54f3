"""Which imports are made ahead of the steps: only those on which nothing before them could decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.api import start
from nb2pipe.execution.options import RunOptions
from nb2pipe.executors.kernels.imports import early_imports, needed_lines
from nb2pipe.notebook.read import read_notebook
from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "imports alone": ("import a\nfrom b.c import d\nimport e.f as g", "a b.c e.f"),
    "imports over several cells": ("import a\n# %%\nimport b\n# %% [markdown]\n# text\n# %%\nimport c", "a b c"),
    "literals and plain functions decide on nothing": (
        '"""doc"""\nimport a\nlr = 0.1\nsizes: list = [1, 2]\ndef f(n=1, *, m="x"):\n    return a.b(n)\nimport b',
        "a b",
    ),
    "our own package is left out": ("from nb2pipe import track\nfrom __future__ import annotations\nimport a", "a"),
    "an environment variable": ("import os\nos.environ['OMP_NUM_THREADS'] = '1'\nimport torch", "os"),
    "a call": ("import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot", "matplotlib"),
    "a value that is computed": ("import a\nn = a.b\nimport c", "a"),
    "a decorator": ("import a\n@a.b\ndef f():\n    pass\nimport c", "a"),
    "a default that is computed": ("import a\ndef f(n=a.b()):\n    pass\nimport c", "a"),
    "an annotation that calls": ("import a\ndef f(n: a.b()):\n    pass\nimport c", "a"),
    "a class": ("import a\nclass C(a.B):\n    pass\nimport c", "a"),
    "an import that may fail": ("import a\ntry:\n    import b\nexcept ImportError:\n    pass\nimport c", "a"),
    "a relative import": ("import a\nfrom . import b\nimport c", "a"),
    "magics of the shell": ("import a\n%matplotlib inline\n%load_ext autoreload\n%autoreload 2\nimport b", "a b"),
    "other magics": ("import a\n%env OMP_NUM_THREADS=1\nimport b", "a"),
    "a shell command": ("import a\nfiles = !ls\nimport b", "a"),
    "a cell in another language": ("import a\n# %%\n%%bash\nls\n# %%\nimport b", "a"),
    "what is no Python": ("import a\n# %%\nx = = 1\n# %%\nimport b", "a"),
    "a cell that is skipped": ('import a\n# %% tags=["skip"]\nprint(1)\n# %%\nimport b', "a b"),
}


@pytest.mark.parametrize("name", CASES)
def test_an_import_is_made_early_if_nothing_before_it_may_decide_on_it(name: str, tmp_path: Path) -> None:
    text, expected = CASES[name]
    path = tmp_path / "n.py"
    path.write_text(f"# %%\n{text}\n")
    notebook, _ = read_notebook(path)
    assert " ".join(module for each in early_imports(notebook) for module in each.modules) == expected


def test_what_only_steps_above_import_is_left_to_them(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(
        '# %% tags=["imports"]\nimport a\nimport b\nimport c\n# %% tags=["step:first"]\nx = a.f()\n'
        '# %% tags=["step:second"]\nimport d\ny = b.f(x)\n# %% tags=["step:third"]\nprint(c.f(y))\n'
    )
    pipeline = compile_notebook(path)
    second = needed_lines(pipeline.steps[1:], pipeline.notebook)
    made = early_imports(pipeline.notebook)
    assert [each.modules[0] for each in made] == ["a", "b", "c"]
    assert [each.modules[0] for each in made if each.line in second.get(each.cell, ())] == ["b", "c"]


def test_a_step_that_runs_alone_waits_for_its_own_imports_alone(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text(
        '# %% tags=["parameters"]\nn = 1\n# %% tags=["imports"]\nimport numpy\nimport yaml\n'
        '# %% tags=["step:first"]\nx = yaml.dump([1])\n# %% tags=["step:second"]\nprint(numpy.array([n]), x)\n'
    )
    notes: list[str] = []
    for n in (1, 2):
        options = RunOptions(home=tmp_path / "home", parameters={"n": n})
        start(
            compile_notebook(path),
            options,
            listeners=[lambda each: notes.append(str(each)) if "forked" in str(each) else None],
        )
    first, second = notes
    assert "numpy, yaml" in first
    assert "numpy" in second
    assert "yaml" not in second
