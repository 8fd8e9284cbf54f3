from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import nb2pipe
from nb2pipe.bundles.write import changes, write
from nb2pipe.errors import ConversionError, UsageError
from nb2pipe.pipeline.schema_reader import read_pipeline

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_is_written_and_all_that_would_be_is_there(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(notebook.parent)
    before = sorted(notebook.parent.rglob("*"))
    bundle = nb2pipe.emit(nb2pipe.load(notebook))
    assert sorted(notebook.parent.rglob("*")) == before
    assert repr(bundle) == f"<Bundle for python, {len(bundle.paths)} files>"
    assert set(json.loads(bundle.text("bundle.json"))["files"]) == set(bundle.paths) - {"bundle.json"}
    assert "numpy==" in bundle.text("requirements.txt")
    assert "helpers.py" in bundle.paths
    with pytest.raises(KeyError):
        bundle.text("nowhere")


def test_twice_gives_the_same_bytes(notebook: Path) -> None:
    assert nb2pipe.emit(notebook, folder="made").files == nb2pipe.emit(str(notebook), folder="made").files


def test_what_modules_cannot_hold_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "n.py"
    path.write_text('# %% tags=["step:a"]\nx = 1\n# %run other.py\n', "utf-8")
    with pytest.raises(ConversionError) as error:
        nb2pipe.emit(path)
    assert error.value.report is not None
    assert [(each.code, each.location.position, each.location.line) for each in error.value.report.errors] == [
        ("NB400", 1, 2)
    ]


def test_an_unknown_target_is_told(notebook: Path) -> None:
    with pytest.raises(UsageError, match="there is no target named `pyhton`"):
        nb2pipe.emit(notebook, target="pyhton")


def test_a_bundle_in_the_notebooks_folder_copies_nothing_onto_itself(notebook: Path) -> None:
    folder = notebook.parent
    helpers = (folder / "helpers.py").read_bytes()
    bundle = nb2pipe.emit(notebook, folder=folder, include=("data/*",))
    assert bundle.copies == ()
    write(bundle, folder)
    assert changes(bundle, folder).paths == ()
    notebook.write_text(notebook.read_text("utf-8").replace("import helpers\\n", "").replace("helpers.double", "float"))
    done = write(nb2pipe.emit(notebook, folder=folder), folder)
    assert done.removed == ()
    assert (folder / "helpers.py").read_bytes() == helpers


def test_a_jupytext_script_is_converted_as_a_notebook_is(tmp_path: Path) -> None:
    (tmp_path / "n.py").write_text('# %% tags=["step:one"]\nx = 1\n# %% tags=["step:two"]\nprint(x)\n', "utf-8")
    bundle = nb2pipe.emit(tmp_path / "n.py", folder=tmp_path / "made")
    assert "n_pipeline/steps/two.py" in bundle.paths
    assert json.loads(bundle.text("bundle.json"))["notebook"]["path"] == "../n.py"


def test_a_default_of_each_type_stands_in_module_and_notebook(tmp_path: Path, write_notebook: Any) -> None:
    defaults = {
        "a": "{1, 2}",
        "b": "{'x': (1,)}",
        "c": "[True, None]",
        "d": "b'x'",
        "e": "-1e3",
        "f": "set()",
        "h": "1e400",
        "i": "...",
        "g": "2j",
    }
    names = [(["parameters"], "\n".join(f"{name} = {text}" for name, text in defaults.items()))]
    path = write_notebook(tmp_path / "n.ipynb", [*names, (["step:one"], f"x = [{', '.join(defaults)}]")])
    made = nb2pipe.emit(nb2pipe.load(path))
    again = read_pipeline(made.text("pipeline.json").encode(), tmp_path / "pipeline.json", tmp_path)
    assert again.pipeline.parameters == nb2pipe.load(path).parameters
    first = json.loads(made.text("notebooks/one.ipynb"))["cells"][1]["source"]
    space: dict[str, object] = {}
    exec("".join(first), space)
    assert space["i"] is ...  # it is none: the author's cell makes it
    assert {name: space[name] for name in defaults} == {name: eval(text) for name, text in defaults.items()}


@pytest.mark.parametrize(
    ("stem", "package"),
    [
        ("async", "async_pipeline"),
        ("MyModel", "MyModel_pipeline"),
        ("01 train-it", "_01_train_it_pipeline"),
        ("e\N{COMBINING ACUTE ACCENT}t\N{LATIN SMALL LIGATURE FI}", "\N{LATIN SMALL LETTER E WITH ACUTE}tfi_pipeline"),
        ("-", "notebook_pipeline"),
    ],
)
def test_the_package_has_the_notebooks_name_as_an_identifier(
    tmp_path: Path, stem: str, package: str, write_notebook: Any
) -> None:
    path = write_notebook(tmp_path / f"{stem}.ipynb", [([], "x = 1")])
    assert nb2pipe.emit(nb2pipe.load(path)).plan.name == package
