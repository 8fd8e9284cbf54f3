from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.model import (
    AfterTag,
    CacheTag,
    DescriptionTag,
    FunctionsTag,
    GateAll,
    GateTag,
    ImageTag,
    ImportsTag,
    InjectedParametersTag,
    LabelTag,
    MetricsTag,
    NestedTag,
    ParametersTag,
    RaisesExceptionTag,
    ReportTag,
    ResourceTag,
    RetryTag,
    SecretTag,
    Settings,
    SkipTag,
    TimeoutTag,
)
from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.graph import to_json
from nb2pipe.pipeline.model import BlockRole, PortKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.pipeline.model import Pipeline

    Make = Callable[..., Pipeline]


def names(pipeline: Pipeline) -> list[tuple[str, tuple[int, ...]]]:
    return [(step.name, step.cells) for step in pipeline.steps]


def edges(pipeline: Pipeline) -> list[tuple[str, str, str, str]]:
    return [
        (edge.source, edge.target, " ".join(edge.names), " ".join(kind.value for kind in edge.kinds))
        for edge in pipeline.edges
    ]


def texts(pipeline: Pipeline, step: str) -> dict[int, str]:
    notebook = pipeline.notebook
    return {block.cell: block_text(notebook.cell(block.cell), block) for block in pipeline.step(step).blocks}


def roles(pipeline: Pipeline, step: str) -> dict[int, BlockRole]:
    return {block.cell: block.role for block in pipeline.step(step).blocks}


def ports(pipeline: Pipeline, step: str) -> tuple[list[str], list[str]]:
    found = pipeline.step(step)
    return [port.name for port in found.inputs], [port.name for port in found.outputs]


def codes(pipeline: Pipeline) -> list[str]:
    return [diagnostic.code for diagnostic in pipeline.report]


def test_the_json_of_a_graph_is_as_documented(made: Make) -> None:
    pipeline = made(
        ("lr = 0.05", ParametersTag()),
        ("net = 1; train_ds = 2", "data"),
        ("net.fit(train_ds)", "train", AfterTag("data")),
        ("print(lr)",),
        parameters=[{"name": "lr", "cell": 1, "line": 1, "value": 0.05}],
        uses={"lr": {4}},
        facts={2: {"definitions": "net train_ds", "draws": "torch"}, 3: {"uses": "net train_ds", "mutations": "net"}},
        flows=[("net", 2, 3), ("train_ds", 2, 3), ("torch", 2, 3, "random")],
    )
    assert to_json(pipeline) == {
        "schema": 1,
        "name": "n",
        "parameters": [{"name": "lr", "type": "float", "default": 0.05}],
        "steps": [
            {"name": "data", "cells": [2], "inputs": [], "outputs": ["net", "train_ds"], "parameters": []},
            {
                "name": "train",
                "cells": [3, 4],
                "inputs": ["net", "train_ds"],
                "outputs": ["net"],
                "parameters": ["lr"],
            },
        ],
        "edges": [
            {
                "source": "data",
                "target": "train",
                "names": ["net", "train_ds"],
                "kinds": ["random", "value"],
                "certain": True,
                "declared": True,
            }
        ],
    }
    assert pipeline.step("data").draws == {"torch"}
    assert codes(pipeline) == []


def test_a_notebook_without_steps_is_one_step(made: Make) -> None:
    pipeline = made(
        ("a = 1; t = f()", ParametersTag()),
        ("print(a, t)",),
        ("print(2)", SkipTag()),
        parameters=[
            {"name": "a", "cell": 1, "line": 1},
            {"name": "t", "cell": 1, "line": 1, "value": None, "is_literal": False, "repeatable": False},
        ],
        uses={"a": {2}, "t": {2}},
    )
    assert names(pipeline) == [("main", (1, 2))]
    step = pipeline.step("main")
    assert step.generated
    assert step.parameters == ("a", "t")
    assert [(block.cell, block.injects) for block in step.blocks] == [(1, ("a", "t")), (2, ())]
    assert texts(pipeline, "main") == {1: "a = 1; t = f()", 2: "print(a, t)"}


