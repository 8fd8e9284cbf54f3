"""The files of a package: from plans made by hand to modules that are formatted, clean and run."""

from __future__ import annotations

import ast
import asyncio
import hashlib
import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import markupsafe
import pytest

import nb2pipe
from nb2pipe.codegen.model import (
    Argument,
    Chunk,
    ChunkRole,
    DefinitionsPlan,
    Form,
    Import,
    OutputPlan,
    PackagePlan,
    ParameterPlan,
    SourceKind,
    StepPlan,
)
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.modules.vendor import vendored_files
from nb2pipe.diagnostics import Report
from nb2pipe.errors import ConversionError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA = StepPlan(
    name="data",
    module="data",
    function="data",
    result="Data",
    form=Form.FUNCTION,
    docstring="## Load the *data*\nAll of it.",
    chunks=(Chunk(cell=3, line=1, text="rows = list(range(  count ))\nif count:\n    last = 'a'"),),
    parameters=(ParameterPlan(name="count", annotation="int", default="5"),),
    outputs=(OutputPlan(name="last", always=False), OutputPlan(name="rows")),
    arguments=(Argument(name="count", kind=SourceKind.PARAMETER, source="count"),),
)
TRAIN = StepPlan(
    name="train",
    module="train",
    function="train",
    result="Train",
    form=Form.FUNCTION,
    imports=(
        Import(module="pandas", name=None, bound="pd"),
        Import(module="collections", name="Counter", bound="Counter"),
    ),
    from_definitions=("Net",),
    shared=("lr",),
    chunks=(
        Chunk(cell=5, line=2, text="net = Net(rows)  # kept"),
        Chunk(cell=6, line=1, text='text = """\n  deep\n"""\n\ntotal = Counter(rows)\ntable = pd.DataFrame'),
    ),
    inputs=("rows",),
    parameters=(
        ParameterPlan(name="lr", annotation="float", default="1.E-3"),
        ParameterPlan(name="sizes", annotation="list", default="[1,2,  'a']"),
    ),
    outputs=(OutputPlan(name="net"), OutputPlan(name="table"), OutputPlan(name="text"), OutputPlan(name="total")),
    arguments=(
        Argument(name="rows", kind=SourceKind.OUTPUT, step="data", source="rows"),
        Argument(name="lr", kind=SourceKind.PARAMETER, source="lr"),
        Argument(name="sizes", kind=SourceKind.PARAMETER, source="sizes"),
    ),
)
REPORT = StepPlan(
    name="outer/report",
    module="outer.report",
    function="report",
    result="Report",
    form=Form.NAMESPACE,
    reason="`total`, which this step binds, is read by the function `show` as a global (cell 8, line 3)",
    chunks=(
        Chunk(cell=1, line=1, notebook="inner.ipynb", text="import math", role=ChunkRole.DEFINITIONS),
        Chunk(cell=8, line=3, notebook="inner.ipynb", text="total = net\n1 / 0", may_raise=True),
    ),
    inputs=("net", "text"),
    outputs=(OutputPlan(name="other", always=False), OutputPlan(name="total")),
    arguments=(
        Argument(name="net", kind=SourceKind.OUTPUT, step="train", source="net"),
        Argument(name="text", kind=SourceKind.OUTPUT, step="train", source="text"),
    ),
    gates=("train",),
)
PLAN = PackagePlan(
    name="digits_pipeline",
    title="digits",
    notebook="digits.ipynb",
    definitions=DefinitionsPlan(
        chunks=(
            Chunk(cell=2, line=1, text="import os"),
            Chunk(cell=4, line=1, text="class Net:\n    def __init__(self, rows):\n        self.rate = lr"),
        )
    ),
    parameters=(
        ParameterPlan(name="count", annotation="int", default="5"),
        ParameterPlan(name="lr", annotation="float", default="1.E-3"),
        ParameterPlan(name="sizes", annotation="list", default="[1,2,  'a']"),
        ParameterPlan(name="scaled", annotation="Any", default="lr * 10"),
    ),
    steps=(DATA, TRAIN, REPORT),
    report=Report(),
)
TYPES = {
    "data.rows": "list",
    "train.net": "definitions.Net",
    "train.table": "pandas.DataFrame",
    "train.text": "str",
    "train.total": "collections.Counter",
    "outer/report.total": "torch.nn.Module",
}


