"""A process of its own for what would start threads and draw random numbers in the author's: what reaches a store.

It is told what to do by a line on its standard input, and ends itself when that is closed: it does not outlive the
step that started it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import Nb2pipeError, StoreError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

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

    Raises:
        OSError: The process cannot be started.
    """

    def __init__(self, module: str, facts: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        root = str(Path(__file__).resolve().parents[3])
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  # `wait` closes it
        self._process = subprocess.Popen(  # noqa: S603  # this Python, with a program of ours
            [sys.executable, "-P", "-W", "ignore", "-c", _PROGRAM, root, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=self._said,
            env=dict(environment),
            start_new_session=True,  # Ctrl-C is for the step
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(facts).encode("ascii") + b"\n")
            self._process.stdin.flush()

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
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
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
    threading.Thread(target=_end_with_the_step, daemon=True).start()
    try:
        import_module(module).main(facts)
    except Nb2pipeError as error:
        told = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        sys.stderr.write(json.dumps(told) + "\n")
        raise SystemExit(1) from None


def _end_with_the_step() -> None:
    """Ends this process at once when nobody holds the other end of its standard input any more."""
    with suppress(OSError, ValueError):
        while sys.stdin.read(1 << 16):
            pass
    os._exit(1)
