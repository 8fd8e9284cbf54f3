"""Which kernel the steps of a run get."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError
from nb2pipe.execution.checks.nb510_kernel_not_here import kernel_not_here
from nb2pipe.plugins import suggestion

if TYPE_CHECKING:
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.records.events import Noted

NATIVE = "python3"
"""Jupyter's name of the kernel of the Python that asks."""


def choose_kernel(notebook: Notebook, wanted: str | None) -> tuple[str, Noted | None]:
    """The kernel's name, and a warning where it is not the notebook's.

    Args:
        notebook: It names a kernel, or none.
        wanted: The user's `-k`; it wins over the notebook.

    Raises:
        UsageError: The kernel that the user wants is not here, or not for Python.
    """
    if wanted is not None:
        return _wanted(wanted), None
    named = notebook.kernel.name
    if named is None or named == NATIVE:
        return NATIVE, None
    if named in installed_kernels():
        return named, None
    return NATIVE, kernel_not_here(named, NATIVE, time=time.time())


def installed_kernels() -> tuple[str, ...]:
    """The names of the kernels for Python that are installed here, sorted; a broken one is left out."""
    from jupyter_client.kernelspec import KernelSpecManager

    manager = KernelSpecManager()
    languages = {name: _language(manager, name) for name in manager.find_kernel_specs()}
    return tuple(sorted(name for name, language in languages.items() if language == "python"))


def _language(manager: object, name: str) -> str:
    try:
        return str(manager.get_kernel_spec(name).language).lower()  # type: ignore[attr-defined]  # jupyter_client has no types
    except Exception:  # noqa: BLE001  # a kernel that somebody half removed is no kernel
        return ""


def _wanted(name: str) -> str:
    known = installed_kernels()
    if name in known:
        return name
    close = suggestion(name, known)
    hint = f"there are: {', '.join(known) or 'none'}"
    raise UsageError(
        f"there is no Python kernel named `{name}` here", hint=f"did you mean `{close}`? {hint}" if close else hint
    )
