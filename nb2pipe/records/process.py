"""Whether the process that makes a run still lives, so that a run killed midway is not taken for one that goes on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from nb2pipe.records.model import ProcessRecord


def this_process() -> ProcessRecord:
    """The process that asks."""
    pid = os.getpid()
    return ProcessRecord(host=platform.node(), pid=pid, birth=_birth(pid))


def is_gone(process: ProcessRecord | None) -> bool:
    """Whether a process has ended for sure; one on another machine may live."""
    if process is None:
        return True
    if process.host != platform.node():
        return False
    if not _exists(process.pid):
        return True
    birth = _birth(process.pid)
    return process.birth is not None and birth is not None and process.birth != birth


def _exists(pid: int) -> bool:
    if os.name == "nt":  # there `os.kill` ends the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _birth(pid: int) -> str | None:
    """When it began: the boot's id and the ticks since the boot. None where the system does not say."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, IndexError, ValueError):
        return None
    return f"{boot}:{ticks}"
