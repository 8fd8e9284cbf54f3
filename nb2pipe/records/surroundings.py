"""From which commit, with which packages and on what machine a run is made: read once, at its start.

Programs are called with fixed arguments and a time limit; one that is missing is no error.
"""

from __future__ import annotations

import getpass
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from nb2pipe.records.model import GitRecord, Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

DIFFERENCE_LIMIT = 1 << 20
"""Bytes of the difference to the commit that are kept."""

_GIT_SECONDS = 20.0
_GPU_SECONDS = 10.0
_GIT = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager")
_CODE = ("*.py", "*.ipynb")


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """The state of a repository.

    Attributes:
        record: What the run's record says of it.
        difference: The difference of the files that git follows to the commit, as `git apply` takes it; cut at
            `DIFFERENCE_LIMIT`.
        top: The folder of the working tree.
        tracked: The paths, from there, of the code that git follows.
    """

    record: GitRecord
    difference: bytes
    top: Path = Path()
    tracked: frozenset[str] = frozenset()


def user_name() -> str:
    """Who runs; empty where the system has no name for them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def packages() -> dict[str, str]:
    """The installed distributions of this Python and their versions, by name."""
    found: dict[str, str] = {}
    for distribution in distributions():
        metadata = distribution.metadata
        name = metadata["Name"] if metadata else None
        if name and name not in found:  # the first one on the path is the one that is imported
            found[name] = distribution.version or ""
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def git_state(folder: Path) -> GitState | None:
    """The state of the repository that a folder lies in, or None where there is none, or no git."""
    if not folder.is_dir() or _git(folder, "rev-parse", "--is-inside-work-tree") != b"true\n":
        return None
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit:
        return GitState(record=GitRecord(commit=None, dirty=True), difference=b"")
    branch = _git(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    top = Path(os.fsdecode((_git(folder, "rev-parse", "--show-toplevel") or b"").rstrip(b"\n")))
    difference = _git(
        top,
        "diff",
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--binary",
        "--ignore-submodules=dirty",
        "HEAD",
        "--",
    )
    record = GitRecord(
        commit=commit.decode("ascii", "replace").strip(),
        dirty=difference != b"",
        branch=branch.decode("utf-8", "replace").strip() if branch else None,
        truncated=difference is None or len(difference) > DIFFERENCE_LIMIT,
    )
    tracked = _git(top, "ls-files", "-z", "--recurse-submodules", "--", *_CODE) or b""
    return GitState(
        record=record,
        difference=(difference or b"")[:DIFFERENCE_LIMIT],
        top=top,
        tracked=frozenset(os.fsdecode(tracked).split("\0")),
    )


def machine() -> Machine:
    """This machine; GPUs as `nvidia-smi` tells of them, if it is there."""
    models, driver, cuda = _gpus()
    return Machine(
        host=platform.node(),
        system=platform.platform(),
        processor=_processor(),
        processors=os.cpu_count() or 1,
        memory=_memory(),
        gpu=", ".join(dict.fromkeys(models)) or None,
        gpus=len(models),
        driver=driver,
        cuda=cuda,
    )


def _git(folder: Path, *arguments: str) -> bytes | None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    return _output(("git", *_GIT, *arguments), seconds=_GIT_SECONDS, folder=folder, environment=environment)


def _output(
    command: Sequence[str], *, seconds: float, folder: Path | None = None, environment: dict[str, str] | None = None
) -> bytes | None:
    """What a program prints, or None where it is missing, fails or takes too long."""
    program = shutil.which(command[0])
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a program found by its fixed name, with fixed arguments and no shell
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _gpus() -> tuple[list[str], str | None, str | None]:
    """Models of the GPUs, version of the driver, and the newest CUDA that it knows."""
    text = _output(("nvidia-smi", "-q", "-x"), seconds=_GPU_SECONDS)
    if not text:
        return [], None, None
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by the driver's own program
    except ET.ParseError:
        return [], None, None
    models = [name for gpu in root.findall("gpu") if (name := gpu.findtext("product_name"))]
    return models, root.findtext("driver_version"), root.findtext("cuda_version")


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                key, _, value = line.partition(":")
                if key.strip() == "model name":
                    return value.strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
