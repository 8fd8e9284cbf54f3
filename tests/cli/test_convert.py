from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from nb2pipe.cli.app import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, list[tuple[list[str], str]]], Path]


def invoke(*words: object) -> Result:
    """The program, in this process."""
    return CliRunner().invoke(cli, [str(word) for word in words])


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_notebook_becomes_a_folder_with_all_that_the_interface_names(notebook: Path) -> None:
    result = invoke("convert", notebook)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "2 steps, all plain functions" in result.stdout
    made = tree(notebook.parent / "small_pipeline")
    assert {
        "small_pipeline/__init__.py",
        "small_pipeline/__main__.py",
        "small_pipeline/definitions.py",
        "small_pipeline/steps/load.py",
        "small_pipeline/steps/train.py",
        "small_pipeline/_vendor/nb2pipe/__init__.py",
        "pipeline.json",
        "bundle.json",
        "requirements.txt",
        "requirements.lock",
        "Dockerfile",
        "README.md",
        "tests/test_steps.py",
        "notebooks/load.ipynb",
        "notebooks/train.ipynb",
    } <= made.keys()


def test_a_second_time_changes_nothing(notebook: Path) -> None:
    invoke("convert", notebook, "-o", "made")
    before = tree(notebook.parent / "made")
    result = invoke("convert", notebook, "-o", "made")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "made was up to date")
    assert tree(notebook.parent / "made") == before


def test_steps_in_namespace_form_are_named_with_the_reason(write: Write) -> None:
    path = write(
        "odd.ipynb",
        [
            (["step:count", "raises-exception"], "total = 1 / 0"),
            (["step:last"], "print('done')"),
        ],
    )
    result = invoke("convert", path)
    assert result.exit_code == 0
    assert "2 steps, 1 of them plain functions; the others run their cells as top-level code:" in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.startswith("  count: "))
    assert "may raise" in line
    assert "cell 1" in line
    found = json.loads(invoke("convert", path, "--json").stdout)
    assert [(step["name"], step["form"]) for step in found["steps"]] == [("count", "namespace"), ("last", "function")]


def test_for_machines_all_is_one_json_object(notebook: Path) -> None:
    result = invoke("convert", notebook, "-o", "made", "--json")
    found = json.loads(result.stdout)
    assert found["folder"] == "made"
    assert found["package"] == "small_pipeline"
    assert found["written"] == found["files"]
    assert set(found["files"]) == set(tree(notebook.parent / "made"))
    again = json.loads(invoke("convert", notebook, "-o", "made", "--json").stdout)
    assert (again["written"], again["removed"]) == ([], [])


def test_edited_files_are_named_and_kept_without_force(notebook: Path) -> None:
    invoke("convert", notebook, "-o", "made")
    for name in ("README.md", "small_pipeline/steps/train.py"):
        with (notebook.parent / "made" / name).open("a") as stream:
            stream.write("# mine\n")
    notebook.write_text(notebook.read_text().replace("epochs = 2", "epochs = 3"))
    before = tree(notebook.parent / "made")
    result = invoke("convert", notebook, "-o", "made")
    assert result.exit_code == 4
    assert "README.md, small_pipeline/steps/train.py" in result.stderr
    assert "--force" in result.stderr
    assert tree(notebook.parent / "made") == before
    assert invoke("convert", notebook, "-o", "made", "--force").exit_code == 0
    assert "# mine" not in (notebook.parent / "made" / "README.md").read_text()


def test_modules_of_steps_that_are_gone_are_removed(notebook: Path) -> None:
    invoke("convert", notebook, "-o", "made")
    notebook.write_text(notebook.read_text().replace("step:train", "step:fit"))
    result = invoke("convert", notebook, "-o", "made")
    assert result.exit_code == 0
    assert "removed" in result.stdout
    steps = sorted(path.name for path in (notebook.parent / "made/small_pipeline/steps").glob("*.py"))
    assert steps == ["__init__.py", "fit.py", "load.py"]