def test_code_outside_of_steps_that_runs_once_makes_setups_where_it_stands(made: Make) -> None:
    pipeline = made(
        ("import os\nk = 1\nimport sys",),
        ("a = k", "one"),
        ("def f():\n    return a\nlog = []", FunctionsTag()),
        ("b = f()", "two"),
        definitions=[
            (1, (1, 1), "os"),
            (1, (3, 3), "sys"),
            (3, (1, 2), "f", "a", "function"),
        ],
        facts={
            1: {"definitions": "k", "code_lines": frozenset({2})},
            2: {"definitions": "a", "uses": "k"},
            3: {"definitions": "log"},
            4: {"definitions": "b", "uses": "a", "needs": (1, 2)},
        },
        flows=[("k", 1, 2), ("a", 2, 4)],
    )
    assert names(pipeline) == [("setup", (1,)), ("one", (2,)), ("setup_2", (3,)), ("two", (4,))]
    assert [step.generated for step in pipeline.steps] == [True, False, True, False]
    assert texts(pipeline, "setup") == {1: "\nk = 1\n"}
    assert texts(pipeline, "setup_2") == {3: "\n\nlog = []"}
    assert texts(pipeline, "two") == {1: "\n\nimport sys", 3: "def f():\n    return a\n", 4: "b = f()"}
    assert roles(pipeline, "two") == {1: "definitions", 3: "definitions", 4: "code"}
    assert roles(pipeline, "setup") == {1: "code"}
    assert ports(pipeline, "setup_2") == ([], ["log"])


def test_definitions_alone_make_no_setup(made: Make) -> None:
    pipeline = made(
        ('"""What it does."""\nimport os\n%matplotlib inline\n# done\nx: int', ImportsTag()),
        ("a = 1", "one"),
        definitions=[(1, (2, 2), "os")],
        facts={2: {"definitions": "a"}},
    )
    assert names(pipeline) == [("one", (2,))]


def test_an_import_that_is_there_for_what_it_does_is_repeated_in_later_steps(made: Make) -> None:
    acting = "import registers_itself\nfrom sklearn.experimental import enable_halving_search_cv"
    pipeline = made(
        ("x = 1", "a"),
        (f"import numpy\n{acting}", ImportsTag()),
        ("print(x)", "b"),
        definitions=[
            (2, (1, 1), "numpy", "", "import", "numpy"),
            (2, (2, 2), "registers_itself", "", "import", "registers_itself"),
            (2, (3, 3), "enable_halving_search_cv", "", "import", "sklearn.experimental"),
        ],
    )
    assert texts(pipeline, "a") == {1: "x = 1"}
    assert texts(pipeline, "b") == {2: f"\n{acting}", 3: "print(x)"}


def test_settings_are_repeated_in_the_later_steps_that_they_concern(made: Make) -> None:
    first = "import warnings; warnings.filterwarnings('ignore')\n%load_ext autoreload\n"
    source = f"{first}import pandas as pd\npd.set_option('a', 5)\nimport seaborn as sns\nsns.set()\n%matplotlib inline"
    pipeline = made(
        ("z = 0", "zero"),
        (source, ImportsTag()),
        ("a = 1", "plain"),
        ("b = pd.DataFrame()", "table"),
        ("print(b)", "shows"),
        ("b.plot()", "draws"),
        definitions=[
            (2, (1, 1), "warnings", "", "import", "warnings"),
            (2, (3, 3), "pd", "", "import", "pandas"),
            (2, (5, 5), "sns", "", "import", "seaborn"),
        ],
        facts={4: {"needs": (1,), "definitions": "b"}},
        flows=[("b", 4, 5), ("b", 4, 6)],
    )
    assert texts(pipeline, "zero") == {1: "z = 0"}
    assert texts(pipeline, "plain")[2] == f"{first}\n\n\n\n"
    table = f"{first}import pandas as pd\npd.set_option('a', 5)\n\n\n"
    assert texts(pipeline, "table")[2] == texts(pipeline, "shows")[2] == table
    assert texts(pipeline, "draws")[2] == source


def test_a_setting_runs_once_where_a_step_before_it_set_the_same(made: Make) -> None:
    pipeline = made(
        ("import warnings", ImportsTag()),
        ("warnings.simplefilter('error')", "one"),
        ("warnings.filterwarnings('ignore')", FunctionsTag()),
        ("b = 1", "two"),
        definitions=[(1, (1, 1), "warnings")],
        facts={2: {"sets": "warnings"}, 3: {"sets": "warnings", "needs": (0,)}, 4: {"definitions": "b"}},
    )
    assert names(pipeline) == [("one", (2,)), ("setup", (3,)), ("two", (4,))]
    assert texts(pipeline, "two") == {4: "b = 1"}


