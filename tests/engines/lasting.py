"""A program that answers line by line, for checks whose libraries take seconds to import."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Lasting:
    """A program that takes a line and answers with a line of JSON."""

    process: subprocess.Popen[str]

    def ask(self, line: object) -> Any:
        """The answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, "the program has ended; what it wrote stands above"
        return json.loads(answer)


@contextmanager
def lasting(python: str, script: Path) -> Iterator[Lasting]:
    """Runs a program inside of a block."""
    words = [python, "-W", "ignore", str(script)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Lasting(process)
        assert process.stdin is not None
        process.stdin.close()
