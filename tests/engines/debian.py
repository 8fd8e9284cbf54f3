"""Installs the Debian packages of `apt.txt` that are missing, as root; anybody else is told the command."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Does it.

    Returns:
        An exit code.
    """
    wanted = (Path(__file__).parents[2] / "apt.txt").read_text("utf-8").split()
    missing = [name for name in wanted if not _is_installed(name)]
    if not missing:
        return 0
    commands = [["apt-get", "update", "--quiet"], ["apt-get", "install", "--yes", "--no-install-recommends", *missing]]
    if os.geteuid() != 0:
        sys.stderr.write(f"missing: {' && '.join(f'sudo {shlex.join(command)}' for command in commands)}\n")
        return 1
    variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in commands:
        done = subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            return done.returncode
    return 0


def _is_installed(name: str) -> bool:
    asked = ["dpkg-query", "--show", "--showformat", "${db:Status-Status}", name]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout == "installed"


if __name__ == "__main__":
    sys.exit(main())
