"""Engines, each in an environment of its own: made where it is first asked for, outside of the checkout, and kept.

`NB2PIPE_ENGINES` names another folder than `~/.cache/nb2pipe/engines`. What an environment holds stands in
`requirements/NAME.txt`, or for Node in `npm/NAME/package.json` and its lock file; another text is another environment.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = Path(__file__).parent
_DONE = "done"


def environment(engine: str) -> Path:
    """The folder with the programs of an engine that is written in Python."""
    wanted = HERE / "requirements" / f"{engine}.txt"

    def fill(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        _run([*pip, "--requirement", str(wanted)])

    return _made(engine, wanted.read_bytes(), fill) / "bin"


def npm(name: str) -> Path:
    """The folder in which packages of Node are installed: it holds `node_modules`."""
    source = HERE / "npm" / name
    files = ("package.json", "package-lock.json")

    def fill(folder: Path) -> None:
        for file in files:
            shutil.copy(source / file, folder)
        _run(["npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], folder)

    return _made(name, b"".join((source / file).read_bytes() for file in files), fill)


def _made(name: str, wanted: bytes, fill: Callable[[Path], None]) -> Path:
    home = Path(os.environ.get("NB2PIPE_ENGINES") or Path.home() / ".cache" / "nb2pipe" / "engines")
    home.mkdir(parents=True, exist_ok=True)
    version = f"{sys.version_info.major}.{sys.version_info.minor}".encode()
    folder = home / f"{name}-{hashlib.sha256(version + wanted).hexdigest()[:12]}"
    with (home / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of pytest ask at the same time
        if not (folder / _DONE).exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            fill(folder)
            (folder / _DONE).touch()
    return folder


def _run(command: Sequence[str], folder: Path | None = None) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
