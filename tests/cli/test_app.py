from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

import nb2pipe
from nb2pipe.cli.app import COMMANDS, cli
from nb2pipe.cli.exits import told
from nb2pipe.cli.session import Session
from nb2pipe.diagnostics import Diagnostic, Location, Report, Severity
from nb2pipe.errors import Nb2pipeError, NotebookError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def _commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {each}", found) for each, found in command.commands.items())


def run_program(*words: str, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The program, as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "nb2pipe", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **(variables or {})},
    )


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert result.exit_code == 0
    assert all(re.search(rf"^  {name} ", result.output, re.MULTILINE) for name in COMMANDS)


def test_the_short_help_of_the_list_is_the_commands_own() -> None:
    assert {name: command.short_help for name, command in _commands() if " " not in name} == COMMANDS


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_command_and_option_has_help_and_an_example(name: str, command: click.Command) -> None:
    assert command.help, name
    assert command.epilog, name
    assert "Example" in command.epilog
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, f"{name} {option.name}"


@pytest.mark.parametrize(("name", "command"), list(_commands()))
def test_every_command_takes_the_common_options_and_both_ways_to_ask_for_help(
    name: str, command: click.Command
) -> None:
    names = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "-q", "--quiet", "-v", "--verbose", "--color", "--home"} <= names
    for flag in ("-h", "--help"):
        assert CliRunner().invoke(cli, [*name.split(), flag]).exit_code == 0


def test_every_example_in_the_help_names_options_that_exist() -> None:
    for name, command in _commands():
        known = {option for parameter in command.params for option in parameter.opts} | {"-h", "--help"}
        for line in (command.epilog or "").splitlines():
            if line.strip().startswith(f"nb2pipe {name} "):
                used = re.findall(r"\s(--?[a-z][a-z-]*)", line.split("|")[0])
                assert set(used) <= known, line


README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def test_the_readme_names_every_command() -> None:
    assert all(f"`nb2pipe {name}" in README for name in COMMANDS)


def test_every_command_line_of_the_readme_names_a_command_and_options_that_exist() -> None:
    commands = dict(_commands())
    typed = re.findall(r"(?:^\$ |`)nb2pipe ([a-z][^`#\n|]*)", README, re.MULTILINE)
    assert len(typed) >= len(COMMANDS)
    for line in typed:
        words = line.split()
        name = " ".join(words[:2]) if " ".join(words[:2]) in commands else words[0]
        known = {option for parameter in commands[name].params for option in parameter.opts} | {"-h", "--help"}
        assert {word for word in words if re.fullmatch("--?[a-z][a-z-]*", word)} <= known, line


def test_help_loads_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from nb2pipe.cli.app import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "heavy = {'rich', 'nbformat', 'papermill', 'yaml', 'IPython', 'numpy', 'sqlite3', 'nb2pipe.cli.run'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("words", [["run", "--help"], ["runs", "list", "--help"], ["explain", "--help"]])
def test_help_of_a_command_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from nb2pipe.cli.app import cli\n"
        f"try:\n    cli.main({words!r})\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({'rich', 'nbformat', 'papermill', 'IPython', 'numpy'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_version_is_said() -> None:
    assert run_program("--version").stdout.strip() == f"nb2pipe {nb2pipe.__version__}"


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["chekc"], "there is no command `nb2pipe chekc`", "did you mean `nb2pipe check`?"),
        (["train.ipynb"], "there is no command `nb2pipe train.ipynb`", "did you mean `nb2pipe run train.ipynb`?"),
        (["runs", "lst"], "there is no command `nb2pipe runs lst`", "did you mean `nb2pipe runs list`?"),
        (
            ["xyz"],
            "there is no command `nb2pipe xyz`",
            "there are: check, graph, run, resume, verify, runs, lineage, convert, targets, gc, explain",
        ),
        (["explain", "--jsn"], "there is no option `--jsn`", "did you mean `--json`?"),
        (["--color", "blue", "explain"], "invalid value for '--color'", "`nb2pipe --help` shows what there is"),
        (["check"], "missing argument 'NOTEBOOK'", "`nb2pipe check --help` shows what there is"),
        (["explain", "NBxyz"], "there is no diagnostic `NBxyz`", "`nb2pipe explain` lists all codes"),
    ],
)
def test_a_slip_on_the_command_line_is_an_error_with_a_hint(words: list[str], message: str, hint: str) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.splitlines()[-1] == f"hint: {hint}"


