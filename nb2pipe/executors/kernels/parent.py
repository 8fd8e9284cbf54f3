"""The program of the process that kernels are forked from: `python parent.py FD`.

FD is a socket to the run. The first packet from there says what to import; then each packet, which carries two file
descriptors, asks for a kernel. The answers are packets of JSON. Nothing is executed here but imports, and each is
looked at: one that does more than to import is told, and the process ends, so that the run can begin again without it.

What is forked has all that a cold kernel has before its first cell, in the same order: the shell is there before the
imports are made, and the sockets, threads and streams of a kernel are made after the fork.
"""

from __future__ import annotations

import array
import gc
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from pathlib import Path
from typing import Any, NoReturn

_LONGEST = 1 << 20
_HERE = Path(__file__).resolve().parent
_BOOTSTRAP = _HERE.parents[1] / "runtime" / "bootstrap.py"


def main(control: socket.socket) -> None:
    """Imports, serves until the run ends, and becomes a kernel in each process that it forks."""
    spec = json.loads(control.recv(_LONGEST))
    runpy.run_path(str(_BOOTSTRAP))["bring"]()
    from nb2pipe.executors.kernels import canary, child, early  # noqa: PLC0415  # importable only now

    try:
        prepared = child.prepare(spec["folder"])
        made = early.load(spec["imports"], spec["folder"], spec["seed"], prepared)
    except child.UnlikeColdError as error:
        _refuse(control, {"reason": str(error)})
    except early.RefusedError as error:
        _refuse(control, {"reason": error.reason, "number": error.number})
    gc.freeze()  # what is there now is nobody's garbage, and a kernel that looked at it would copy it
    child.preload()
    gc.freeze()
    checked = canary.release()
    control.send(json.dumps({"ready": made}).encode())
    request = Server(control, checked).serve()
    control.close()
    child.become_kernel(prepared, request)


def _refuse(control: socket.socket, refused: dict[str, Any]) -> NoReturn:
    control.send(json.dumps({"refused": refused}).encode())
    os._exit(0)


class Server:
    """Forks a kernel for each request, and tells how each ended.

    Args:
        control: The socket to the run.
        checked: The canary's process and the pipe that it answers on.
    """

    def __init__(self, control: socket.socket, checked: tuple[int, int]) -> None:
        self._control = control
        self._canary, self._answer = checked
        self._kernels: dict[int, tuple[int, socket.socket]] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._answer, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any]:
        """Serves for ever; returns only in a process that is to become a kernel, with what was asked for."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    request = self._take()
                    if request is not None:
                        return request
                elif key.fd == self._answer:
                    self._tell_of_canary()
                elif key.fd in self._kernels:
                    self._reap(key.fd)

    def _take(self) -> dict[str, Any] | None:
        data, ancillary, _, _ = self._control.recvmsg(_LONGEST, socket.CMSG_SPACE(8))
        if not data:
            self._end()
        numbers = array.array("i")
        for _, _, content in ancillary:
            numbers.frombytes(content)
        line, log = numbers
        told = socket.socket(fileno=line)
        parent = os.getpid()
        process = os.fork()
        if process == 0:
            self._leave()
            return {**json.loads(data), "told": told, "log": log, "parent": parent}
        os.close(log)
        handle = os.pidfd_open(process)
        self._kernels[handle] = (process, told)
        self._selector.register(handle, selectors.EVENT_READ)
        _tell(told, {"pid": process})
        return None

    def _leave(self) -> None:
        """In the child: what belongs to the parent is closed."""
        self._selector.close()
        if self._answer >= 0:
            os.close(self._answer)
        for handle, (_, told) in self._kernels.items():
            os.close(handle)
            told.close()

    def _tell_of_canary(self) -> None:
        sings = os.read(self._answer, 1) == b"y"
        self._selector.unregister(self._answer)
        os.close(self._answer)
        self._answer = -1
        os.waitpid(self._canary, 0)
        self._control.send(json.dumps({"canary": sings}).encode())

    def _reap(self, handle: int) -> None:
        self._selector.unregister(handle)
        os.close(handle)
        process, told = self._kernels.pop(handle)
        _, status, usage = os.wait4(process, 0)
        _tell(told, {"ended": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024})
        told.close()

    def _end(self) -> None:
        """The run is over, or gone: no kernel outlives it."""
        for process, _ in self._kernels.values():
            try:
                os.killpg(process, signal.SIGKILL)
            except OSError:
                os.kill(process, signal.SIGKILL)
        os._exit(0)


def _tell(told: socket.socket, what: dict[str, Any]) -> None:
    try:
        told.send(json.dumps(what).encode())
    except OSError:  # the run does not listen any more
        return


if __name__ == "__main__":
    if sys.path[:1] == [str(_HERE)]:
        del sys.path[0]
    main(socket.socket(fileno=int(sys.argv[1])))
