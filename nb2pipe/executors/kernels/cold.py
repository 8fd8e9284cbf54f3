"""Cold kernels: started as programs of their own, as Jupyter does, but ahead of need."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from nb2pipe.executors.kernels.process import ColdProcess, KernelProcess
from nb2pipe.executors.processes import Guard, end_processes, process_family, socket_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_SOCKET = 90
"""Characters of a folder's path in which sockets fit everywhere."""
_LAUNCH = ("-m", "ipykernel_launcher", "-f", "{connection_file}")
_OURS = frozenset({"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"})


_NO_HISTORY = "--HistoryManager.hist_file=:memory:"
"""As Jupyter's own client has it: cells, which may hold secrets, go into no history of the user's."""


@dataclass(slots=True, kw_only=True, eq=False)
class Started:
    """A kernel that was started.

    Attributes:
        process: Its process.
        connection: How to talk to it.
        file: The file that says the same, for the kernel.
        folder: Holds the file and the sockets.
        log: What it wrote to its standard error.
    """

    process: KernelProcess
    connection: dict[str, Any]
    file: str
    folder: tempfile.TemporaryDirectory[str]
    log: IO[bytes]
    guard: Guard | None = None

    def is_bound(self) -> bool:
        """Whether its sockets are there, so that no time is lost by a client that comes too early."""
        ports = [value for name, value in self.connection.items() if name.endswith("_port")]
        return all(os.path.exists(f"{self.connection['ip']}-{port}") for port in ports)  # noqa: PTH110  # quicker

    def dispose(self) -> None:
        """Ends it, if it has not ended, and leaves nothing of it behind."""
        if self.process.pid is not None:
            family = process_family(self.process.pid) if self.process.look() is None else ()
            end_processes(self.process.pid, family)
        self.process.close()
        if self.guard is not None:
            self.guard.release()
        self.log.close()
        self.folder.cleanup()


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelSpec:
    """How a kernel is started.

    Attributes:
        name: As Jupyter knows it.
        argv: Its command, with `{connection_file}`.
        variables: Environment variables that it gets beside those of the step.
        resources: The folder of its spec.
    """

    name: str
    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    resources: str = ""

    @property
    def is_this_python(self) -> bool:
        """Whether it is ipykernel in the Python that runs nb2pipe, started as ipykernel says."""
        if self.argv[len(self.command) :] != _LAUNCH:
            return False
        return self.command[0] == sys.executable and all(word.startswith("-X") for word in self.command[1:])

    @property
    def command(self) -> tuple[str, ...]:
        """Its Python with the options."""
        command = self.argv[: self.argv.index("-m")] if "-m" in self.argv else self.argv[:1]
        return (sys.executable, *command[1:]) if command[0] in _OURS else command


def kernel_spec(name: str) -> KernelSpec | None:
    """The spec of an ipykernel that is started as a program here; None for a kernel that only Jupyter knows to start.

    Raises:
        NoSuchKernel: There is none of the name.
    """
    from jupyter_client.kernelspec import KernelSpecManager  # noqa: PLC0415  # heavy

    found = KernelSpecManager().get_kernel_spec(name)
    provisioner = found.metadata.get("kernel_provisioner", {}).get("provisioner_name", "local-provisioner")
    native = any("ipykernel" in word for word in found.argv) and provisioner == "local-provisioner"
    if os.name != "posix" or not native or found.interrupt_mode != "signal":
        return None
    return KernelSpec(
        name=name, argv=tuple(found.argv), variables=dict(found.env), resources=str(found.resource_dir or "")
    )


def open_connection(kernel: str) -> tuple[dict[str, Any], str, tempfile.TemporaryDirectory[str]] | None:
    """A connection through files that only this user can open; ports may be taken by another program meanwhile.

    Returns:
        How to talk to a kernel, the file that says so, and the folder of both; None where paths are too long for it.
    """
    from jupyter_client.connect import write_connection_file  # noqa: PLC0415  # heavy
    from jupyter_client.session import new_id_bytes  # noqa: PLC0415  # heavy

    folder = socket_folder()
    if len(folder.name) >= _LONGEST_SOCKET:
        folder.cleanup()
        return None
    place = Path(folder.name)
    file, connection = write_connection_file(
        str(place / "kernel.json"), ip=str(place / "ipc"), transport="ipc", key=new_id_bytes(), kernel_name=kernel
    )
    return dict(connection), file, folder


def start_cold(spec: KernelSpec, environment: Mapping[str, str], folder: Path) -> Started | None:
    """Starts a kernel, which may not be ready yet.

    Args:
        spec: How.
        environment: Its environment variables.
        folder: Its working directory.

    Returns:
        The kernel; None where it cannot be started in this way.
    """
    from jupyter_client.launcher import launch_kernel  # noqa: PLC0415  # heavy

    opened = open_connection(spec.name)
    if opened is None:
        return None
    connection, file, place = opened
    log = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the kernel
    words = {"{connection_file}": file, "{resource_dir}": spec.resources, "{prefix}": sys.prefix}
    argv = [_filled(word, words) for word in (*spec.command, *spec.argv[len(spec.command) :])]
    process = launch_kernel(
        [*argv, _NO_HISTORY],
        env={**environment, **_expanded(spec.variables, environment)},
        cwd=str(folder),
        stdout=subprocess.DEVNULL,
        stderr=log.fileno(),
    )
    return Started(
        process=ColdProcess(process),
        connection=connection,
        file=file,
        folder=place,
        log=log,
        guard=Guard(process.pid),
    )


def _filled(word: str, words: Mapping[str, str]) -> str:
    for name, value in words.items():
        word = word.replace(name, value)
    return word


def _expanded(variables: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a spec, which may name others: `${HOME}/lib`."""
    from string import Template  # noqa: PLC0415  # seldom needed

    return {name: Template(value).safe_substitute(environment) for name, value in variables.items()}
