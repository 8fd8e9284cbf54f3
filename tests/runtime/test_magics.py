"""What modules call where the notebook has magics: what the comparison with IPython cannot show."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent

import pytest

from nb2pipe.runtime import magics
from nb2pipe.runtime.magics import printed


def program(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-c", dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def without_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython.utils.text", None)
    monkeypatch.setitem(sys.modules, "IPython.utils.capture", None)


def test_every_helper_is_there() -> None:
    assert all(callable(getattr(magics, name)) for name in magics.__all__)


def test_lines_without_ipython_are_like_those_of_ipython(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from IPython.utils.text import SList

    monkeypatch.chdir(tmp_path)
    Path("b c").write_text("")
    texts = ["a 1", "b c", "A", ""]
    theirs = SList(texts)
    without_ipython(monkeypatch)
    ours = printed.lines("\n".join([*texts, ""]))
    assert type(ours) is printed.Lines
    for name in ("l", "list", "n", "nlstr", "s", "spstr", "p", "paths"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.grep("a") == theirs.grep("a") == ["a 1", "A"]
    assert ours.grep("a", True) == theirs.grep("a", True)
    assert ours.grep("1", field=1) == theirs.grep("1", field=1)
    assert ours.grep(len) == theirs.grep(len)
    assert ours.fields() == theirs.fields()
    assert ours.fields(0) == theirs.fields(0)
    assert ours.fields(1, 0) == theirs.fields(1, 0)
    assert ours.fields(-1) == theirs.fields(-1)


def test_what_is_captured_without_ipython(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    without_ipython(monkeypatch)
    with magics.captured() as out:
        sys.stdout.write("a\n")
        sys.stderr.write("b\n")
    assert type(out) is printed.Captured
    assert (out.stdout, out.stderr, str(out), out.outputs) == ("a\n", "b\n", "a\n", [])
    out()
    assert capsys.readouterr() == ("a\n", "b\n")


def test_streams_are_back_after_an_error() -> None:
    before = sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError), magics.captured():
        sys.stdout.write(str(1 / 0))
    assert (sys.stdout, sys.stderr) == before


def test_collection_goes_on_after_an_error_in_a_timed_loop() -> None:
    import gc

    with pytest.raises(ZeroDivisionError):
        magics.time_calls(lambda: 1 / 0, number=3)
    assert gc.isenabled()


def test_a_loop_runs_as_often_as_it_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    calls: list[int] = []
    for _ in magics.timing(number=4, repeat=3):
        calls.append(1)  # noqa: PERF401  # that is the loop
    assert len(calls) == 12
    assert "(mean ± std. dev. of 3 runs, 4 loops each)" in capsys.readouterr().out


def test_an_interrupt_ends_the_command_and_the_step(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    code = f"from nb2pipe.runtime.magics import run_shell; run_shell('touch {ready}; sleep 97.5; echo after')"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while not ready.exists() and time.monotonic() < until:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    assert "after" not in out
    assert not running("sleep\0" + "97.5")


def running(command: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().decode(errors="replace").startswith(command):
                return True
        except OSError:
            continue
    return False


def test_what_a_command_leaves_in_the_background_is_not_waited_for() -> None:
    began = time.monotonic()
    magics.run_shell("(sleep 20 &) ; echo a")
    assert time.monotonic() - began < 10


def test_a_large_output_comes_whole(capsys: pytest.CaptureFixture[str]) -> None:
    magics.run_shell("seq 100000")
    lines = capsys.readouterr().out.split("\r\n")
    assert lines[:2] == ["1", "2"]
    assert lines[-2:] == ["100000", ""]
    assert len(lines) == 100_001


def test_a_large_script_and_output_do_not_block(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n" + "\n".join(f"echo {number} {'x' * 90}" for number in range(5000))
    magics.run_script("sh", text)
    assert capsys.readouterr().out.count("\n") == 5000


def test_a_program_that_does_not_read_its_script_is_no_error() -> None:
    assert magics.run_script("true", "\n" + "x" * 1_000_000, keep="out") == ""


def test_text_outside_of_the_streams_encoding_is_no_error() -> None:
    code = "from nb2pipe.runtime.magics import timed\nwith timed(): pass"
    found = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert b"CPU times: user " in found.stdout


SHOWING = """
    import json, sys
    {first}
    from nb2pipe.runtime.display import silence_display
    silence_display()
    silence_display()
    from IPython.display import HTML, clear_output, display, publish_display_data, update_display
    from nb2pipe.runtime.magics import display as ours
    display(1, HTML("a")); ours(1); clear_output(wait=True); update_display(2, display_id="a")
    publish_display_data({{"text/plain": "a"}})
    handle = display(3, display_id=True)
    handle.update(4)
    from IPython.core.interactiveshell import InteractiveShell
    print(json.dumps([InteractiveShell.initialized(), handle is not None, HTML("a").data]))
"""


@pytest.mark.parametrize("first", ["", "import IPython.display"])
def test_nothing_is_shown_in_a_process_of_modules(first: str) -> None:
    found = program(SHOWING.format(first=first))
    assert found.stderr == ""
    assert json.loads(found.stdout) == [False, True, "a"]


def test_inside_of_jupyter_all_is_shown() -> None:
    found = program("""
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        from nb2pipe.runtime.display import silence_display
        silence_display()
        from IPython.display import display
        from nb2pipe.runtime.magics import display as ours, get_ipython
        display("one"); ours("two")
        assert get_ipython() is shell
    """)
    assert found.stdout.split() == ["'one'", "'two'"]


def test_there_is_no_shell_in_a_module() -> None:
    assert program("from nb2pipe.runtime.magics import get_ipython; print(get_ipython())").stdout == "None\n"


def test_importing_the_helpers_imports_nothing_heavy() -> None:
    found = program("import sys, nb2pipe.runtime.magics; print([m for m in ('IPython', 'numpy') if m in sys.modules])")
    assert found.stdout == "[]\n"


def test_errors_of_folders_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb2pipe.runtime.magics.places._visited", [])
    with pytest.raises(magics.UsageError, match="No previous directory"):
        magics.change_folder("-")
    for text in ("", "A"):
        with pytest.raises(magics.UsageError, match="usage is"):
            magics.set_environment(text)
    with pytest.raises(magics.UsageError, match="refusing to set env var with whitespace: '1'"):
        magics.set_environment("A B=1")
    for text in ("a", "-1"):
        with pytest.raises(ValueError, match="recision"):
            magics.set_precision(text)


def test_secrets_are_hidden_among_all_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB2PIPE_TOKEN", "x")
    monkeypatch.setenv("NB2PIPE_PLAIN", "y")
    found = magics.environment()
    assert isinstance(found, dict)
    assert (found["NB2PIPE_TOKEN"], found["NB2PIPE_PLAIN"]) == ("<hidden>", "y")


def test_output_goes_where_sys_stdout_is(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    magics.run_shell("echo a")
    magics.run_script("sh", "\necho b")
    assert stream.getvalue() == "a\r\nb\n"