class TestCheck:
    def test_what_is_up_to_date_ends_with_zero(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made", "--image", "python:3.12-slim")
        result = invoke("convert", "--check", "made")
        assert (result.exit_code, result.stdout) == (0, "made is up to date\n")
        assert json.loads(invoke("convert", "--check", "made", "--json").stdout)["up_to_date"] is True

    def test_what_differs_is_named_and_nothing_is_written(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made")
        notebook.write_text(notebook.read_text().replace("epochs = 2", "epochs = 3"))
        with (notebook.parent / "made/Dockerfile").open("a") as stream:
            stream.write("# mine\n")
        (notebook.parent / "made/README.md").unlink()
        before = tree(notebook.parent / "made")
        result = invoke("convert", "--check", "made")
        assert result.exit_code == 1
        lines = {" ".join(line.split()) for line in result.stdout.splitlines()}
        assert {
            "missing README.md",
            "differs small_pipeline/steps/train.py",
            "differs pipeline.json",
            "edited Dockerfile",
            "mend it: nb2pipe convert small.ipynb -o made --force",
        } <= lines
        assert "the notebook has changed since" in result.stdout
        assert tree(notebook.parent / "made") == before
        found = json.loads(invoke("convert", "--check", "made", "--json").stdout)
        assert (found["missing"], found["edited"]) == (["README.md"], ["Dockerfile"])

    def test_outputs_of_the_notebook_do_not_count(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made")
        content = json.loads(notebook.read_text())
        content["cells"][1]["execution_count"] = 7
        notebook.write_text(json.dumps(content))
        assert invoke("convert", "--check", "made").exit_code == 0

    def test_it_works_from_any_folder(self, notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        invoke("convert", notebook, "-o", "made")
        monkeypatch.chdir(notebook.parent / "made")
        assert invoke("convert", "--check", ".").exit_code == 0
        monkeypatch.chdir("/")
        assert invoke("convert", "--check", notebook.parent / "made").exit_code == 0

    def test_versions_and_types_are_those_of_the_bundle(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made")
        file = notebook.parent / "made/bundle.json"
        content = json.loads(file.read_text())
        assert content["python"].startswith("3.")
        assert content["flags"] == {"image": None, "include": [], "templates": None}
        assert content["notebook"]["path"] == "../small.ipynb"

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--check", "nowhere"], "holds no bundle.json"),
            (["--check", "."], "holds no bundle.json"),
            (["--check", "made", "small.ipynb"], "--check goes without NOTEBOOK"),
            (["--check", "made", "--force", "-o", "x"], "--check goes without --output, --force"),
            (["--check", "made", "--to", "python"], "--check goes without --to"),
            ([], "there is no NOTEBOOK"),
        ],
    )
    def test_what_is_wrong_is_said(self, notebook: Path, words: list[str], said: str) -> None:
        invoke("convert", notebook, "-o", "made")
        result = invoke("convert", *words)
        assert result.exit_code == 2
        assert said in result.stderr
        assert "hint:" in result.stderr

    def test_a_notebook_that_moved_is_said_and_converting_it_again_mends_it(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made")
        (notebook.parent / "sub").mkdir()
        moved = notebook.rename(notebook.parent / "sub" / notebook.name)
        result = invoke("convert", "--check", "made")
        assert result.exit_code == 2
        assert "small.ipynb" in result.stderr
        assert "if it moved: nb2pipe convert NOTEBOOK -o made" in result.stderr
        assert invoke("convert", moved, "-o", "made").exit_code == 0
        assert invoke("convert", "--check", "made").exit_code == 0

    def test_a_damaged_bundle_json_is_an_error_of_the_conversion(self, notebook: Path) -> None:
        invoke("convert", notebook, "-o", "made")
        (notebook.parent / "made/bundle.json").write_text("{")
        result = invoke("convert", "--check", "made")
        assert result.exit_code == 4
        assert "bundle.json cannot be read" in result.stderr


def test_local_modules_and_included_files_come_along(write: Write) -> None:
    path = write(
        "n.ipynb",
        [(["imports"], "import helpers\nimport os"), (["step:a"], "x = helpers.f(open('data/a.csv').read())")],
    )
    folder = path.parent
    (folder / "helpers.py").write_text("import yaml\ndef f(x):\n    return x\n")
    (folder / "data").mkdir()
    (folder / "data/a.csv").write_text("1\n")
    result = invoke("convert", path, "-o", "made")
    assert result.exit_code == 0
    assert "`data/a.csv` is read, and is not part of the bundle (--include 'data/a.csv' copies it)" in result.stdout
    assert tree(folder / "made")["helpers.py"] == (folder / "helpers.py").read_bytes()
    assert [line.partition("==")[0] for line in (folder / "made/requirements.txt").read_text().splitlines()[1:]] == [
        "PyYAML"
    ]
    result = invoke("convert", path, "-o", "made", "--include", "data/*.csv")
    assert "is not part of the bundle" not in result.stdout
    assert tree(folder / "made")["data/a.csv"] == b"1\n"
    assert invoke("convert", "--check", "made").exit_code == 0
    (folder / "data/a.csv").write_text("2\n")
    result = invoke("convert", "--check", "made")
    assert result.exit_code == 1
    assert "mend it: nb2pipe convert n.ipynb -o made --include 'data/*.csv'" in result.stdout
    result = invoke("convert", path, "-o", "made")
    assert "was made with --include data/*.csv before" in result.stderr
    assert not (folder / "made/data").exists()


def test_a_local_file_that_would_replace_ours_is_an_error(write: Write) -> None:
    path = write("n.ipynb", [(["step:a"], "x = 1")])
    (path.parent / "README.md").write_text("")
    result = invoke("convert", path, "--include", "*.md")
    assert result.exit_code == 4
    assert "NB406" in result.stderr
    assert not (path.parent / "n_pipeline").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "pyton"], "did you mean `python`?"),
        (["--image", "a b"], "--image"),
        (["--image", "x\nRUN evil"], "--image"),
        (["--include", "../*"], "--include ../*"),
        (["--include", "nothing*"], "--include nothing*"),
        (["--templates", "nowhere"], "nowhere"),
        (["-o", "small.ipynb"], "small.ipynb"),
    ],
)
def test_what_is_wrong_on_the_command_line_is_said_and_nothing_is_written(
    notebook: Path, words: list[str], said: str
) -> None:
    before = tree(notebook.parent)
    result = invoke("convert", notebook, *words)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert tree(notebook.parent) == before


