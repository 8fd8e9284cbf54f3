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


@pytest.fixture
def faulty(write: Write) -> Path:
    return write("faulty.ipynb", [(["step:a"], "x = 1"), (["step:b", "prev:nowhere"], "y = missing_name\n")])


class TestCheck:
    def test_a_clean_notebook_has_no_problems(self, notebook: Path) -> None:
        result = invoke("check", notebook)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "error" not in result.stdout

    def test_errors_are_told_with_place_and_the_exit_code_is_three(self, faulty: Path) -> None:
        result = invoke("check", faulty)
        assert result.exit_code == 3
        assert "error[NB" in result.stdout
        assert f"--> {faulty}, cell 2 (step `b`)" in result.stdout
        assert result.stdout.splitlines()[-1].startswith(("1 error", "2 errors"))

    def test_for_machines_all_is_one_json_object(self, faulty: Path) -> None:
        for words in (["--json"], ["--format", "json"]):
            result = invoke("check", faulty, *words)
            assert result.exit_code == 3
            found = json.loads(result.stdout)
            assert found["schema"] == 1
            keys = {"code", "severity", "message", "cell", "line", "column", "step", "hint"}
            assert all(keys == each.keys() for each in found["diagnostics"])

    def test_sarif_is_offered(self, faulty: Path) -> None:
        found = json.loads(invoke("check", faulty, "--format", "sarif").stdout)
        assert found["version"] == "2.1.0"
        assert found["runs"][0]["results"]

    def test_strict_makes_warnings_errors(self, write: Write) -> None:
        path = write("warn.ipynb", [(["steps:a"], "x = 1")])
        assert invoke("check", path).exit_code == 0
        assert invoke("check", path, "--strict").exit_code == 3

    def test_quiet_tells_errors_only(self, notebook: Path, faulty: Path) -> None:
        assert invoke("check", notebook, "-q").stdout == ""
        assert "error[NB" in invoke("check", faulty, "-q").stdout

    @pytest.mark.parametrize(
        ("content", "code"),
        [(None, 2), ("", 3), ("{", 3), ('{"nbformat": 3, "worksheets": []}', 3), ("[1]", 3), ("\x00\x01", 3)],
    )
    def test_what_is_no_notebook_is_an_error_and_never_a_traceback(
        self, folder: Path, content: str | None, code: int
    ) -> None:
        path = folder / "odd.ipynb"
        if content is not None:
            path.write_text(content, "utf-8")
        for words in (["check"], ["graph"], ["run"], ["check", "--json"]):
            result = invoke(*words, path)
            assert result.exit_code == code, words
            assert "error" in result.stderr
            assert "odd.ipynb" in result.stderr
            assert "Traceback" not in result.stderr

    def test_for_machines_a_notebook_that_cannot_be_read_has_a_diagnostic(self, folder: Path) -> None:
        (folder / "cut.ipynb").write_text('{"cells": [')
        found = json.loads(invoke("check", "cut.ipynb", "--json").stdout)
        assert [(each["code"], each["severity"], each["cell"]) for each in found["diagnostics"]] == [
            ("NB100", "error", None)
        ]
        assert json.loads(invoke("check", "cut.ipynb", "--format", "sarif").stdout)["runs"][0]["results"]

    def test_a_folder_is_no_notebook(self, folder: Path) -> None:
        result = invoke("check", folder)
        assert result.exit_code in {2, 3}
        assert "Traceback" not in result.stderr

    def test_names_in_the_notebook_cannot_steer_the_terminal(self, write: Write) -> None:
        path = write("evil.ipynb", [(["step:a\x1b[2J"], "x = '\x1b]0;evil\x07'\ny = nowhere")])
        result = invoke("check", path)
        assert "\x1b" not in result.output
        assert "\x07" not in result.output


class TestGraph:
    def test_text_names_the_steps(self, notebook: Path) -> None:
        result = invoke("graph", notebook)
        assert result.exit_code == 0
        assert "load" in result.stdout
        assert "train" in result.stdout

    def test_json_is_the_contract(self, notebook: Path) -> None:
        for words in (["--json"], ["--format", "json"]):
            found = json.loads(invoke("graph", notebook, *words).stdout)
            assert found["name"] == "small"
            assert [step["name"] for step in found["steps"]] == ["load", "train"]
            assert found["steps"][1]["cells"] == [3, 4]
            assert found["edges"][0]["names"] == ["data"]

    @pytest.mark.parametrize(
        ("name", "start"),
        [("g.svg", "<svg"), ("g.html", "<!"), ("g.json", "{"), ("g.mmd", "flowchart"), ("g.txt", "")],
    )
    def test_the_ending_of_the_file_tells_the_format(self, notebook: Path, name: str, start: str) -> None:
        result = invoke("graph", notebook, "-o", name)
        assert (result.exit_code, result.stdout) == (0, f"wrote {name}\n")
        text = (notebook.parent / name).read_text("utf-8")
        assert start.lower() in text[:200].lower()
        assert text.endswith("\n")

    def test_an_ending_that_tells_nothing_needs_a_format(self, notebook: Path) -> None:
        result = invoke("graph", notebook, "-o", "g.png")
        assert result.exit_code == 2
        assert ".svg" in result.stderr
        assert invoke("graph", notebook, "-o", "g.png", "--format", "svg").exit_code == 0

    def test_a_file_that_cannot_be_written_is_an_error(self, notebook: Path) -> None:
        (notebook.parent / "file").write_text("here", "utf-8")
        result = invoke("graph", notebook, "-o", "file/g.svg")
        assert result.exit_code == 2
        assert "cannot be written" in result.stderr
        assert (notebook.parent / "file").read_text("utf-8") == "here"

    def test_a_notebook_with_errors_draws_nothing(self, faulty: Path) -> None:
        (faulty.parent / "g.svg").write_text("old", "utf-8")
        result = invoke("graph", faulty, "-o", "g.svg")
        assert result.exit_code == 3
        assert "error[NB" in result.stderr
        assert (faulty.parent / "g.svg").read_text("utf-8") == "old"