def test_what_papermill_injected_overrides_the_default(made: Make) -> None:
    pipeline = made(
        ("lr = 0.1\nscaled = lr * 2", ParametersTag()),
        ("lr = 0.5", InjectedParametersTag()),
        ("a = lr + scaled", "one"),
        parameters=[
            {"name": "scaled", "cell": 1, "line": 2, "is_literal": False, "source": "lr * 2", "reads": "lr"},
            {"name": "lr", "cell": 2, "line": 1, "value": 0.5},
        ],
        uses={"lr": {3}, "scaled": {3}},
    )
    assert texts(pipeline, "one") == {1: "lr = 0.1\nscaled = lr * 2", 2: "lr = 0.5", 3: "a = lr + scaled"}
    assert [block.injects for block in pipeline.step("one").blocks] == [("scaled",), ("lr",), ()]


def test_a_definition_that_shares_its_line_with_other_code_is_cut_out(made: Make) -> None:
    pipeline = made(
        ("import random; random.seed(0); é = 1\nx = [1,\n 2]; import re",),
        ("a = random.random()", "one"),
        definitions=[(1, (1, 1), "random"), (1, (3, 3), "re")],
        facts={1: {"definitions": "x é", "needs": (0,)}, 2: {"definitions": "a", "needs": (0, 1)}},
        flows=[("random", 1, 2, "random")],
    )
    assert names(pipeline) == [("setup", (1,)), ("one", (2,))]
    assert texts(pipeline, "one")[1] == "import random; pass; pass\n\npass; import re"
    assert texts(pipeline, "setup")[1] == "import random; random.seed(0); é = 1\nx = [1,\n 2]; pass"


def test_an_import_that_may_fail_is_repeated_as_a_whole(made: Make) -> None:
    source = "try:\n    import foo\nexcept ImportError:\n    foo = None"
    pipeline = made(
        (source, ImportsTag()), ("x = foo", "one"), definitions=[(1, (1, 4), "foo")], facts={2: {"needs": (0,)}}
    )
    assert names(pipeline) == [("one", (2,))]
    assert texts(pipeline, "one")[1] == source


def test_a_shell_line_in_an_imports_cell_runs_once(made: Make) -> None:
    pipeline = made(
        ("!pip install \\\n  seaborn\nimport os", ImportsTag()),
        ("a = os.name", "one"),
        definitions=[(1, (3, 3), "os")],
        facts={2: {"definitions": "a", "needs": (0,)}},
    )
    assert names(pipeline) == [("setup", (1,)), ("one", (2,))]
    assert texts(pipeline, "setup") == {1: "!pip install \\\n  seaborn\n"}
    assert texts(pipeline, "one") == {1: "\n\nimport os", 2: "a = os.name"}


def test_a_cell_magic_stays_with_what_is_cut_from_its_cell(made: Make) -> None:
    pipeline = made(
        ("%%capture\nimport os\nprint(1)\nimport re", ImportsTag()),
        ("%%bash\nls\npwd", ImportsTag()),
        ("a = os.name", "one"),
        definitions=[(1, (2, 2), "os"), (1, (4, 4), "re")],
        facts={3: {"definitions": "a", "needs": (0,)}},
    )
    assert texts(pipeline, "setup") == {1: "%%capture\n\nprint(1)\n", 2: "%%bash\nls\npwd"}
    assert texts(pipeline, "one") == {1: "%%capture\nimport os\n\n", 3: "a = os.name"}


