"""A process of its own for what would start threads and draw random numbers in the author's: what reaches a store.

It is told what to do by a line on its standard input, and ends itself when that is closed: it does not outlive the
step that started it.
"""

from __future__ import annotations

import json
import os
import queue
import select
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import Nb2pipeError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOK = 1.0
_words: queue.SimpleQueue[str] = queue.SimpleQueue()
_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from nb2pipe.runtime.elsewhere.apart import main
main(sys.argv[2])
"""


class Apart:
    """A function `main(facts)` of a module of ours, called in a process of its own.

    Args:
        module: The module, dotted.
        facts: What it is called with, as JSON.
        environment: The process's variables, credentials among them.
        answers: It says words by `answer`.

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(
        self, module: str, facts: Mapping[str, Any], environment: Mapping[str, str], *, answers: bool = False
    ) -> None:
        root = str(Path(__file__).resolve().parents[3])
        self._answers = b""
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # `wait` closes it
        self._process = subprocess.Popen(  # noqa: S603  # this Python, with a program of ours
            [sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, root, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if answers else subprocess.DEVNULL,
            stderr=self._said,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C is for the step
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(facts).encode("ascii") + b"\n")
            self._process.stdin.flush()

    def say(self, word: str) -> None:
        """Tells it a word; `heard` gives it there."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(f"{word}\n".encode("ascii"))
            self._process.stdin.flush()

    def hear(self, seconds: float) -> str | None:
        """The next word that it answers; None where it ends before, or says none for some time."""
        stream, until = self._process.stdout, time.monotonic() + seconds
        assert stream is not None
        while b"\n" not in self._answers:
            if not select.select([stream], [], [], max(0.0, until - time.monotonic()))[0]:
                return None
            data = os.read(stream.fileno(), 1 << 12)
            if not data:
                return None
            self._answers += data
        word, _, self._answers = self._answers.partition(b"\n")
        return word.decode("ascii")

    def wait(self, seconds: float | None = None) -> Nb2pipeError | None:
        """Waits until it has ended; what went wrong.

        Args:
            seconds: How long at most; then it is ended.
        """
        try:
            code = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return StoreError(f"the store did not answer within {seconds:.0f} s")
        finally:
            said = self._end()
        return _error_of(code, said)

    def _end(self) -> str:
        """Ends it, if it has not ended; what it said."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()
        with self._said:
            self._said.seek(0)
            return self._said.read().decode("utf-8", "replace").strip()


def _error_of(code: int, said: str) -> Nb2pipeError | None:
    if code == 0:
        return None
    last = (said.splitlines() or ["it ended without a word"])[-1]
    try:
        told = json.loads(last)
        kind = UsageError if told["exit_code"] == UsageError.exit_code else StoreError
        return kind(told["message"], hint=told["hint"])
    except (ValueError, KeyError, TypeError):
        return StoreError(f"the process that reaches the store ended with {code}: {last}")


def main(module: str) -> None:
    """What the process does.

    Raises:
        SystemExit: Something is wrong; the last line that it wrote says what.
    """
    facts = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_step, args=[os.getppid()], daemon=True).start()
    try:
        import_module(module).main(facts)
    except Nb2pipeError as error:
        told = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        sys.stderr.write(json.dumps(told) + "\n")
        raise SystemExit(1) from None


def answer(word: str) -> None:
    """Says a word to the step."""
    with suppress(OSError):
        os.write(1, f"{word}\n".encode("ascii"))


def heard(seconds: float) -> str | None:
    """The next word that the step says; None if it says none for some time."""
    try:
        return _words.get(timeout=seconds)
    except queue.Empty:
        return None


def _end_with_the_step(parent: int) -> None:
    """Ends this process at once when its parent is gone, whoever else holds the other end of the standard input."""
    rest = b""
    while os.getppid() == parent:
        if select.select([0], [], [], _LOOK)[0]:
            data = os.read(0, 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                _words.put(line.decode("ascii"))
    os._exit(1)