def test_no_command_shows_the_help_and_is_a_usage_error() -> None:
    result = CliRunner().invoke(cli, [])
    assert result.exit_code == 2
    assert "Usage: nb2pipe" in result.stderr


@pytest.mark.parametrize("error", [UsageError("a"), NotebookError("a"), StoreError("a"), Nb2pipeError("a")])
def test_each_error_ends_with_its_exit_code(error: Nb2pipeError, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(error, Session()) == error.exit_code
    assert capsys.readouterr().err == "error: a\n"


def test_an_error_with_a_report_shows_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    place = Location(notebook="a.ipynb", position=1)
    report = Report.of(
        Diagnostic(code=f"NB10{each}", severity=severity, message="m", location=place)
        for each, severity in enumerate(Severity)
    )
    assert told(NotebookError("a.ipynb has errors", report=report), Session()) == 3
    words = capsys.readouterr().err
    assert "error[NB100]: m" in words
    assert "warning[NB101]: m" in words
    assert "NB102" not in words  # notes are told with -v
    assert words.endswith("error: a.ipynb has errors (1 error, 1 warning, 1 note)\n")
    told(NotebookError("a.ipynb has errors", report=report), Session(quiet=True))
    assert "NB101" not in capsys.readouterr().err


def test_a_bug_of_ours_says_so_and_how_to_report_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["step"]
    assert told(caught.value, Session()) == 70
    short = capsys.readouterr().err
    assert told(caught.value, Session(verbose=True)) == 70
    long = capsys.readouterr().err
    assert short.startswith("error: KeyError: 'step'; this is a bug of nb2pipe\nhint: please report it")
    assert "Traceback" not in short
    assert "Traceback (most recent call last)" in long


def test_an_interruption_is_130(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(KeyboardInterrupt(), Session()) == 130
    assert capsys.readouterr().err == "error: interrupted\n"


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    told(UsageError("no \x1b]0;evil\x07 file\nhere"), Session())
    assert capsys.readouterr().err == "error: no \\x1b]0;evil\\x07 file here\n"


def test_a_closed_pipe_is_quiet() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(
        [sys.executable, "-m", "nb2pipe", "explain"], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == 141


@pytest.mark.parametrize("words", [["--json", "explain"], ["explain", "--json"], ["--json", "explain", "--json"]])
def test_common_options_stand_before_and_after_the_command(words: list[str]) -> None:
    result = CliRunner().invoke(cli, words)
    assert result.exit_code == 0
    assert result.stdout.startswith("[")


def test_the_option_after_the_command_wins(folder: Path) -> None:
    result = CliRunner().invoke(cli, ["--color", "always", "explain", "--color", "never", "NB514"])
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    assert folder.is_dir()


@pytest.mark.parametrize(
    ("options", "variables", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, True),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        ([], {"NB2PIPE_COLOR": "always"}, True),
        (["--color", "never"], {"NB2PIPE_COLOR": "always"}, False),
    ],
)
def test_colors_follow_option_and_environment(options: list[str], variables: dict[str, str], *, colored: bool) -> None:
    for words in ([*options, "explain", "NB514"], ["explain", "NB514", *options]):
        result = CliRunner(env=variables).invoke(cli, words, color=True)
        assert ("\x1b[" in result.stdout) is colored, words


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_complete_commands(shell: str) -> None:
    source = run_program(variables={"_NB2PIPE_COMPLETE": f"{shell}_source"})
    assert source.returncode == 0
    assert f"{shell}_complete" in source.stdout
    words = {"COMP_WORDS": "nb2pipe ex", "COMP_CWORD": "1" if shell == "zsh" else "ex"}
    done = run_program(variables={**words, "_NB2PIPE_COMPLETE": f"{shell}_complete"})
    assert "explain" in done.stdout
    assert done.returncode == 0