def test_a_notebook_with_errors_is_not_converted(write: Write) -> None:
    path = write("faulty.ipynb", [(["step:a"], "x = nowhere")])
    result = invoke("convert", path)
    assert result.exit_code == 3
    assert "NB203" in result.stderr
    assert not (path.parent / "faulty_pipeline").exists()


def test_a_template_of_the_users_wins_and_its_mistakes_are_told(notebook: Path) -> None:
    folder = notebook.parent / "mine" / "bundle"
    folder.mkdir(parents=True)
    template = folder / "Dockerfile.jinja"
    template.write_text("FROM scratch\n# {{ title|words }}\n")
    assert invoke("convert", notebook, "-o", "made", "--templates", "mine").exit_code == 0
    assert (notebook.parent / "made/Dockerfile").read_text() == "FROM scratch\n# small\n"
    assert invoke("convert", "--check", "made").exit_code == 0
    template.write_text("{{ nothing }}")
    result = invoke("convert", notebook, "-o", "made", "--templates", "mine")
    assert result.exit_code == 4
    assert "Dockerfile.jinja" in result.stderr


def test_the_image_is_what_was_asked_for_else_that_of_the_oldest_python_that_fits(notebook: Path) -> None:
    invoke("convert", notebook, "-o", "made")
    lines = (notebook.parent / "made/Dockerfile").read_text().splitlines()
    assert "FROM python:3.11-slim" in lines
    invoke("convert", notebook, "-o", "made", "--image", "example.com:5000/team/base@sha256:" + "a" * 64)
    lines = (notebook.parent / "made/Dockerfile").read_text().splitlines()
    assert "FROM example.com:5000/team/base@sha256:" + "a" * 64 in lines
