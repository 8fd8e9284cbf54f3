from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from nb2pipe.cli.app import cli
from nb2pipe.cli.project import KEYS, read_project
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.cli.session import Session


@click.command("probe", cls=Command)
@click.option("-j", "--jobs", type=click.IntRange(min=1), envvar="NB2PIPE_JOBS")
@click.option("--strict", is_flag=True)
@click.option("--executor", default="papermill")
@common
@with_session
def probe(session: Session, *, jobs: int | None, strict: bool, executor: str) -> None:
    """Says what it was given."""
    session.say(f"{jobs} {strict} {executor} {session.color} {session.home}")


def _said(*words: str, **variables: str) -> str:
    result = CliRunner(env=variables).invoke(probe, list(words), catch_exceptions=False)
    return result.output.strip()


@pytest.fixture
def settings(folder: Path) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(
        '[tool.nb2pipe]\njobs = 3\nstrict = true\nexecutor = "other"\ncolor = "always"\nhome = "here"\n', "utf-8"
    )
    return file


def test_the_project_speaks_where_nobody_else_does(settings: Path) -> None:
    assert _said() == f"3 True other always {settings.parent / 'here'}"


def test_the_environment_wins_over_the_project(settings: Path) -> None:
    assert _said(NB2PIPE_JOBS="4", NB2PIPE_HOME="/x") == "4 True other always /x"
    assert settings.is_file()


def test_the_command_line_wins_over_all(settings: Path) -> None:
    words = ("-j", "5", "--executor", "papermill", "--color", "never", "--home", "/y")
    assert _said(*words, NB2PIPE_JOBS="4", NB2PIPE_HOME="/x") == "5 True papermill never /y"
    assert settings.is_file()


def test_the_nearest_file_upward_counts(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.nb2pipe]\nhome = "top"\n', "utf-8")
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    assert read_project(inner).values == {"home": str(folder / "top")}
    (folder / "a" / "pyproject.toml").write_text("[project]\nname = 'x'\n", "utf-8")
    assert read_project(inner).values == {}


def test_an_underscore_is_as_good_as_a_dash(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.nb2pipe]\nkeep_going = true\n", "utf-8")
    assert read_project(folder).values == {"keep_going": True}


def test_an_unknown_key_is_warned_of_with_a_suggestion(folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.nb2pipe]\njbos = 3\n", "utf-8")
    result = CliRunner().invoke(cli, ["explain"])
    assert result.exit_code == 0
    assert "`jbos` in [tool.nb2pipe] means nothing\nhint: did you mean `jobs`?" in result.stderr
    assert CliRunner().invoke(cli, ["explain", "-q"]).stderr == ""


@pytest.mark.parametrize(
    "line", ['jobs = "many"', "jobs = true", "strict = 1", "jobs = [1]", "color = 'blue'", "jobs = 0"]
)
def test_a_value_of_another_type_is_an_error_that_names_the_file(folder: Path, line: str) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.nb2pipe]\n{line}\n", "utf-8")
    with pytest.raises(UsageError, match=r"pyproject.toml: `\w+` in \[tool.nb2pipe\]"):
        _said()


@pytest.mark.parametrize("text", ["[tool.nb2pipe\n", "[tool]\nnb2pipe = 3\n"])
def test_a_broken_file_is_an_error(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(UsageError):
        read_project(folder)


def test_every_key_is_an_option_of_a_command() -> None:
    context = click.Context(cli)
    options = {
        option.removeprefix("--")
        for name in cli.list_commands(context)
        for parameter in getattr(cli.get_command(context, name), "params", ())
        for option in parameter.opts
    }
    assert set(KEYS) <= options