class TestDryRun:
    def test_it_shows_the_plan_and_leaves_nothing(self, notebook: Path) -> None:
        before = sorted(path.name for path in notebook.parent.iterdir())
        result = invoke("run", notebook, "--dry-run", "-p", "lr", "1")
        assert result.exit_code == 0
        rows = {line.split()[0]: line for line in result.stdout.splitlines() if line}
        assert "lr=1.0" in rows["train"]
        assert "load" in rows["train"]
        assert sorted(path.name for path in notebook.parent.iterdir()) == before

    def test_for_machines_it_is_json(self, notebook: Path) -> None:
        found = json.loads(
            invoke("run", notebook, "--dry-run", "--json", "-y", "{lr: 2, epochs: 1}", "-p", "lr=3").stdout
        )
        steps = {step["name"]: step for step in found["steps"]}
        assert steps["train"]["parameters"] == {"lr": 3.0, "epochs": 1}
        assert steps["train"]["after"] == ["load"]

    def test_parameters_come_from_file_then_text_then_words(self, notebook: Path) -> None:
        (notebook.parent / "p.json").write_text('{"lr": 1, "epochs": 7}', "utf-8")
        words = ["-f", "p.json", "-y", "epochs: 8", "-p", "lr", "9"]
        found = json.loads(invoke("run", notebook, "--dry-run", "--json", *words).stdout)
        train = next(step for step in found["steps"] if step["name"] == "train")
        assert train["parameters"] == {"lr": 9.0, "epochs": 8}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["-p", "lrr", "1"], "did you mean `lr`?"),
            (["-p", "lr", "much"], "`lr`"),
            (["-p", "epochs", "1.5"], "`epochs`"),
            (["-p", "epochs", "true"], "`epochs`"),
            (["-p", "lr"], "lr"),
            (["-p", "lr", "-p", "epochs", "2"], "`lr` has no value"),
            (["-p", "=3"], "names no parameter"),
            (["-f", "nowhere.yaml"], "nowhere.yaml cannot be read"),
            (["-y", "[1]"], "-y"),
            (["-y", "a: [1"], "-y"),
            (["-j", "0"], "-j"),
            (["--seed", "-1"], "--seed"),
            (["--executor", "papermil"], "did you mean `papermill`?"),
            (["-k", "no-such-kernel"], "no-such-kernel"),
            (["--cwd", "nowhere"], "nowhere"),
            (["out.txt"], "out.txt"),
            (["small.ipynb"], "small.ipynb"),
            (["nowhere/out.ipynb"], "nowhere"),
            (["--seed", "1", "--fresh-random"], "seed"),
        ],
    )
    def test_what_is_wrong_is_said_before_anything_runs(self, notebook: Path, words: list[str], said: str) -> None:
        before = sorted(path.name for path in notebook.parent.iterdir())
        for dry in ([], ["--dry-run"]):
            result = invoke("run", notebook, *words, *dry)
            assert result.exit_code == 2, result.output
            assert said in result.stderr
            assert "hint:" in result.stderr or "cannot be read" in result.stderr
        assert sorted(path.name for path in notebook.parent.iterdir()) == before


class TestRuns:
    def test_where_there_are_none_it_says_so(self, folder: Path) -> None:
        result = invoke("runs", "list")
        assert result.exit_code == 0
        assert "there are no runs" in result.stdout
        assert json.loads(invoke("runs", "list", "--json").stdout) == []
        assert not (folder / ".nb2pipe").exists()

    @pytest.mark.parametrize("words", [["runs", "show", "latest"], ["runs", "open", "x"], ["resume"], ["resume", "x"]])
    def test_a_run_that_is_not_there_is_an_error_of_the_records(self, folder: Path, words: list[str]) -> None:
        result = invoke(*words)
        assert result.exit_code == 8
        assert result.stderr.startswith("error: ")
        assert not (folder / ".nb2pipe").exists()
