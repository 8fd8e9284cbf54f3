"""`!command`, `x = !command` and `%%bash` for modules: the same shell, the same terminal, the same output."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, Literal

from nb2pipe.runtime.magics.places import body
from nb2pipe.runtime.magics.printed import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

_POLL = 0.05
_SIZE = (24, 80)
"""Rows and columns of the terminal that IPython gives a command."""
_CHUNK = 65536
_LAST_SIGNAL = 128
_PATIENCE = 0.2


def run_shell(command: str) -> int:
    """`!command`: runs it in the user's shell, with a terminal, and prints what it prints.

    Returns:
        Its exit code, negative for a signal. One that is not 0 is no error, as in IPython.

    Raises:
        OSError: It asks to run in the background, or there is no shell.
    """
    _check(command)
    process, output = _in_terminal([_shell(), "-c", command])
    try:
        for text in _texts(process, output):
            sys.stdout.write(text)
            sys.stdout.flush()
    except BaseException:
        _end(process)
        raise
    finally:
        os.close(output)
    code = process.wait()
    return _LAST_SIGNAL - code if code > _LAST_SIGNAL else code


def shell_lines(command: str) -> Any:
    """`x = !command`: the lines that it prints, on standard output and error together.

    Raises:
        OSError: It asks to run in the background, or there is no shell.
    """
    _check(command)
    _flush()
    process = subprocess.Popen(  # noqa: S602  # the author's own command
        command,
        shell=True,
        executable=os.environ.get("SHELL"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with process:
        printed, _ = process.communicate()
    return lines(printed.decode(errors="replace"))


def run_script(program: str, text: str, *, keep: Literal["", "out", "err", "both"] = "", check: bool = True) -> Any:
    """`%%bash` and its like: runs a text with a program, and prints what it prints.

    Args:
        program: The program and its arguments, as a shell has them.
        text: Begins with a line end that is not part of it.
        keep: What is given back instead of being printed.
        check: An exit code that is not 0 is an error.

    Returns:
        Standard output, standard error, or both, where they are kept.

    Raises:
        CalledProcessError: It ended with another exit code than 0.
    """
    _flush()
    kept: dict[str, list[str]] = {name: [] for name in ("out", "err") if keep in {name, "both"}}
    argv = shlex.split(program)
    script = body(text).encode("utf-8", "replace")
    code = 0
    try:
        code = _feed(argv, script, kept)
    except FileNotFoundError:
        print(f"Couldn't find program: {argv[0]!r}")  # noqa: T201  # as IPython does
    if check and code != 0:
        raise subprocess.CalledProcessError(code, script)
    found = tuple("".join(parts) for parts in kept.values())
    return found if keep == "both" else found[0] if found else None


def _check(command: str) -> None:
    if command.rstrip().endswith("&"):
        raise OSError("Background processes not supported.")


def _shell() -> str:
    name = os.environ.get("SHELL", "sh")
    found = shutil.which(name)
    if found is None:
        raise OSError(f'"{name}" shell not found')
    return found


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _in_terminal(argv: list[str]) -> tuple[subprocess.Popen[bytes], int]:
    """A process with a terminal of its own, and the descriptor to read its output from; a pipe where there are none."""
    _flush()
    if sys.platform == "win32":
        output, written = os.pipe()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=written, stderr=written)  # noqa: S603
    else:
        import pty  # noqa: PLC0415  # not everywhere
        import termios  # noqa: PLC0415  # as pty

        output, written = pty.openpty()
        termios.tcsetwinsize(written, _SIZE)
        process = subprocess.Popen(  # noqa: S603
            argv, stdin=written, stdout=written, stderr=written, start_new_session=True
        )
    os.close(written)
    return process, output


def _texts(process: subprocess.Popen[bytes], output: int) -> Iterator[str]:
    """What a process prints, as it comes, until it ends: what it left in the background may print on."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        ended = process.poll() is not None
        if sys.platform == "win32" or select.select([output], [], [], 0 if ended else _POLL)[0]:
            try:
                data = os.read(output, _CHUNK)
            except OSError:  # Linux says so when nobody has the terminal any more
                data = b""
            if not data:
                break
            yield decoder.decode(data)
        elif ended:
            break
    yield decoder.decode(b"", final=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and those that it began."""
    for number in (signal.SIGINT, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM):
        with contextlib.suppress(OSError):
            if sys.platform == "win32":
                process.send_signal(number)
            else:
                os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
            return


def _feed(argv: list[str], script: bytes, kept: dict[str, list[str]]) -> int:
    """Gives a program its script, and passes on what it prints; its exit code."""
    process = subprocess.Popen(  # noqa: S603
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with process:
        readers = [
            threading.Thread(target=_pass_on, args=(process.stdout, sys.stdout, kept.get("out")), daemon=True),
            threading.Thread(target=_pass_on, args=(process.stderr, sys.stderr, kept.get("err")), daemon=True),
        ]
        for reader in readers:
            reader.start()
        with contextlib.suppress(BrokenPipeError):
            assert process.stdin is not None
            process.stdin.write(script)
            process.stdin.close()
        try:
            for reader in readers:
                reader.join()
            return process.wait()
        except BaseException:
            process.kill()
            raise


def _pass_on(source: IO[bytes], target: IO[str], kept: list[str] | None) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        data = os.read(source.fileno(), _CHUNK)
        text = decoder.decode(data, final=not data)
        if kept is not None:
            kept.append(text)
        elif text:
            target.write(text)
            target.flush()
        if not data:
            return