def test_a_step_gets_only_the_parameters_that_it_uses_and_what_they_are_made_of(made: Make) -> None:
    pipeline = made(
        ("from pathlib import Path\nroot = Path('a')\nlr = 0.1\nscaled = lr * 10\nepochs = 3", ParametersTag()),
        ("a = scaled", "one"),
        ("b = root", "two"),
        definitions=[(1, (1, 1), "Path")],
        parameters=[
            {"name": "root", "cell": 1, "line": 2, "is_literal": False, "source": "Path('a')", "reads": "Path"},
            {"name": "lr", "cell": 1, "line": 3, "value": 0.1},
            {"name": "scaled", "cell": 1, "line": 4, "is_literal": False, "source": "lr * 10", "reads": "lr"},
            {"name": "epochs", "cell": 1, "line": 5, "value": 3},
        ],
        uses={"scaled": {2}, "root": {3}, "lr": set(), "epochs": set()},
        facts={1: {"definitions": "root lr scaled epochs"}, 2: {"definitions": "a"}, 3: {"definitions": "b"}},
    )
    assert names(pipeline) == [("one", (2,)), ("two", (3,))]
    assert pipeline.step("one").parameters == ("scaled",)
    assert texts(pipeline, "one")[1] == "\n\nlr = 0.1\nscaled = lr * 10\n"
    assert texts(pipeline, "two")[1] == "from pathlib import Path\nroot = Path('a')\n\n\n"
    assert [block.injects for block in pipeline.step("one").blocks] == [("scaled",), ()]
    assert roles(pipeline, "one") == {1: "parameters", 2: "code"}
    assert [(parameter.type, parameter.default) for parameter in pipeline.parameters][:2] == [
        (None, "Path('a')"),
        ("float", 0.1),
    ]


def test_a_default_made_of_a_parameter_of_an_earlier_cell_uses_its_given_value(made: Make) -> None:
    pipeline = made(
        ("lr = 0.1", ParametersTag()),
        ("scaled = lr * 10", ParametersTag()),
        ("a = scaled", "one"),
        parameters=[
            {"name": "lr", "cell": 1, "line": 1, "value": 0.1},
            {"name": "scaled", "cell": 2, "line": 1, "is_literal": False, "source": "lr * 10", "reads": "lr"},
        ],
        uses={"lr": {2}, "scaled": {3}},
    )
    step = pipeline.step("one")
    assert step.parameters == ("lr", "scaled")
    assert [(block.cell, block.injects) for block in step.blocks] == [(1, ("lr",)), (2, ("scaled",)), (3, ())]


def test_a_default_that_is_not_repeatable_is_evaluated_once_and_flows(made: Make) -> None:
    pipeline = made(
        ("import time\nlr = 0.1\nt = time.time()\nu = t + lr", ParametersTag()),
        ("a = t", "one"),
        ("b = u + lr", "two"),
        definitions=[(1, (1, 1), "time")],
        parameters=[
            {"name": "lr", "cell": 1, "line": 2, "value": 0.1},
            {"name": "t", "cell": 1, "line": 3, "is_literal": False, "repeatable": False, "source": "time.time()"},
            {"name": "u", "cell": 1, "line": 4, "is_literal": False, "source": "t + lr", "reads": "t lr"},
        ],
        uses={"t": {2}, "u": {3}, "lr": {3}},
        facts={1: {"definitions": "lr t u", "needs": (0,)}, 2: {"definitions": "a"}, 3: {"definitions": "b"}},
    )
    assert names(pipeline) == [("setup", (1,)), ("one", (2,)), ("two", (3,))]
    assert ports(pipeline, "setup") == ([], ["t", "u"])
    assert pipeline.step("setup").parameters == ("t", "u")
    assert pipeline.step("one").parameters == ()
    assert ports(pipeline, "two") == (["u"], ["b"])
    assert pipeline.step("two").parameters == ("lr",)
    assert texts(pipeline, "setup")[1] == "import time\nlr = 0.1\nt = time.time()\nu = t + lr"
    assert texts(pipeline, "two")[1] == "\nlr = 0.1\n\n"
    assert edges(pipeline) == [("setup", "one", "t", "value"), ("setup", "two", "u", "value")]


def test_a_parameter_that_a_step_changed_is_an_input_of_the_later_ones(made: Make) -> None:
    pipeline = made(
        ("layers = [1]", ParametersTag()),
        ("layers.append(2)", "one"),
        ("print(layers)", "two"),
        parameters=[{"name": "layers", "cell": 1, "line": 1, "value": [1]}],
        uses={"layers": {2}},
        facts={2: {"mutations": "layers", "uses": "layers"}, 3: {"uses": "layers"}},
        flows=[("layers", 2, 3, "change")],
    )
    assert pipeline.step("one").parameters == ("layers",)
    assert ports(pipeline, "one") == ([], ["layers"])
    assert ports(pipeline, "two") == (["layers"], [])
    assert pipeline.step("two").parameters == ()
    assert edges(pipeline) == [("one", "two", "layers", "change")]


