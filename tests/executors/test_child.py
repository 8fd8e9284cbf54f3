"""The process of a step: all that it prints arrives, and nothing of it is left, whoever ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from nb2pipe.executors.child import Child
from nb2pipe.executors.interpreter import python_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


@dataclass
class Ear:
    """Keeps what it hears; it stops the process once a text has come, or takes it for through."""

    stop_at: str | None = None
    through_at: str | None = None
    texts: dict[str, str] = field(default_factory=lambda: {"stdout": "", "stderr": ""})
    closed: list[str] = field(default_factory=list)

    def feed(self, stream: str, data: bytes, *, last: bool = False) -> None:
        self.texts[stream] += data.decode()
        if last:
            self.closed.append(stream)

    def look(self) -> bool:
        return self.stop_at is not None and self.stop_at in self.texts["stdout"]

    def is_through(self) -> bool:
        return self.through_at is not None and self.through_at in self.texts["stdout"]


def run(code: str, folder: Path, **ear: str) -> tuple[Ear, int | None, float]:
    listener = Ear(**ear)
    began = time.monotonic()
    command = [sys.executable, "-c", textwrap.dedent(code)]
    ended = Child(command, folder, dict(os.environ)).run(listener)
    return listener, ended, time.monotonic() - began


def is_gone(process: int, seconds: float = 5) -> bool:
    """Whether a process has ended; one that nobody has waited for counts as ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if psutil.Process(process).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def test_all_output_arrives_and_the_exit_code_is_told(tmp_path: Path) -> None:
    code = (
        "import sys, os\nprint('x' * 300_000)\nprint('e' * 300_000, file=sys.stderr)\nsys.stdout.flush()\nos._exit(3)"
    )
    heard, ended, _ = run(code, tmp_path)
    assert (len(heard.texts["stdout"]), len(heard.texts["stderr"]), ended) == (300_001, 300_001, 3)
    assert sorted(heard.closed) == ["stderr", "stdout"]


def test_nobody_can_be_asked(tmp_path: Path) -> None:
    heard, ended, _ = run("input('name? ')", tmp_path)
    assert ended == 1
    assert "EOFError" in heard.texts["stderr"]


def test_children_end_with_the_step_and_do_not_keep_it_waiting(tmp_path: Path) -> None:
    code = """
    import subprocess, sys
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid)
    """
    heard, ended, seconds = run(code, tmp_path)
    assert ended == 0
    assert seconds < 3
    assert is_gone(int(heard.texts["stdout"]))


def test_a_child_in_a_session_of_its_own_ends_too_and_does_not_keep_the_pipes(tmp_path: Path) -> None:
    code = """
    import subprocess, time
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(child.pid, "done", flush=True)
    time.sleep(0.3)
    """
    heard, _, seconds = run(code, tmp_path, through_at="done")
    assert seconds < 3
    assert is_gone(int(heard.texts["stdout"].split()[0]))


def test_a_thread_that_goes_on_ends_with_the_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nb2pipe.executors.child._FAREWELL", 0.3)
    code = """
    import threading, time
    threading.Thread(target=lambda: time.sleep(60)).start()
    print("done", flush=True)
    """
    _, ended, seconds = run(code, tmp_path, through_at="done")
    assert ended is None
    assert seconds < 3


def test_a_process_that_is_stopped_may_tidy_up_and_ends_even_if_it_does_not(tmp_path: Path) -> None:
    code = """
    import time
    try:
        print("go", flush=True)
        time.sleep(60)
    finally:
        print("tidied up", flush=True)
    """
    heard, ended, seconds = run(code, tmp_path, stop_at="go")
    assert ended is None
    assert "tidied up" in heard.texts["stdout"]
    assert seconds < 2
    code = """
    import signal, subprocess, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(child.pid, "go", flush=True)
    time.sleep(60)
    """
    heard, _, seconds = run(code, tmp_path, stop_at="go")
    assert seconds < 2
    assert is_gone(int(heard.texts["stdout"].split()[0]))


def test_a_process_that_closes_its_streams_is_waited_for(tmp_path: Path) -> None:
    _, ended, seconds = run("import os, time\nos.close(1)\nos.close(2)\ntime.sleep(0.5)\nos._exit(4)", tmp_path)
    assert ended == 4
    assert seconds > 0.5


def test_nothing_is_left_where_nb2pipe_itself_is_killed(tmp_path: Path) -> None:
    step = """
    import os, subprocess, sys, time
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(os.getpid(), child.pid, flush=True)
    sum(iter(int, 1))
    """
    ours = f"""
    import os, sys
    from pathlib import Path
    from nb2pipe.executors.child import Child
    class Ear:
        def feed(self, stream, data, *, last=False): os.write(1, data)
        def look(self): return False
        def is_through(self): return False
    Child([sys.executable, "-c", {textwrap.dedent(step)!r}], Path("."), dict(os.environ)).run(Ear())
    """
    command = [sys.executable, "-c", textwrap.dedent(ours)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=tmp_path) as parent:
        assert parent.stdout is not None
        processes = [int(word) for word in parent.stdout.readline().split()]
        family = psutil.Process(parent.pid).children(recursive=True)
        assert {each.pid for each in family} >= set(processes)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert all(is_gone(each.pid) for each in family)


def test_the_python_of_a_kernel_is_found_in_its_command() -> None:
    assert python_of(["python3", "-m", "ipykernel_launcher"]) == (sys.executable,)
    assert python_of(["/env/bin/python", "-S", "/some/bare.py", "-f", "{connection_file}"]) == ("/env/bin/python", "-S")
