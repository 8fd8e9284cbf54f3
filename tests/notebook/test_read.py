"""Reading: any file becomes a notebook, or an error that says where and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2pipe.diagnostics import Severity
from nb2pipe.errors import NotebookError, UsageError
from nb2pipe.notebook.model import CellKind, SkipTag, StepTag
from nb2pipe.notebook.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

CELL: dict[str, object] = {
    "cell_type": "code",
    "metadata": {},
    "source": "x = 1",
    "outputs": [],
    "execution_count": None,
}


def document(*cells: object, **changes: object) -> dict[str, object]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)} | changes


def saved(folder: Path, value: object, name: str = "nb.ipynb") -> Path:
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def problem(path: Path) -> NotebookError:
    with pytest.raises(NotebookError) as caught:
        read_notebook(path)
    return caught.value


@pytest.mark.parametrize("minor", [0, 1, 2, 3, 4, 5])
def test_each_minor_version_of_nbformat_4_is_read(minor: int, tmp_path: Path) -> None:
    cells = [CELL, {"cell_type": "markdown", "metadata": {}, "source": ["# a\n", "b"]}]
    notebook, report = read_notebook(saved(tmp_path, document(*cells, nbformat_minor=minor)))
    assert [(cell.position, cell.kind, cell.source) for cell in notebook.cells] == [
        (1, CellKind.CODE, "x = 1"),
        (2, CellKind.MARKDOWN, "# a\nb"),
    ]
    assert len(report) == 0


def test_a_notebook_that_nbformat_writes_is_read(tmp_path: Path) -> None:
    import nbformat

    nb = nbformat.v4.new_notebook()
    nb.cells = [
        nbformat.v4.new_code_cell("a = 1\nb = 2", metadata={"tags": ["step:one"]}),
        nbformat.v4.new_markdown_cell("text"),
        nbformat.v4.new_raw_cell("raw"),
    ]
    nb.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, tmp_path / "a.ipynb")
    notebook, report = read_notebook(tmp_path / "a.ipynb")
    assert [cell.id for cell in notebook.cells] == [cell["id"] for cell in nb.cells]
    assert [cell.python for cell in notebook.cells] == ["a = 1\nb = 2", "", ""]
    assert notebook.kernel.name == "python3"
    assert notebook.cells[0].tags == (StepTag("one"),)
    assert notebook.stem == "a"
    assert len(report) == 0


def test_cells_without_ids_get_stable_ones(tmp_path: Path) -> None:
    cells = [CELL, CELL, CELL | {"source": "y = 2"}]
    first, _ = read_notebook(saved(tmp_path, document(*cells)))
    second, _ = read_notebook(saved(tmp_path, document(CELL | {"source": "new"}, *cells)))
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == 3
    assert [cell.id for cell in second.cells][1:] == ids


@pytest.mark.parametrize("wrong", [7, None, "", "a b", "x" * 65, ["a"]])
def test_ids_that_cannot_be_used_are_mended(wrong: object, tmp_path: Path) -> None:
    notebook, _ = read_notebook(saved(tmp_path, document(CELL | {"id": wrong}, CELL | {"id": "fine"})))
    assert notebook.cells[1].id == "fine"
    assert notebook.cells[0].id not in ("fine", wrong, "")


def test_duplicates_of_ids_are_mended(tmp_path: Path) -> None:
    notebook, _ = read_notebook(saved(tmp_path, document(*(CELL | {"id": "same"} for _ in range(3)))))
    ids = [cell.id for cell in notebook.cells]
    assert ids[0] == "same"
    assert len(set(ids)) == 3


def test_the_digest_does_not_see_outputs_and_sees_the_rest(tmp_path: Path) -> None:
    def digest(*cells: object, **changes: object) -> str:
        return read_notebook(saved(tmp_path, document(*cells, **changes)))[0].digest.hex

    plain = digest(CELL)
    output = {"output_type": "stream", "name": "stdout", "text": "hello"}
    assert digest(CELL | {"outputs": [output], "execution_count": 3, "id": "a"}) == plain
    others = [
        digest(CELL | {"source": "x = 2"}),
        digest(CELL | {"metadata": {"tags": ["step:a"]}}),
        digest(CELL | {"cell_type": "raw"}),
        digest(CELL, metadata={"nb2pipe": {"name": "a"}}),
        digest(CELL, metadata={"kernelspec": {"name": "other"}}),
        digest(CELL, CELL),
    ]
    assert len({plain, *others}) == 7


def test_a_file_with_large_outputs_is_read_and_they_are_dropped(tmp_path: Path) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": ["a" * 99 + "\n"] * 100_000}
    path = saved(tmp_path, document(*(CELL | {"outputs": [output]} for _ in range(2))))
    assert path.stat().st_size > 20_000_000
    notebook, report = read_notebook(path)
    assert len(notebook.cells) == 2
    assert len(repr(notebook)) < 3_000
    assert len(report) == 0


def test_a_thousand_cells_are_read_quickly_and_in_linear_time(tmp_path: Path) -> None:
    def seconds(count: int) -> float:
        sources = (f"import numpy as np\nx{i} = np.arange({i})\n!ls {{x{i}}}\n" for i in range(count))
        path = saved(tmp_path, document(*(CELL | {"source": source} for source in sources)))
        start = time.process_time()
        read_notebook(path)
        return time.process_time() - start

    assert seconds(1000) < 2
    assert min(seconds(1600) for _ in range(3)) < 12 * min(seconds(400) for _ in range(3))


def test_reading_a_notebook_imports_no_heavy_library(tmp_path: Path) -> None:
    path = saved(tmp_path, document(CELL | {"source": "%matplotlib inline\n!ls"}))
    program = (
        "import sys, pathlib; from nb2pipe.notebook.read import read_notebook as read; read(pathlib.Path(sys.argv[1]));"
        "print([m for m in ('nbformat', 'jupytext', 'IPython', 'papermill', 'yaml', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


BAD_FILES = {
    "empty.ipynb": (b"", "is empty"),
    "blank.ipynb": (b" \n\n", "is empty"),
    "broken.ipynb": (b'{"cells": [\n  {"a": }', "line 2, column 9"),
    "cut.ipynb": (json.dumps(document(CELL)).encode()[:60], "broken JSON: line 1, column"),
    "conflict.ipynb": (b'{\n<<<<<<< HEAD\n "cells": []\n=======\n', "broken JSON: line 2"),
    "lfs.ipynb": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "broken JSON"),
    "bom.ipynb": (b"\xef\xbb\xbf{}", "byte order mark"),
    "utf16.ipynb": ('{"cells": []}'.encode("utf-16"), "not encoded in UTF-8"),
    "latin1.ipynb": ('{"cells":\n ["\xe9"]}'.encode("latin-1"), "line 2, byte 4"),
    "binary.ipynb": (bytes(range(256)) * 4, "binary file"),
    "list.ipynb": (b"[]", "not an object"),
    "number.ipynb": (b"1", "not an object"),
    "text.txt": (b"hello", "its ending is `.txt`"),
    "none": (b"{}", "its ending is ``"),
    "empty.py": (b"", "is empty"),
    "binary.py": (b"x = 1\0", "binary file"),
    "latin1.py": (b"# %%\nx = '\xe9'", "cannot be decoded"),
    "cookie.py": (b"# coding: nonsense\nx = 1", "cannot be decoded"),
    "marimo.py": (b"import marimo\napp = marimo.App()\n@app.cell\ndef f(): pass\n", "format marimo"),
    "header.py": (b"# ---\n# jupyter:\n#   a: [\n# ---\n\n# %%\nx = 1\n", "jupytext notebook"),
    "deep.ipynb": (b"[" * 100_000, "nested too deeply"),
    "long.ipynb": (b'{"nbformat": ' + b"1" * 5000 + b"}", "too long"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_notebook_is_an_error_with_a_hint(name: str, tmp_path: Path) -> None:
    data, says = BAD_FILES[name]
    (tmp_path / name).write_bytes(data)
    error = problem(tmp_path / name)
    assert says in error.message
    assert name in error.message
    assert error.hint
    assert error.exit_code == 3


BAD_DOCUMENTS: dict[str, tuple[object, str]] = {
    "nbformat 3": ({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}, "nbformat 3"),
    "nbformat 5": (document(nbformat=5), "nbformat 5"),
    "no nbformat": ({"cells": []}, "does not say its `nbformat`"),
    "nbformat true": (document(nbformat=True), "does not say its `nbformat`"),
    "nbformat text": (document(nbformat="4"), "does not say its `nbformat`"),
    "metadata": (document(metadata=[]), "`metadata` is not an object"),
    "cells": (document(cells={}), "`cells` is not a list"),
    "no cells": ({"nbformat": 4, "nbformat_minor": 5, "metadata": {}}, "no `cells`"),
    "cell": (document(CELL, 3), "cell 2 is not an object"),
    "source number": (document(CELL | {"source": 3}), "the source of cell 1"),
    "source numbers": (document(CELL | {"source": ["a", 3]}), "the source of cell 1"),
    "no source": (document({"cell_type": "code", "metadata": {}}), "the source of cell 1"),
    "half a character": (document(CELL | {"source": "'\ud800'"}), "half a character"),
    "kind": (document(CELL | {"cell_type": "heading"}), "unknown type"),
    "kind list": (document(CELL | {"cell_type": ["code"]}), "unknown type"),
    "cell metadata": (document(CELL | {"metadata": 3}), "the metadata of cell 1"),
    "R": (document(metadata={"kernelspec": {"name": "ir", "language": "R"}}), "in R, not in Python"),
    "R by name": (document(metadata={"kernelspec": {"name": "ir"}}), "in R, not in Python"),
    "Julia": (document(metadata={"language_info": {"name": "julia"}}), "in julia, not in Python"),
    "Julia by name": (document(metadata={"kernelspec": {"name": "julia-1.10"}}), "in Julia, not in Python"),
}


@pytest.mark.parametrize("name", BAD_DOCUMENTS)
def test_a_document_that_is_no_python_notebook_is_an_error_with_a_hint(name: str, tmp_path: Path) -> None:
    value, says = BAD_DOCUMENTS[name]
    error = problem(saved(tmp_path, value))
    assert says in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("said", "known"),
    [("3.12.4", "3.12"), ("3.13", "3.13"), ("3.12rc1", None), ("2.7.18", None), (3, None), (None, None)],
)
def test_the_python_that_saved_a_notebook_is_known_where_it_says_so(
    said: object, known: str | None, tmp_path: Path
) -> None:
    metadata = {"language_info": {"name": "python", "version": said}}
    notebook, report = read_notebook(saved(tmp_path, document(CELL, metadata=metadata)))
    assert (notebook.kernel.version, tuple(report)) == (known, ())


def test_an_old_notebook_is_told_how_to_become_a_new_one(tmp_path: Path) -> None:
    error = problem(saved(tmp_path, {"nbformat": 3, "worksheets": []}))
    assert error.hint is not None
    assert "jupyter nbconvert --to notebook --inplace" in error.hint


@pytest.mark.parametrize("tags", ["step:load", 3, {"a": 1}, ["step:load", 3], [None], [["step:a"]]])
def test_tags_that_are_no_texts_are_an_error_with_their_place(tags: object, tmp_path: Path) -> None:
    _, report = read_notebook(saved(tmp_path, document(CELL, CELL | {"metadata": {"tags": tags}})))
    assert [(item.code, item.severity, item.location.position) for item in report] == [("NB105", Severity.ERROR, 2)]


def test_a_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_text("{}")
    with pytest.raises(UsageError, match="there is no notebook") as caught:
        read_notebook(tmp_path / "trian.ipynb")
    assert caught.value.exit_code == 2
    assert "train.ipynb" in str(caught.value.hint)
    with pytest.raises(UsageError, match="there is no notebook"):
        read_notebook(tmp_path / "folder" / "train.ipynb")


@pytest.mark.parametrize("name", ["a\0b.ipynb", "x" * 5000 + ".ipynb", "\ud800.ipynb"])
def test_a_path_that_cannot_exist_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, NotebookError)):
        read_notebook(tmp_path / name)


def test_a_folder_and_a_pipe_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder.ipynb").mkdir()
    assert "is a folder" in problem(tmp_path / "folder.ipynb").message
    os.mkfifo(tmp_path / "pipe.ipynb")
    assert "no regular file" in problem(tmp_path / "pipe.ipynb").message


def test_a_syntax_error_has_cell_line_and_column_and_the_cell_reads_as_empty(write: Write) -> None:
    notebook, report = read_notebook(write("a = 1", "b = 2\nc = (3,\n"))
    (item,) = report
    assert (item.code, item.severity) == ("NB110", Severity.ERROR)
    place = item.location
    assert (place.position, place.line, place.column, place.source_line) == (2, 2, 5, "c = (3,")
    assert place.cell == notebook.cells[1].id
    assert notebook.cells[1].python == ""
    assert notebook.cells[1].source == "b = 2\nc = (3,\n"


def test_automagic_is_explained(write: Write) -> None:
    _, report = read_notebook(write("x = 1\ncd data"))
    assert report.diagnostics[0].hint == "write `%cd`: magics without a percent sign are not understood here"


def test_await_at_top_level_is_fine(write: Write) -> None:
    assert len(read_notebook(write("import asyncio\nawait asyncio.sleep(0)\nx = [i async for i in f()]"))[1]) == 0


@pytest.mark.parametrize("source", ["%run other.py", "%reset -f", "%%cython\ndef f(): pass", "%store -r"])
def test_a_magic_that_hides_names_is_a_warning(source: str, write: Write) -> None:
    _, report = read_notebook(write(source))
    assert [(item.code, item.severity, item.location.line) for item in report] == [("NB111", Severity.WARNING, 1)]


def test_a_cell_magic_below_the_first_line_is_a_warning(write: Write) -> None:
    _, report = read_notebook(write("# slow\n%%time\nx = 1"))
    assert [(item.code, item.location.line, item.location.source_line) for item in report] == [("NB112", 2, "%%time")]


def test_a_skipped_cell_is_not_checked(write: Write) -> None:
    cell = CELL | {"source": "no python (\n", "metadata": {"tags": ["skip", "retry:1", "step:a", "step:b"]}}
    notebook, report = read_notebook(write(cell, "x = 1"))
    assert len(report) == 0
    assert notebook.cells[0].has(SkipTag)


def test_shell_commands_read_only_names_that_the_notebook_binds(write: Write) -> None:
    notebook, _ = read_notebook(write("folder = 'a'", "!ls {folder} $folder", "!ls {other}", "!ls $HOME"))
    assert [cell.python for cell in notebook.cells] == ["folder = 'a'", "str((folder))", "pass", "pass"]


def test_diagnostics_know_the_step_of_their_cell(write: Write) -> None:
    tagged = CELL | {"metadata": {"tags": ["step:load"]}}
    _, report = read_notebook(write(tagged, "x = ("))
    assert [(item.location.position, item.location.step) for item in report] == [(2, "load")]


PERCENT = """\
# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   nb2pipe:
#     name: digits
# ---

