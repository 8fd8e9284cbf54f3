"""What stands between the executor and the client of a kernel: who hears of it, and why it ended early."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

    from nb2pipe.executors.kernels.cold import Started


class Reason(StrEnum):
    """Why a notebook was not run to its end."""

    ERROR = "error"
    EXIT = "exit"
    DIED = "died"
    NOT_STARTED = "not started"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why and where a notebook was not run to its end.

    Attributes:
        cell: The cell that ran; None before the first.
        kind: The exception's class, for an error.
        message: Its text, or how the kernel ended.
        traceback: The kernel's own text, colors and all.
        what: What ran it, `kernel` or `process`.
        hint: What the user can do about a death.
    """

    reason: Reason
    cell: NotebookNode | None = None
    kind: str = ""
    message: str = ""
    traceback: str = ""
    what: str = "kernel"
    hint: str | None = None


@dataclass(slots=True, kw_only=True)
class StepWatch:
    """Hears of all that happens in a notebook, and says when to end it; this one only lets it run.

    Attributes:
        folder: The kernel's working directory; None for this process's.
        variables: Environment variables of the kernel, beside those of this process.
        cancel: Once set, the notebook is stopped.
        deadline: The time (of `time.monotonic`) at which it is stopped.
        stopped: Why it was not run to its end, afterwards.
    """

    folder: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    cancel: threading.Event | None = None
    deadline: float | None = None
    stopped: Stop | None = None

    def kernel(self) -> Started | None:
        """The kernel for the notebook; None to let Jupyter start one.

        Raises:
            StoppedError: It is to be stopped before it begins.
        """
        return None

    def begins(self, notebook: NotebookNode) -> None:
        """Hears that a notebook begins."""

    def ends(self, notebook: NotebookNode) -> None:
        """Hears that a notebook ended, well or not; papermill writes its own remarks into it only afterwards."""

    def cell_begins(self, cell: NotebookNode) -> None:
        """Hears that a cell begins."""

    def printed(self, cell: NotebookNode, stream: str, text: str) -> None:
        """Hears that a cell printed."""

    def cell_ended(self, cell: NotebookNode) -> None:
        """Hears that a cell ended; its outputs are complete."""

    def code_after(self, cell: NotebookNode) -> str | None:  # noqa: ARG002  # for those who override it
        """What the kernel is to run silently after a cell that went well."""
        return None

    def code_on_error(self, cell: NotebookNode) -> str | None:  # noqa: ARG002  # for those who override it
        """What the kernel is to run silently after a cell that failed."""
        return None

    def wants_stop(self) -> Reason | None:
        """Why the notebook is to be stopped now, if it is."""
        if self.cancel is not None and self.cancel.is_set():
            return Reason.CANCELLED
        if self.deadline is not None and time.monotonic() > self.deadline:
            return Reason.TIMEOUT
        return None

    def environment(self) -> dict[str, str]:
        """The kernel's environment; what makes runs repeatable is set unless the user set it."""
        return {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "passive", **os.environ, **self.variables}


def role(cell: NotebookNode) -> str | None:
    """The role that `codegen` gave a cell; None for a cell of a notebook that it did not make."""
    ours = cell["metadata"].get("nb2pipe")
    return ours.get("role") if isinstance(ours, dict) else None


def is_ours(cell: NotebookNode) -> bool:
    """Whether a cell is one of ours, rather than the author's."""
    return role(cell) in {"enter", "leave", "injected"}


def position(cell: NotebookNode) -> int | None:
    """The position in the author's notebook; None for a cell of ours."""
    ours = cell["metadata"].get("nb2pipe")
    return ours.get("cell") if isinstance(ours, dict) else None
