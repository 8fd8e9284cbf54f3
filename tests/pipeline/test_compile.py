from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from nb2pipe.diagnostics import Severity
from nb2pipe.errors import NotebookError, UsageError
from nb2pipe.pipeline.blocks import block_text
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.pipeline.graph import to_html, to_json, to_svg

EXAMPLES = Path(__file__).parents[2] / "example_notebooks"


def write(path: Path, *cells: tuple[object, ...], **metadata: object) -> Path:
    notebook = nbformat.v4.new_notebook(metadata=metadata)
    for source, *tags in cells:
        made = {"tags": [tag for tag in tags if isinstance(tag, str)]}
        for extra in tags:
            made |= extra if isinstance(extra, dict) else {}
        notebook.cells.append(nbformat.v4.new_code_cell(source, metadata=made))
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.mark.parametrize("name", ["digits", "survey", "tour"])
def test_the_examples_compile_without_errors_and_warnings(name: str) -> None:
    pipeline = compile_notebook(EXAMPLES / f"{name}.ipynb")
    assert [item for item in pipeline.report if item.severity is not Severity.INFO] == []
    assert to_svg(pipeline)
    assert to_html(pipeline)


def test_digits_is_the_pipeline_that_its_tags_and_its_code_say() -> None:
    pipeline = compile_notebook(EXAMPLES / "digits.ipynb")
    names = [step.name for step in pipeline.steps]
    assert names == ["data", "train", "evaluate", "plot", "publish"]
    edges = {(edge.source, edge.target): edge for edge in pipeline.edges}
    assert edges["data", "train"].names == ("train_ds",)
    assert "net" in edges["train", "evaluate"].names
    assert set(pipeline.step("train").parameters) == {
        "lr",
        "momentum",
        "epochs",
        "batch_size",
        "hidden",
        "random_state",
    }
    assert pipeline.step("evaluate").gate is not None


def test_the_tours_nested_notebook_takes_and_gives_variables() -> None:
    pipeline = compile_notebook(EXAMPLES / "tour.ipynb")
    step = pipeline.step("halving")
    assert [port.name for port in step.inputs] == ["big"]
    assert [port.name for port in step.outputs] == ["halves"]
    assert step.parameters == ("factor",)
    assert step.nested is not None
    assert [port.name for port in step.nested.step("given").inputs] == ["big"]


def test_a_nested_notebook_that_uses_what_nobody_gives_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "inner.ipynb", ("print(given)\nprint(missing)", "step:deep"))
    outer = write(
        tmp_path / "outer.ipynb",
        ("given = 1", "step:one"),
        ("", "notebook:sub", {"notebook_path": "inner.ipynb"}),
    )
    (error,) = compile_notebook(outer).report.errors
    assert error.code == "NB203"
    assert "`missing`" in error.message
    assert error.location.notebook.endswith("inner.ipynb")


def test_a_step_gets_only_the_definitions_that_it_needs(tmp_path: Path) -> None:
    path = write(
        tmp_path / "n.ipynb",
        ("import math\nimport json", "imports"),
        ("def half(x):\n    return math.floor(x / 2)\ndef text(x):\n    return json.dumps(x)", "functions"),
        ("x = half(9)", "step:one"),
        ("y = text(x)", "step:two"),
    )
    pipeline = compile_notebook(path)
    texts = {
        step.name: "\n".join(block_text(pipeline.notebook.cell(block.cell), block) for block in step.blocks)
        for step in pipeline.steps
    }
    assert "import math" in texts["one"]
    assert "json" not in texts["one"]
    assert "def text" in texts["two"]
    assert "math" not in texts["two"]


def test_changes_through_aliases_make_new_versions(tmp_path: Path) -> None:
    path = write(tmp_path / "n.ipynb", ("x = [1]\ny = x", "step:a"), ("y.append(2)", "step:b"), ("print(x)", "step:c"))
    found = to_json(compile_notebook(path))
    assert found["steps"][2]["inputs"] == ["x"]  # type: ignore[index] # a list of steps
    assert [(edge["source"], edge["target"]) for edge in found["edges"]] == [("a", "b"), ("b", "c")]  # type: ignore[attr-defined] # a list of edges


def test_a_missing_file_and_one_that_is_no_notebook_raise(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        compile_notebook(tmp_path / "no.ipynb")
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{", "utf-8")
    with pytest.raises(NotebookError):
        compile_notebook(broken)


def test_compiling_runs_nothing(tmp_path: Path) -> None:
    target = tmp_path / "written"
    path = write(tmp_path / "n.ipynb", (f"open({str(target)!r}, 'w').write('x')\n1 / 0", "step:a"))
    compile_notebook(path)
    assert not target.exists()


def test_a_thousand_cells_are_compiled(tmp_path: Path) -> None:
    cells = [(f"x{number} = [{number}]\nx{number}.append(1)", f"step:s{number // 10}") for number in range(1000)]
    path = write(tmp_path / "n.ipynb", *cells)
    pipeline = compile_notebook(path)
    assert len(pipeline.steps) == 100
