"""Generated notebooks, run straight and by the modules that they become, in one process: they print the same.

Most of what is generated lies in wait for functions: names that functions read as globals, builtins that are bound,
lambdas that are handed on, classes in cells, names that may be missing.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import tempfile
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nb2pipe.analysis.analyze import analyze
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.read import read_notebook
from nb2pipe.pipeline.build import build
from nb2pipe.runtime import modules
from nb2pipe.runtime.modules import UNBOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nb2pipe.codegen.model import PackagePlan
    from nb2pipe.notebook.model import Notebook

FUNCTIONS = """
def grow(values, by=1):
    values.append(by)
    return values
def total():
    return n + sum(len(v) for v in (x, y))
def via():
    return total() + 1
def bump():
    global c
    c += 1
    return c
def later():
    return lambda: total()
def twice(f):
    def inner(*given):
        return f(*given) * 2
    return inner
class Box:
    count = 0
    def __init__(self, value):
        self.value = value
    def put(self, thing):
        self.value.append(thing)
        Box.count += 1
        return self
    def weigh(self):
        return m + len(self.value)
"""
BEGIN = "x, y, z = [1], [2, 3], [4]\nn, m, c = 1, 2, 0\nbox = Box(x)\nf = lambda: n\ng = twice(total)\nh = later()"
L, N, F, I = st.sampled_from("xyz"), st.sampled_from("nm"), st.sampled_from("fgh"), st.integers(0, 9)  # noqa: E741
LINES = st.one_of(
    *(
        st.builds(text.format, l=L, k=N, j=N, f=F, i=I)
        for text in (
            "{l} = {l} + [{k}]",
            "{l} += {l}[:1]",
            "{k} = {j} + {i}",
            "{k}: int = len({l})",
            "{k} = total()",
            "{k} += via()",
            "{k}, {l} = via(), [total()]",
            "({k} := {i})",
            "print(bump(), c)",
            "grow({l}, {k})",
            "for {k} in {l}[:2]:\n    print({j}, total())",
            "for {k} in range(2):\n    pass\nprint(via())",
            "if {k} > 5:\n    {l} = [{j}]\nprint(total())",
            "if {k} > 3:\n    extra = {j}",
            "try:\n    print(extra)\nexcept NameError:\n    print('none')",
            "try:\n    print(mine())\nexcept NameError:\n    print('not yet')",
            "{f} = lambda: {k}",
            "{f} = lambda v={l}: len(v) + {k}",
            "def {f}():\n    return {k} + len({l})",
            "def {f}(q=1):\n    return total() + q",
            "def mine():\n    return total()\nprint(mine())",
            "def own(q):\n    return q + {k}\nprint([own(a) for a in {l}], list(map(own, {l})))",
            "def items():\n    for q in {l}:\n        yield q + {k}\nprint(list(items()))",
            "@twice\ndef {f}():\n    return {k}",
            "print({f}())",
            "{f} = twice(lambda: {k})",
            "{f} = later()",
            "made = [lambda: {k}, {l}.copy]\nprint([one() for one in made])",
            "print([a + {k} for a in {l}], sum(a * {k} for a in {l}), sorted({l}, key=lambda a: a * {k}))",
            "box.put({k})",
            "print(box.weigh(), Box.count)",
            "box = Box({l})",
            "class Sub(Box):\n    def weigh(self):\n        return super().weigh() + {k}\nbox = Sub({l})",
            "class Local:\n    size = {i}\n    def get(self):\n        return {k}\nprint(Local().get())",
            "sum_ = sum\nsum = sum_({l})\nprint(sum)\ndel sum",
            "max = {i}\nprint(max)\ndel max",
            "import math as mm\nprint(mm.floor({k} / 2))",
            "try:\n    {k} = 1 // ({k} % 2)\nexcept ZeroDivisionError as error:\n    {k} = 7\nprint(total())",
            "match {k}:\n    case 1 | 2:\n        {j} = 3\n    case {k}:\n        print(total())",
            "globals()['{k}'] = {i}",
            "print(eval('{k} + 1'))",
        )
    )
)
CELLS = st.lists(st.tuples(st.lists(LINES, min_size=1, max_size=4), st.booleans()), min_size=1, max_size=6)
HEAD = "# ---\n# jupyter:\n#   kernelspec:\n#     name: python3\n#     display_name: a\n#     language: python\n# ---\n"
numbers = count()


def notebook_of(cells: list[tuple[list[str], bool]], folder: Path) -> Notebook:
    parts = [HEAD, f'# %% tags=["functions"]{FUNCTIONS}', f'# %% tags=["step:begin"]\n{BEGIN}']
    for number, (lines, begins) in enumerate(cells):
        tag = f' tags=["step:s{number}"]' if begins else ""
        parts.append(f"# %%{tag}\n" + "\n".join([*lines, "print(n, m, x, y, z)"]))
    path = folder / "made.py"
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return read_notebook(path)[0]


def printed(work: Callable[[], None]) -> tuple[str, bool]:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            work()
        except Exception:  # noqa: BLE001  # the author's code may raise; then both have to
            return shown.getvalue(), True
    return shown.getvalue(), False


def run_straight(notebook: Notebook) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook.cells:
        exec(compile(cell.python, f"cell {cell.position}", "exec", dont_inherit=True), namespace)


def run_modules(plan: PackagePlan) -> None:
    steps = {step.name: step for step in plan.steps}

    def run(name: str, **given: object) -> object:
        step = steps[name]
        missing = [each for each, value in given.items() if value is UNBOUND and each not in step.optional]
        if missing:
            raise NameError(missing[0])
        function = getattr(importlib.import_module(f"{plan.name}.steps.{step.module}"), step.function)
        return function(**{each: value for each, value in given.items() if value is not UNBOUND})

    importlib.import_module(f"{plan.name}.__main__").pipeline(run)


@pytest.fixture(autouse=True)
def what_is_left() -> Iterator[None]:
    """Forgets the packages, and what stands for a notebook."""
    main = dict(vars(sys.modules["__main__"]))
    yield
    vars(sys.modules["__main__"]).pop("__getattr__", None)
    vars(sys.modules["__main__"]).update(main)
    modules._notebooks.clear()
    for name in [name for name in sys.modules if name.startswith("made_pipeline")]:
        del sys.modules[name]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=CELLS)
@example(cells=[(["f = lambda: m"], True), (["m = 5", "print(f())"], True)])
@example(cells=[(["try:\n    print(mine())\nexcept NameError:\n    print(0)", "def mine():\n    return 1"], True)])
@example(cells=[(["if n > 3:\n    extra = 1"], True), (["if m > 1:\n    extra = n", "print(extra)"], True)])
def test_generated_notebooks_print_the_same_as_modules(cells: list[tuple[list[str], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebook = notebook_of(cells, Path(folder))
        dataflow, report = analyze(notebook, Environment())
        pipeline = build(dataflow, Report.of(report))
        assert pipeline.report.errors == ()
        plan = make_plan(pipeline, Environment())
        named = f"made_pipeline_{next(numbers)}"
        for file in package_files(plan, {}):
            path = Path(folder) / named / file.path.partition("/")[2]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text.replace(plan.name, named), encoding="utf-8")
        straight, failed = printed(lambda: run_straight(notebook))
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            ran, broke = printed(lambda: run_modules(replace(plan, name=named)))
        finally:
            sys.path.remove(folder)
        assert broke == failed
        assert straight.startswith(ran) if failed else ran == straight