def written(folder: Path, plan: PackagePlan = PLAN, types: Mapping[str, str] = TYPES) -> Path:
    for file in package_files(plan, types):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8", newline="")
    return folder


def text_of(path: str, plan: PackagePlan = PLAN, types: Mapping[str, str] = TYPES) -> str:
    return next(file.text for file in package_files(plan, types) if file.path == f"digits_pipeline/{path}")


def assert_clean(folder: Path) -> None:
    ruff = [sys.executable, "-m", "ruff"]
    for command in (
        [*ruff, "format", "--isolated", "--no-cache", "--diff", str(folder)],
        [
            *ruff,
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            "E9,F",
            "--ignore",
            "F841,F403,F405,F811",
            str(folder),
        ],
        [*ruff, "check", "--isolated", "--no-cache", "--select", "I", str(folder / "digits_pipeline" / "steps")],
    ):
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"


def ran(folder: Path, code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def step(text: str, **changes: Any) -> PackagePlan:
    """A package of one step whose only cell is `text`."""
    one = StepPlan(
        name="one",
        module="one",
        function="one",
        result="One",
        form=Form.FUNCTION,
        chunks=(Chunk(cell=1, line=1, text=text),),
    )
    return replace(PLAN, steps=(replace(one, **changes),), parameters=(), definitions=DefinitionsPlan())


def test_the_files_of_a_package_are_formatted_and_clean(tmp_path: Path) -> None:
    plan = replace(PLAN, definitions=replace(PLAN.definitions, noqa=("F821",)))
    assert_clean(written(tmp_path, plan))


def test_a_package_has_a_module_a_step_and_the_cells_of_namespace_form_apart() -> None:
    assert [file.path.removeprefix("digits_pipeline/") for file in package_files(PLAN, {})] == [
        "__init__.py",
        "__main__.py",
        "cells/outer/report.py",
        "definitions.py",
        "steps/__init__.py",
        "steps/data.py",
        "steps/outer/__init__.py",
        "steps/outer/report.py",
        "steps/train.py",
    ]


def test_a_step_function_computes_what_its_cells_do(tmp_path: Path) -> None:
    code = (
        "from digits_pipeline.steps.data import data; from digits_pipeline.steps.train import train\n"
        "made = data(count=2); print(made); print(data(count=0).last)\n"
        "left = train(made.rows, lr=0.5); print(left.net.rate, repr(left.text), left.total == {0: 1, 1: 1})"
    )
    assert ran(written(tmp_path), code).splitlines() == [
        "Data(last='a', rows=[0, 1])",
        "UNBOUND",
        "0.5 '\\n  deep\\n' True",
    ]


def test_types_that_are_known_are_imported_for_type_checkers_only() -> None:
    train, report = text_of("steps/train.py"), text_of("steps/outer/report.py")
    assert "def train(rows: list, *, lr: float = 1.0e-3, sizes: list | None = None) -> Train:" in train
    assert "    net: Net\n    table: pd.DataFrame\n    text: str\n    total: Counter\n" in train
    assert (
        "if TYPE_CHECKING:\n    from torch.nn import Module\n\n    from digits_pipeline.definitions import Net\n"
        in report
    )
    assert "def report(net: Net, text: str) -> Report:" in report
    assert "table: Any" in text_of("steps/train.py", types={})


@pytest.mark.parametrize("dotted", ["a.<locals>.B", "__import__('os')", "a b", "x.class", "unknown", "", "."])
def test_a_type_without_a_usable_name_is_any(dotted: str) -> None:
    assert "    net: Any\n" in text_of("steps/train.py", types={"train.net": dotted})


def test_types_of_one_name_are_told_apart_by_their_modules(tmp_path: Path) -> None:
    types = {"train.net": "a.Frame", "train.table": "b.Frame", "train.text": "c.table", "train.total": "pandas.x.Frame"}
    train = text_of("steps/train.py", types=types)
    assert "    net: Frame\n    table: b.Frame\n    text: c.table\n    total: pd.x.Frame\n" in train
    assert_clean(written(tmp_path, types=types, plan=replace(PLAN, definitions=DefinitionsPlan())))


def test_a_default_that_can_be_changed_is_new_in_each_call(tmp_path: Path) -> None:
    plan = step(
        "sizes.append(9)",
        parameters=(ParameterPlan(name="sizes", annotation="list", default="[1, 2]"),),
        outputs=(OutputPlan(name="sizes"),),
    )
    code = "from digits_pipeline.steps.one import one; one(); print(one().sizes, one(sizes=[]).sizes)"
    assert ran(written(tmp_path, plan), code) == "[1, 2, 9] [9]"
    assert_clean(tmp_path)


@pytest.mark.parametrize(
    ("annotation", "default", "shown"),
    [
        ("list[Any]", "[1]", "p: list[Any] | None = None"),
        ("tuple[Any, ...]", "([],)", "p: tuple[Any, ...] | None = None"),
        ("set[Any]", "set()", "p: set[Any] | None = None"),
        ("tuple[Any, ...]", "(1,)", "p: tuple[Any, ...] = (1,)"),
        ("Any", "[1]", "p: Any = None"),
        ("list", "f([1])", "p: list = UNBOUND"),
    ],
)
def test_a_parameter_is_typed(annotation: str, default: str, shown: str, tmp_path: Path) -> None:
    parameters = (ParameterPlan(name="p", annotation=annotation, default=default),)
    literal = replace(parameters[0], default="UNBOUND") if shown.endswith("UNBOUND") else parameters[0]
    plan = replace(step("p", parameters=(literal,)), parameters=parameters)
    assert_clean(written(tmp_path, plan))
    assert f"def one(*, {shown}) -> None:" in text_of("steps/one.py", plan)
    assert f"def pipeline(run: Run, *, {shown}) -> None:" in text_of("__main__.py", plan)


def test_a_default_that_is_no_literal_is_made_above_the_function(tmp_path: Path) -> None:
    plan = step(
        "kept = scaled",
        parameters=(ParameterPlan(name="scaled", annotation="Any", default="scaled"),),
        defaults=(Chunk(cell=2, line=1, text="lr = 0.5"), Chunk(cell=2, line=3, text="scaled = lr  *  10")),
        outputs=(OutputPlan(name="kept"),),
    )
    assert_clean(written(tmp_path, plan))
    assert ran(tmp_path, "from digits_pipeline.steps.one import one; print(one().kept, one(scaled=1).kept)") == "5.0 1"


def test_what_functions_read_as_a_global_is_stored_as_soon_as_it_is_bound(tmp_path: Path) -> None:
    chunks = (
        Chunk(cell=3, line=1, text="rate = given * 2", stores=("rate",)),
        Chunk(cell=4, line=1, text="seen = read( )", stores=("seen",)),
    )
    plan = step(
        "",
        chunks=chunks,
        inputs=("given",),
        shared=("given",),
        from_definitions=("read",),
        outputs=(OutputPlan(name="seen"),),
    )
    reading = DefinitionsPlan(
        chunks=(Chunk(cell=1, line=1, text="def read():\n    return rate, given"),), noqa=("F821",)
    )
    assert_clean(written(tmp_path, replace(plan, definitions=reading)))
    code = (
        "from digits_pipeline import definitions; from digits_pipeline.steps.one import one\n"
        "print(one(4).seen, definitions.seen)"
    )
    assert ran(tmp_path, code) == "(8, 4) (8, 4)"


def test_an_async_step_is_awaited(tmp_path: Path) -> None:
    text = "import asyncio\nawait asyncio.sleep(0)\nx = [i async for i in it()]"
    plan = step(text, is_async=True, outputs=(OutputPlan(name="x"),), inputs=("it",))
    assert_clean(written(tmp_path, plan))
    names: dict[str, Any] = {"__name__": "one"}
    exec(text_of("steps/one.py", plan), names)

    async def it() -> Any:
        yield 1

    assert asyncio.run(names["one"](it)).x == [1]


@pytest.mark.parametrize("names", [("_a", "b"), ("__a", "b"), ("count", "index"), ("class_", "int")])
def test_any_name_can_be_left_by_a_step(names: tuple[str, str], tmp_path: Path) -> None:
    plan = step("\n".join(f"{name} = 1" for name in names), outputs=tuple(OutputPlan(name=name) for name in names))
    assert_clean(written(tmp_path, plan, {"one.b": "int", "one.index": "int", "one.class_": "int"}))
    code = f"from digits_pipeline.steps.one import one; print([getattr(one(), name) for name in {names!r}])"
    assert ran(tmp_path, code) == "[1, 1]"


def test_a_step_that_leaves_nothing_returns_none(tmp_path: Path) -> None:
    for text in ("for i in [1]:\n    print(i)\n    # end", "# nothing"):
        plan = step(text)
        assert_clean(written(tmp_path, plan))
        assert "def one() -> None:" in text_of("steps/one.py", plan)


def test_names_of_ours_give_way_to_those_of_the_author(tmp_path: Path) -> None:
    ours = [
        "Any",
        "NamedTuple",
        "UNBOUND",
        "run",
        "pipeline",
        "sys",
        "one",
        "TYPE_CHECKING",
        "run_pipeline",
        "definitions",
    ]
    plan = step(
        "x = sys_",
        inputs=("Any", "definitions"),
        shared=("Any",),
        imports=(Import(module="other", name="sys", bound="sys"), Import(module="pathlib", name="Path", bound="Path")),
        outputs=(OutputPlan(name="UNBOUND", always=False), OutputPlan(name="NamedTuple")),
        parameters=tuple(ParameterPlan(name=name, annotation="Any", default="None") for name in ("run_step", "x")),
        noqa=("F821", "F401"),
    )
    two = replace(plan.steps[0], name="two", module="two", function="two", form=Form.NAMESPACE, imports=())
    parameters = tuple(ParameterPlan(name=name, annotation="Any", default="f()") for name in ours)
    taken = (Argument(name="Any", kind=SourceKind.OUTPUT, step="one", source="NamedTuple"),)
    plan = replace(plan, parameters=parameters, steps=(plan.steps[0], replace(two, arguments=taken)))
    assert_clean(written(tmp_path, plan, {"one.NamedTuple": "x.TYPE_CHECKING"}))
    one = text_of("steps/one.py", plan)
    assert "import sys as sys_\n" in one
    assert "from typing import Any as Any_\nfrom typing import NamedTuple as NamedTuple_\n" in one
    assert "    definitions_.Any = Any\n" in one
    assert 'return One(UNBOUND=locals().get("UNBOUND", UNBOUND_), NamedTuple=NamedTuple)' in one
    main = text_of("__main__.py", plan)
    assert 'one_ = run_("one")\n    run_("two", Any=one_.NamedTuple)' in main


def test_definitions_that_imports_have_to_see_come_first(tmp_path: Path) -> None:
    setting = DefinitionsPlan(
        chunks=(Chunk(cell=1, line=1, text="import os\nos.environ['A'] = '1'"),), comes_first=True
    )
    imports = (Import(module="json", name=None, bound="json"),)
    plan = replace(step("json.dumps(1)", imports=imports), definitions=setting)
    assert_clean(written(tmp_path, plan))
    one = text_of("steps/one.py", plan)
    assert one.index("from digits_pipeline import definitions") < one.index("import json")


def test_the_pipeline_passes_results_on_and_heeds_gates() -> None:
    main = text_of("__main__.py")
    assert "    scaled: Any = UNBOUND,\n" in main
    assert (
        '    data = run("data", count=count)\n'
        '    train = run("train", rows=data.rows, lr=lr, sizes=sizes)\n'
        '    if run.passes("train"):\n'
        '        run("outer/report", net=train.net, text=train.text)\n'
    ) in main


def test_namespace_form_says_why_and_hands_its_inputs_over(tmp_path: Path) -> None:
    late = ParameterPlan(name="lr", annotation="float", default="UNBOUND")
    chunk = Chunk(cell=9, line=1, text="lr = 1", injects=("lr",))
    plan = replace(
        PLAN,
        steps=(
            DATA,
            TRAIN,
            replace(REPORT, optional=("text",), parameters=(late,), chunks=(chunk,)),
        ),
    )
    report = text_of("steps/outer/report.py", plan)
    assert "def report(net: Net, *, text: str = UNBOUND, lr: float = UNBOUND) -> Report:" in report
    assert (
        '    given = {"net": net, "text": text}\n'
        '    injected = {9: {"lr": lr}}\n'
        "    found = run_cells(CELLS, definitions, given, injected=injected)\n"
        '    return Report(other=found.get("other", UNBOUND), total=found["total"])\n'
    ) in report
    assert "since `total`,\n    which this step binds, is read" in report
    assert_clean(written(tmp_path, replace(plan, definitions=DefinitionsPlan())))


HOSTILE = (
    '"""; import os; os.abort() #',
    "\\",
    'ends with "',
    "\\N{BULLET} \\x",
    "a\nb\r\nc\x0cd\u2028e\x85f",
    "\u202edesrever \u2066x",
    "\ud800 lone",
    "{{ 7 * 7 }}{% raw %}",
    "tab\tand `code`",
    "\x00\x1b[31m",
    "'''",
    '"',
    " ",
    "# Title with trailing ##\ntext right below\n\n```python\nx  =  1\n```\n- item " + "long " * 40,
    "$\\alpha$ ends\\",
    "| a | b |\n|---|---|\n| 1 | 2 |" + " wide" * 40,
    "w" * 300,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_texts_of_the_notebook_end_where_we_end_them(text: str, tmp_path: Path) -> None:
    nested = (Chunk(cell=1, line=2, notebook=text, text="x = 1"),)
    parameter = ParameterPlan(name="p", annotation="str", default=repr(text))
    one = replace(step("x = 1", docstring=text, chunks=nested, parameters=(parameter,)).steps[0])
    two = replace(one, name="two", module="two", function="two", form=Form.NAMESPACE, reason=text)
    plan = replace(PLAN, title=text, notebook=text, description=text, steps=(one, two), parameters=(parameter,))
    plan = replace(plan, definitions=DefinitionsPlan())
    assert_clean(written(tmp_path, plan))
    assert (
        ran(
            tmp_path,
            "from digits_pipeline.steps.one import one\n"
            f"print(one.__kwdefaults__['p'] == {text!r}, one.__code__.co_varnames)",
        )
        == "True ('p', 'x')"
    )


def test_long_names_are_broken_as_formatters_do(tmp_path: Path) -> None:
    for size in (20, 30, 45, 60, 79, 85, 90, 200):
        names = [f"{letter * size}" for letter in "abc"]
        text = "\n".join(f"{name} = 1" for name in names)
        outputs = tuple(OutputPlan(name=name, always=name[0] != "c") for name in names)
        given = tuple(
            ParameterPlan(name=f"p{number}" + name, annotation="Any", default=default)
            for number, (name, default) in enumerate(zip(names, ("1", "[1]", "('a', 'b', 'c' , 1, 2, 3)"), strict=True))
        )
        plan = step(text, outputs=outputs, inputs=(names[0],), shared=(names[0],), parameters=given)
        first = plan.steps[0]
        arguments = tuple(Argument(name=n, kind=SourceKind.OUTPUT, step="one", source=n) for n in names)
        gates = ("g" * size, "h" * size)
        late = (Chunk(cell=1, line=1, text="x", injects=(given[0].name, given[1].name)),)
        two = replace(first, name="two", module="two", function=names[1], form=Form.NAMESPACE, outputs=())
        three = replace(
            two, shared=(), name="three", module="three", arguments=arguments, gates=gates, chunks=late, inputs=()
        )
        imports = tuple(Import(module=f"m{name}", name=name, bound=name + "_") for name in names)
        four = replace(
            first,
            name="four",
            module="four",
            imports=imports,
            from_definitions=tuple(n + "x" for n in names),
            noqa=("F401",),
        )
        private = replace(
            first, name="five", module="five", outputs=(OutputPlan(name="__" + names[0]),), noqa=("F821",)
        )
        plan = replace(plan, parameters=given, steps=(first, two, three, four, private))
        assert_clean(written(tmp_path / str(size), plan))


DEFAULTS = (
    *[
        "0XFF",
        "1E5",
        "1_000",
        ".5",
        "5.",
        "1.e-3",
        "0B1",
        "0O7",
        "2J",
        ".5J",
        "-1",
        "+1.5",
        "1+2j",
        "True",
        "None",
        "...",
        "()",
        "(1,)",
        "{1,2}",
        "{'a':1}",
        "[]",
        "{}",
        "r'\\d'",
    ],
    *("'a'", '"it\'s"', "'say \"hi\"'", "'both \" and \\''", "'\\t\\n'", "'é'", "'a' 'b'", "'''a\nb'''"),
    *("b'x'", "b'\\''", "b'\"'", "b'\\xff'", "{1:[2,{'b':(3,)}]}"),
    "[" + ", ".join(["'some text'"] * 20) + "]",
    "{'key': {'a': [" + "1, " * 60 + "], 'b': (1,)}, 'c': 'd'}",
)


def test_a_default_is_written_as_formatters_do(tmp_path: Path) -> None:
    parameters = tuple(
        ParameterPlan(name=f"p{number}", annotation="Any", default=default) for number, default in enumerate(DEFAULTS)
    )
    plan = step("kept = dict(locals())", parameters=parameters, outputs=(OutputPlan(name="kept"),))
    assert_clean(written(tmp_path, replace(plan, parameters=parameters)))
    names: dict[str, Any] = {"__name__": "one"}
    exec(text_of("steps/one.py", plan), names)
    kept = names["one"]().kept
    assert [kept[one.name] for one in parameters] == [ast.literal_eval(one.default) for one in parameters]


def test_the_authors_text_stands_as_it_is_and_marks_in_it_are_no_marks(tmp_path: Path) -> None:
    quotes = '"""'
    text = (
        f"x  = [1,\n2]   # odd\n# %% cell 99\ny = {quotes}\n# %% cell 98\n# fmt: on\n{quotes}\n"
        f"if x:\n  # fmt: on\n  z = f{quotes}{{x\n  }}\n end{quotes}"
    )
    plan = step(text, outputs=(OutputPlan(name="y"), OutputPlan(name="z")))
    assert_clean(written(tmp_path, plan))
    one = text_of("steps/one.py", plan)
    assert "    x  = [1,\n    2]   # odd\n    # (%% cell 99)\n" in one
    assert (
        '    y = """\n# %% cell 98\n# fmt: on\n"""\n    if x:\n      # (fmt: on)\n      z = f"""{x\n  }\n end"""\n'
        in one
    )
    names: dict[str, Any] = {"__name__": "one"}
    exec(one, names)
    assert tuple(names["one"]()) == ("\n# %% cell 98\n# fmt: on\n", "[1, 2]\n end")


def test_a_template_of_the_users_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    template = tmp_path / "package" / "steps.py.jinja"
    template.write_text("# ours: {{ of | words }}\n")
    texts = {file.path: file.text for file in package_files(PLAN, {}, templates=tmp_path)}
    assert texts["digits_pipeline/steps/__init__.py"] == "# ours: the pipeline `digits`\n"
    for broken, message in (
        ("{{ of }}", "without a filter"),
        ("{{ missing | words }}", "'missing' is undefined"),
        ("{% if %}", "Expected an expression"),
        ("x = = 1\n", "is no Python"),
        ("{{ of | ident }}", "is no name"),
    ):
        template.write_text(broken)
        os.utime(template, (0, len(broken)))
        with pytest.raises(ConversionError, match=message):
            package_files(PLAN, {}, templates=tmp_path)
    with pytest.raises(UsageError, match="is no folder"):
        package_files(PLAN, {}, templates=tmp_path / "none")


_EMIT = """
import hashlib, pickle, sys
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.modules.vendor import vendored_files
plan, types = pickle.loads(open(sys.argv[1], "rb").read())
print(hashlib.sha256(repr([(file.path, file.text) for file in package_files(plan, types)]).encode()).hexdigest())
"""


def pythons() -> list[Path]:
    """Every Python that nb2pipe runs on and that is installed here."""
    found = {Path(sys.executable)}
    for minor in (11, 12, 13):
        found |= set(Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"))
        on_path = shutil.which(f"python3.{minor}")
        found |= {Path(on_path)} if on_path else set()
    return sorted(one for one in found if subprocess.run([one, "-V"], check=False, capture_output=True).returncode == 0)


def test_the_bytes_are_the_same_on_every_python(tmp_path: Path) -> None:
    for module in (jinja2, markupsafe):
        folder = Path(str(module.__file__)).parent
        (tmp_path / folder.name).symlink_to(folder)
    text = 'x = f"""{1\n}\n  {x!r:>{2}}\n"""\ny = """\n"""'
    plan = replace(PLAN, steps=(*PLAN.steps, *step(text, docstring="🫩 \u1c89 é" * 20).steps))
    (tmp_path / "plan").write_bytes(pickle.dumps((plan, TYPES)))
    path = os.pathsep.join([str(Path(nb2pipe.__file__).parents[1]), str(tmp_path)])
    digests = set()
    for seed, python in enumerate(pythons()):
        variables = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": str(seed), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [python, "-S", "-c", _EMIT, tmp_path / "plan"], env=variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    here = repr([(file.path, file.text) for file in package_files(plan, TYPES)])
    assert digests == {hashlib.sha256(here.encode()).hexdigest() + "\n"}


def test_the_carried_runtime_is_this_one_and_formatters_leave_it_alone(tmp_path: Path) -> None:
    files = vendored_files()
    assert {"nb2pipe/__init__.py", "nb2pipe/py.typed", "nb2pipe/runtime/bootstrap.py", "nb2pipe/errors.py"} <= {
        file.path for file in files
    }
    assert not [
        file.path for file in files if file.path.split("/")[1] in ("api.py", "cli", "codegen", "analysis", "targets")
    ]
    for file in files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, encoding="utf-8")
        assert file.text.endswith((Path(nb2pipe.__file__).parents[1] / file.path).read_text(encoding="utf-8"))
    ruff = [sys.executable, "-m", "ruff"]
    subprocess.run([*ruff, "format", "--isolated", "--no-cache", "--check", tmp_path], check=True)
    subprocess.run([*ruff, "check", "--isolated", "--no-cache", "--select", "E9,F", tmp_path], check=True)
    code = "import nb2pipe, nb2pipe.runtime.session as s; print(s.__file__ == sys.argv[1])"
    done = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, sys.argv[2]); {code}"]
    loaded = subprocess.run(
        [*done, tmp_path / "nb2pipe" / "runtime" / "session.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert loaded.stdout == "True\n", loaded.stderr
