"""The Python of a kernel: what its kernelspec starts, without the kernel."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OURS = frozenset({"python", f"python{sys.version_info[0]}", f"python{sys.version_info[0]}.{sys.version_info[1]}"})
"""Names that Jupyter takes for the Python that asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """How to start a kernel's Python.

    Attributes:
        command: The program and its options, to which a script is added.
        variables: Environment variables that the kernelspec sets.
    """

    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)


def interpreter_of(kernel: str) -> Interpreter:
    """The Python of a kernel.

    Args:
        kernel: Its name.

    Raises:
        UsageError: There is no kernel of the name.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel  # noqa: PLC0415  # heavy

    try:
        found = KernelSpecManager().get_kernel_spec(kernel)
    except NoSuchKernel as error:
        raise UsageError(f"there is no kernel named `{kernel}` here", hint="jupyter kernelspec list") from error
    return Interpreter(command=python_of(found.argv), variables=dict(found.env))


def python_of(argv: Sequence[str]) -> tuple[str, ...]:
    """The Python in a kernel's command, with its options.

    >>> python_of(["/env/bin/python", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    ('/env/bin/python', '-Xfrozen_modules=off')
    >>> python_of(["conda", "run", "-n", "e", "python", "-m", "ipykernel_launcher"])
    ('conda', 'run', '-n', 'e', 'python')
    """
    if "-m" in argv:
        command = list(argv[: argv.index("-m")])
    else:
        script = next((n for n, word in enumerate(argv[1:], 1) if not word.startswith("-")), len(argv))
        command = list(argv[:script])
    return (sys.executable, *command[1:]) if command[0] in _OURS else tuple(command)
