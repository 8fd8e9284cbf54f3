"""Generated notebooks, cut into steps at random: run straight and as steps, in one process, and compared cell by cell.

The steps run in fresh namespaces with the real analysis, pipeline, groups and store. A step is given only what those
above it have made that it has edges from, so a missed edge shows even where the driver would notice.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2pipe.analysis.analyze import analyze
from nb2pipe.diagnostics import Report
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.read import read_notebook
from nb2pipe.pipeline.build import build
from nb2pipe.serializers import groups
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.serializers.groups import Group

BEGIN = """
x, y, z = [1], [2, 3], [4]
d, e = {"k": [5]}, {}
n, m = 1, 2
class Box:
    count = 0
    def __init__(self, value):
        self.value = value
    def put(self, thing):
        self.value.append(thing)
        Box.count += 1
        return self
box = Box(x)
def grow(values, by=1):
    values.append(by)
    return values
def total():
    return n + sum(len(v) for v in (x, y, z))
def bump():
    global n
    n += 1
made = [lambda: m, lambda v=y: v]
"""
LISTS, NUMBERS, DICTS = st.sampled_from("xyz"), st.sampled_from("nm"), st.sampled_from("de")
LINES = st.one_of(
    st.builds("{} = {}".format, LISTS, LISTS),
    st.builds("{} = {} + {}".format, LISTS, LISTS, LISTS),
    st.builds("{} += {}[:1]".format, LISTS, LISTS),
    st.builds("{}.append({})".format, LISTS, NUMBERS),
    st.builds("{} = list({})".format, LISTS, LISTS),
    st.builds("{} = [{}, {}]".format, LISTS, NUMBERS, NUMBERS),
    st.builds("grow({})".format, LISTS),
    st.builds("{} = grow({}, {})".format, LISTS, LISTS, NUMBERS),
    st.builds("{} = {} + {}".format, NUMBERS, NUMBERS, st.integers(0, 9)),
    st.builds("{} = len({})".format, NUMBERS, LISTS),
    st.just("bump()"),
    st.builds("{} = total()".format, NUMBERS),
    st.builds("{}['k'] = {}".format, DICTS, LISTS),
    st.builds("{}.setdefault('k', []).append({})".format, DICTS, NUMBERS),
    st.builds("{} = {}.get('k', {})".format, LISTS, DICTS, LISTS),
    st.builds("{} = dict({})".format, DICTS, DICTS),
    st.builds("box.put({})".format, NUMBERS),
    st.builds("box.value = {}".format, LISTS),
    st.builds("box = Box({})".format, LISTS),
    st.builds("{} = box.value".format, LISTS),
    st.builds("for {} in {}[:2]:\n    {}.append(0)".format, NUMBERS, LISTS, LISTS),
    st.builds("if {} > 2:\n    {} = {}\nelse:\n    {}.append(7)".format, NUMBERS, LISTS, LISTS, LISTS),
    st.builds("{0}, {1} = {1}, {0}".format, LISTS, LISTS),
    st.builds("pair = ({}, {})\npair[0].append({})".format, LISTS, LISTS, NUMBERS),
    st.builds("made = [lambda: {}, {}.copy]".format, NUMBERS, LISTS),
    st.builds("{} = made[1]()".format, LISTS),
    st.builds("{} = made[0]()".format, NUMBERS),
    st.builds("{} = [v for v in {} if v != {}]".format, LISTS, LISTS, NUMBERS),
    st.builds("{}.sort()".format, LISTS),
    st.builds("def total():\n    return {} + len({})".format, NUMBERS, LISTS),
    st.builds("try:\n    {}.remove(3)\nexcept ValueError:\n    {} = {}".format, LISTS, NUMBERS, NUMBERS),
    st.builds("del {0}[:1]".format, LISTS),
    st.builds("print({}, {}, {})".format, LISTS, NUMBERS, DICTS),
    st.just("print(box.value, Box.count, total())"),
    st.just("print(x is y, y is z, box.value is x, d.get('k') is y)"),
)
CELLS = st.lists(st.tuples(st.lists(LINES, min_size=1, max_size=3), st.booleans()), min_size=2, max_size=7)


def notebook_of(cells: list[tuple[list[str], bool]], folder: Path) -> Notebook:
    """The notebook; a cell begins a step, or goes on with the one above."""
    text = f'# %% tags=["step:s0"]\n{BEGIN}\n'
    for number, (lines, begins) in enumerate(cells, 1):
        tag = f' tags=["step:s{number}"]' if begins else ""
        text += f"# %%{tag}\n" + "\n".join(lines) + "\n"
    text += '# %% tags=["step:last"]\nprint(x, y, z, d, e, n, m, box.value, Box.count, total())\n'
    path = folder / "fuzz.py"
    path.write_text(text)
    return read_notebook(path)[0]


def run_straight(notebook: Notebook) -> dict[int, str]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    return {cell.position: run_cell(cell.python, namespace) for cell in notebook.cells if cell.python}


def run_cell(text: str, namespace: dict[str, Any]) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            exec(compile(text, "<cell>", "exec"), namespace)
        except Exception as error:  # noqa: BLE001  # an error of the generated code has to be the same on both sides
            shown.write(f"{type(error).__name__}: {error}\n")
    return shown.getvalue()


def run_steps(pipeline: Pipeline, store: LocalStore) -> dict[int, str]:
    shown: dict[int, str] = {}
    made: dict[str, tuple[Group, ...]] = {}
    above: dict[str, set[str]] = {}
    for step in pipeline.steps:
        before = pipeline.before(step.name)
        above[step.name] = set(before).union(*(above[name] for name in before))
        namespace: dict[str, Any] = {"__name__": "__main__"}
        wanted = {port.name for port in step.inputs}
        makers = {name: maker for maker, found in made.items() for group in found for name in group.names}
        latest = {
            name: group
            for maker, found in made.items()
            if maker in above[step.name]
            for group in found
            for name in set(group.names) & wanted
        }
        beside: dict[str, Any] = {}  # what shares objects with the inputs comes along, and goes on with them
        for group in (group for found in made.values() for group in found if group in latest.values()):
            loaded = groups.load(group, store=store, namespace=namespace)
            current = {name for name in group.names if group in made[makers[name]]}
            beside |= {name: loaded[name] for name in current}
            namespace |= {name: loaded[name] for name in group.names if latest.get(name) == group}
        for block in step.blocks:
            shown[block.cell] = run_cell(pipeline.notebook.cell(block.cell).python, namespace)
        values = beside | {name: value for name, value in namespace.items() if not name.startswith("__")}
        outputs = {port.name for port in step.outputs}
        tied = [names for names in groups.partition(values, namespace=namespace) if outputs & set(names)]
        kept = {name: values[name] for names in tied for name in names}
        made[step.name] = groups.dump(kept, store=store, namespace=namespace)
    return shown


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cells=CELLS)
def test_generated_notebooks_compute_the_same_as_steps(cells: list[tuple[list[str], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        notebook = notebook_of(cells, Path(folder))
        dataflow, report = analyze(notebook, Environment())
        pipeline = build(dataflow, Report.of(report))
        assert pipeline.report.errors == ()
        assert run_steps(pipeline, LocalStore(Path(folder) / "store")) == run_straight(notebook)
