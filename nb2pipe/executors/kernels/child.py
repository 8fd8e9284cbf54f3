"""A kernel that begins half way: its shell is made in the parent, before the imports, and the rest after the fork."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import ipykernel.debugger  # noqa: F401  # a kernel imports it as it begins
import ipykernel_launcher
from ipykernel import iostream
from ipykernel.compiler import XCachingCompiler
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.application import BaseIPythonApplication

from nb2pipe.executors.kernels import ending

if TYPE_CHECKING:
    import socket

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class EarlyStream(iostream.OutStream):  # type: ignore[misc]  # ipykernel has no types
    """What `sys.stdout` or `sys.stderr` is while the imports are made: it becomes the kernel's stream after the fork.

    So a logger that an import sets up, and that keeps the stream, writes into the notebook, as in a cold kernel.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.printed = False

    def write(self, string: str) -> int:
        """Notes that something was printed."""
        self.printed = self.printed or bool(string)
        return len(string)

    def flush(self) -> None:
        """There is nothing to flush."""

    def isatty(self) -> bool:
        """As the kernel's stream says."""
        return False

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the parent has of a kernel.

    Attributes:
        shell: IPython's, with an empty namespace.
        streams: `sys.stdout` and `sys.stderr`.
    """

    app: Any
    shell: Any
    streams: tuple[EarlyStream, EarlyStream]


class UnlikeColdError(Exception):
    """A kernel of this installation may be another than the one that is forked; the text says why."""


def prepare(folder: str) -> Prepared:
    """Makes what of a kernel needs no socket, no thread and no process of its own."""
    os.chdir(folder)
    app = IPKernelApp.instance()
    BaseIPythonApplication.initialize(app, ["-f", os.devnull])
    if app.loaded_config_files:
        raise UnlikeColdError("IPython is configured here by files of its own")
    app.init_pdb()
    app.init_path()
    streams = (EarlyStream("stdout"), EarlyStream("stderr"))
    sys.stdout, sys.stderr = streams
    app.config.HistoryManager.enabled = False  # it would start a thread, and our cells are nobody's history
    shell = ZMQInteractiveShell.instance(
        config=app.config,
        profile_dir=app.profile_dir,
        user_module=None,
        user_ns=None,
        kernel=None,
        compiler_class=XCachingCompiler,
    )
    for config in (app.config, shell.config):  # as an author may look at it
        config.pop("HistoryManager", None)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as ipykernel does
    return Prepared(app, shell, streams)


def become_kernel(prepared: Prepared, request: dict[str, Any]) -> NoReturn:
    """Runs a kernel in this process, which was forked from the parent, to its end.

    Args:
        prepared: What the parent made.
        request: The connection file (`file`), the working directory (`folder`), environment variables of this kernel
            alone (`own`), the file descriptor of the log (`log`), the socket that hears when the kernel is ready
            (`told`), and the parent's process (`parent`).
    """
    os.setsid()
    ending.disown()
    _end_with_parent(request["parent"])
    _take_streams(request["log"])
    os.chdir(request["folder"])
    os.environ.update(request["own"])
    told: socket.socket = request["told"]
    sys.argv[:] = [ipykernel_launcher.__file__, "-f", request["file"]]
    app, shell = prepared.app, prepared.shell
    for stream in prepared.streams:
        _streams[stream.name] = stream
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    app.outstream_class = f"{__name__}.{wired.__name__}"
    app.initialize(sys.argv[1:])
    shell.parent = shell.kernel = app.kernel
    shell.save_sys_module_state()
    told.send(json.dumps({"ready": True}).encode())
    os.register_at_fork(after_in_child=told.close)
    app.start()
    ending.end(told)


_streams: dict[str, EarlyStream] = {}


def wired(session: Any, thread: Any, name: str, **more: Any) -> Any:
    """The stream of a name as ipykernel makes it: the same object that it was while the imports were made."""
    stream = _streams.pop(name)
    del stream.printed
    stream.__class__ = iostream.OutStream
    iostream.OutStream.__init__(stream, session, thread, name, **more)
    return stream


def _end_with_parent(parent: int) -> None:
    """From now on the kernel is killed where its parent ends; one that has ended already is no parent."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _take_streams(log: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number, target in ((0, null), (1, null), (2, log)):
        os.dup2(target, number)
    os.close(null)
    os.close(log)


_SOON = ("IPython.core.logger", "IPython.extensions.storemagic", "faulthandler", "tornado.platform.asyncio")
"""What a kernel imports as it begins."""


def preload() -> None:
    """Imports and prepares what every kernel and every step of ours needs, after the author's imports."""
    from nb2pipe.runtime import session  # noqa: F401, PLC0415  # see above
    from nb2pipe.runtime.recording import hooks  # noqa: PLC0415  # see above
    from nb2pipe.serializers import names  # noqa: PLC0415  # see above

    for module in _SOON:
        with suppress(ImportError):
            importlib.import_module(module)
    hooks.install()
    names.survey()