def test_a_parameter_read_by_a_function_is_used_by_the_steps_that_call_it(made: Make) -> None:
    pipeline = made(
        ("lr = 0.1", ParametersTag()),
        ("def f():\n    return lr", FunctionsTag()),
        ("f()", "one"),
        ("2", "two"),
        definitions=[(2, (1, 2), "f", "lr", "function")],
        parameters=[{"name": "lr", "cell": 1, "line": 1, "value": 0.1}],
        facts={3: {"needs": (0,)}},
    )
    assert pipeline.step("one").parameters == ("lr",)
    assert pipeline.step("two").parameters == ()


def test_functions_are_ports_but_no_names_of_edges(made: Make) -> None:
    pipeline = made(
        ("def f(): pass\nx = 1", "one"),
        ("f(x)", "two"),
        facts={1: {"definitions": "f x", "functions": "f"}},
        flows=[("f", 1, 2, "function"), ("x", 1, 2)],
    )
    assert [(port.name, port.kind) for port in pipeline.step("two").inputs] == [
        ("f", PortKind.FUNCTION),
        ("x", PortKind.VARIABLE),
    ]
    assert ports(pipeline, "one") == ([], ["f", "x"])
    assert edges(pipeline) == [("one", "two", "x", "value")]


def test_a_step_that_no_other_takes_from_gives_all_that_it_binds_or_changes_but_imports(made: Make) -> None:
    pipeline = made(
        ("x = []", "one"),
        ("import os\nx.append(1)\ny = 1\nz = 2\ndel z\ndel w\nw = 3\ndef f(): pass", "two"),
        definitions=[(2, (1, 1), "os")],
        facts={
            1: {"definitions": "x"},
            2: {"definitions": "y z w f", "functions": "f", "mutations": "x os", "deletions": "z w"},
        },
        flows=[("x", 1, 2)],
    )
    assert ports(pipeline, "two")[1] == ["f", "w", "x", "y"]


def test_the_latest_step_that_changed_a_variable_is_its_origin(made: Make) -> None:
    pipeline = made(
        ("x = []", "one"),
        ("x.append(1)", "two"),
        ("print(x)", "three"),
        facts={1: {"definitions": "x"}, 2: {"mutations": "x"}},
        flows=[("x", 1, 2), ("x", 1, 3), ("x", 2, 3, "change", "?")],
    )
    assert [(port.name, port.origin) for port in pipeline.step("three").inputs] == [("x", "two")]
    assert edges(pipeline) == [
        ("one", "two", "x", "value"),
        ("one", "three", "x", "value"),
        ("two", "three", "x", "change"),
    ]
    assert [edge.certain for edge in pipeline.edges] == [True, True, False]


def test_a_step_that_gives_a_variable_changed_through_an_alias_takes_it_too(made: Make) -> None:
    pipeline = made(
        ("x = []; y = x", "one"),
        ("y.append(1)", "two"),
        ("print(x)", "three"),
        facts={1: {"definitions": "x y"}, 2: {"mutations": "y", "uses": "y"}},
        flows=[("y", 1, 2), ("x", 2, 3, "change")],
    )
    assert ports(pipeline, "two") == (["x", "y"], ["x"])
    assert ports(pipeline, "one") == ([], ["x", "y"])


def test_a_changed_module_is_order_and_no_value(made: Make) -> None:
    pipeline = made(
        ("import cfg\ncfg.x = 1", "one"),
        ("print(cfg.x)", "two"),
        definitions=[(1, (1, 1), "cfg")],
        facts={1: {"mutations": "cfg"}, 2: {"needs": (0,)}},
        flows=[("cfg", 1, 2, "change")],
    )
    assert ports(pipeline, "two") == ([], [])
    assert edges(pipeline) == [("one", "two", "", "order")]
    assert texts(pipeline, "two") == {1: "import cfg\n", 2: "print(cfg.x)"}


def test_prev_adds_order_and_no_edge_is_left_out_because_of_a_longer_way(made: Make) -> None:
    pipeline = made(
        ("x = 1", "one"),
        ("y = x", "two"),
        ("print(x, y)", "three", AfterTag("two"), AfterTag("one")),
        ("4", "four", AfterTag("one")),
        flows=[("x", 1, 2), ("x", 1, 3), ("y", 2, 3)],
    )
    assert edges(pipeline) == [
        ("one", "two", "x", "value"),
        ("one", "three", "x", "value"),
        ("one", "four", "", "order"),
        ("two", "three", "y", "value"),
    ]
    assert [edge.declared for edge in pipeline.edges] == [False, True, True, True]
    assert codes(pipeline) == []