# %% tags=["parameters"]
lr = 0.1

# %% [markdown]
# # A title

# %% tags=["step:train", "limit:cpu:2"]
# %matplotlib inline
x = lr


print(x)
"""

LIGHT = """\
# A title

# + tags=["step:load"]
x = 1


print(x)
# -

y = 2
"""


def test_a_percent_script_keeps_its_tags_and_metadata(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PERCENT)
    notebook, report = read_notebook(tmp_path / "a.py")
    assert [(cell.kind, cell.raw_tags) for cell in notebook.cells] == [
        (CellKind.CODE, ("parameters",)),
        (CellKind.MARKDOWN, ()),
        (CellKind.CODE, ("step:train", "limit:cpu:2")),
    ]
    assert notebook.cells[2].source == "%matplotlib inline\nx = lr\n\n\nprint(x)"
    assert notebook.kernel.name == "python3"
    assert notebook.settings.name == "digits"
    assert len(report) == 0


def test_a_light_script_keeps_its_tags(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(LIGHT)
    notebook, _ = read_notebook(tmp_path / "a.py")
    assert [(cell.kind, cell.source, cell.raw_tags) for cell in notebook.cells] == [
        (CellKind.MARKDOWN, "A title", ()),
        (CellKind.CODE, "x = 1\n\n\nprint(x)", ("step:load",)),
        (CellKind.CODE, "y = 2", ()),
    ]


def test_a_script_has_the_same_ids_each_time(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(PERCENT)
    first, second = (read_notebook(tmp_path / "a.py")[0] for _ in range(2))
    assert first == second


def test_a_script_that_is_no_notebook_is_one_cell(tmp_path: Path) -> None:
    source = "import sys\n\n# a comment\n\n\ndef f():\n    return 1\n\n\nprint(f())"
    (tmp_path / "a.py").write_bytes(source.replace("\n", "\r\n").encode("utf-8-sig"))
    notebook, report = read_notebook(tmp_path / "a.py")
    assert [cell.source.lstrip("\ufeff") for cell in notebook.cells] == [source]
    assert notebook.cells[0].python == source
    assert len(report) == 0


def test_hostile_texts_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    cell = CELL | {"metadata": {"tags": ["step:\x1b[31m" + "x" * 1000, "retry:\u202e1"]}}
    _, report = read_notebook(saved(tmp_path, document(cell, metadata={"nb2pipe": {"\x07name": 1}})))
    texts = [text for item in report for text in (item.message, item.hint or "")]
    assert len(report) == 3
    assert all(text.isprintable() and len(text) < 400 for text in texts)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from(
    ["step:a", "step:b", "skip", "parameters", "pipeline-metrics", "retry:x", "notebook:n", "gate:a > 1"]
)
CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw"]) | JSON, "source": st.text() | JSON},
    optional={
        "id": st.text(max_size=3) | JSON,
        "outputs": JSON,
        "metadata": st.fixed_dictionaries({}, optional={"tags": st.lists(TAGS) | JSON, "notebook_path": JSON}) | JSON,
    },
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "nb2pipe": st.dictionaries(
            st.sampled_from(["name", "description", "defaults", "schedule", "timezone", "owner"]), JSON
        )
        | JSON,
        "kubeflow_notebook": st.dictionaries(
            st.sampled_from(["pipeline_name", "volumes", "steps_defaults", "timeout", "experiment", "docker_image"]),
            JSON,
        )
        | JSON,
        "kernelspec": JSON,
        "language_info": JSON,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"nbformat": st.just(4), "cells": st.lists(CELLS, max_size=4) | JSON, "metadata": METADATA | JSON}
)

ANY_NUMBER_OF_FILES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read_or_refuse(path: Path) -> None:
    """Anything but one of our own errors fails the test."""
    try:
        read_notebook(path)
    except (NotebookError, UsageError) as error:
        refusal = error
    else:
        return
    assert refusal.message.isprintable()


@ANY_NUMBER_OF_FILES
@given(value=JSON | DOCUMENTS)
def test_any_json_is_a_notebook_or_an_error(value: object, tmp_path: Path) -> None:
    read_or_refuse(saved(tmp_path, value))


@ANY_NUMBER_OF_FILES
@given(data=st.binary())
def test_any_bytes_are_a_notebook_or_an_error(data: bytes, tmp_path: Path) -> None:
    for name in ("a.ipynb", "a.py"):
        (tmp_path / name).write_bytes(data)
        read_or_refuse(tmp_path / name)


@ANY_NUMBER_OF_FILES
@given(lines=st.lists(st.sampled_from(PERCENT.split("\n") + LIGHT.split("\n") + ["'''", '"', "# %% {a: [", "#"])))
def test_any_mixture_of_lines_is_a_script_or_an_error(lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("\n".join(lines))
    read_or_refuse(tmp_path / "a.py")