def test_what_tags_say_of_a_step_is_merged_over_its_cells(made: Make) -> None:
    secret = SecretTag(secret="s", key="k", variable="V")
    defaults = (TimeoutTag(9.0), ImageTag("other"), CacheTag(True), LabelTag("team", "a"))
    pipeline = made(
        ("1", "one", RetryTag(2), ResourceTag("cpu", "1"), ResourceTag("memory", "1G"), LabelTag("a", "b")),
        ("2", "one", ImageTag("img:1"), secret, ReportTag(True), DescriptionTag("works"), RaisesExceptionTag()),
        ("3", "two"),
        settings=Settings(name="p", step_defaults=defaults),
    )
    one, two = pipeline.steps
    assert (one.retry, one.timeout, one.cache, one.report, one.description) == (2, 9.0, True, True, "works")
    assert one.resources.limits == (("cpu", "1"), ("memory", "1G"))
    assert one.resources.image == "img:1"
    assert one.resources.labels == (("a", "b"), ("team", "a"))
    assert one.resources.secrets == (secret,)
    assert [block.may_raise for block in one.blocks] == [False, True]
    assert (two.retry, two.timeout, two.resources.image) == (0, 9.0, "other")
    assert pipeline.name == "p"


def test_two_gates_of_a_step_have_to_hold_both(made: Make) -> None:
    first, second = GateTag(parse_gate("a >= 1"), "a >= 1"), GateTag(parse_gate("b < 2"), "b < 2")
    pipeline = made(
        ("a = b = 1\nprint(a)\nprint(b)", "one", first, MetricsTag()),
        ("2", "one", second),
    )
    gate = pipeline.step("one").gate
    assert gate is not None
    assert gate.condition == GateAll(terms=(first.condition, second.condition))
    assert pipeline.step("one").metrics == (1,)
    assert codes(pipeline) == []


def test_a_nested_notebook_takes_what_has_the_names_of_its_parameters(made: Make) -> None:
    inner = made(
        ("lr = 1\nx = 2\nz = 3", ParametersTag()),
        ("print(lr, x)", "deep"),
        parameters=[{"name": name, "cell": 1, "line": 1} for name in ("lr", "x", "z")],
    )
    pipeline = made(
        ("lr = 0.1", ParametersTag()),
        ("x = 1", "one"),
        ("", NestedTag(name="sub", path="inner.ipynb")),
        parameters=[{"name": "lr", "cell": 1, "line": 1, "value": 0.1}],
        facts={2: {"definitions": "x"}},
        nested={"inner.ipynb": inner},
    )
    step = pipeline.step("sub")
    assert step.nested is not None
    assert [each.name for each in step.nested.steps] == ["deep"]
    assert ports(pipeline, "sub") == (["x"], [])
    assert step.parameters == ("lr",)
    assert edges(pipeline) == [("one", "sub", "x", "value")]
    assert "nested" in to_json(pipeline)["steps"][1]  # type: ignore[index] # it is a list


def test_variables_flow_into_a_nested_notebook_and_out_of_it(made: Make) -> None:
    inner = made(
        ("data.append(1)", "first"),
        ("total = sum(data)", "second"),
        facts={1: {"mutations": "data"}, 2: {"definitions": "total"}},
    )
    pipeline = made(
        ("data = []", "one"),
        ("", NestedTag(name="sub", path="inner.ipynb")),
        ("print(total, data)", "two"),
        facts={1: {"definitions": "data"}, 2: {"definitions": "total", "mutations": "data"}},
        flows=[("data", 1, 2), ("data", 2, 3, "change"), ("total", 2, 3)],
        nested={"inner.ipynb": inner},
    )
    nested = pipeline.step("sub").nested
    assert nested is not None
    assert [(port.name, port.origin) for port in nested.step("first").inputs] == [("data", None)]
    assert [(port.name, port.origin) for port in nested.step("second").inputs] == [("data", "first")]
    assert ports(nested, "first")[1] == ["data"]
    assert ports(nested, "second")[1] == ["total"]
    assert edges(nested) == [("first", "second", "data", "change")]
    assert ports(pipeline, "two") == (["data", "total"], [])
