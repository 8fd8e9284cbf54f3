"""Runs of which only the records are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.lineage.walk import Walk
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import write_atomically, write_run, write_step
from nb2pipe.records.index import links
from nb2pipe.records.model import (
    GitRecord,
    GroupRecord,
    Machine,
    RunRecord,
    StepRecord,
    StepTrace,
    WrittenFile,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.lineage.model import Lineage


def digest(name: str) -> str:
    """A SHA-256 for a name of a test."""
    return name.encode().hex().ljust(64, "0")


def step(name: str, used: tuple[str, ...] = (), made: tuple[str, ...] = (), **more: Any) -> StepRecord:
    """A step that used and made artifacts and, where there is a dot in the name, files."""
    files = {f"/p/{each}": WrittenFile(sha256=digest(each), size=1, kept=True) for each in made if "." in each}
    return StepRecord(
        name=name,
        status=more.pop("status", StepStatus.RAN),
        cells=(3,),
        code={2: digest("imports"), 3: digest(name)},
        inputs=tuple(GroupRecord(names=(each,), digest=digest(each)) for each in used if "." not in each),
        outputs=tuple(GroupRecord(names=(each,), digest=digest(each)) for each in made if "." not in each),
        trace=StepTrace(reads={f"/p/{each}": digest(each) for each in used if "." in each}, writes=files),
        **more,
    )


@dataclass(frozen=True, slots=True)
class Past:
    """A home with runs."""

    home: Path

    @staticmethod
    def digest(name: str) -> str:
        """A SHA-256 for a name."""
        return digest(name)

    @staticmethod
    def step(name: str, used: tuple[str, ...] = (), made: tuple[str, ...] = (), **more: Any) -> StepRecord:
        """A step that used and made artifacts and, where there is a dot in the name, files."""
        return step(name, used, made, **more)

    def run(self, run: str, *steps: StepRecord, **more: Any) -> None:
        """Records a run; its id begins with its time."""
        fields: dict[str, Any] = {
            "status": RunStatus.SUCCEEDED,
            "pipeline": "digits",
            "notebook": "/p/digits.ipynb",
            "notebook_digest": "",
            "user": "ana",
            "machine": Machine(host="box"),
            "git": GitRecord(commit="c0ffee", dirty=True, branch="main"),
            "python": "3.11.9",
            "packages": {"torch": "2.13"},
            "parameters": {"lr": 0.5},
            "started": float(run.partition("-")[0]),
        }
        record = RunRecord(run=run, steps=steps, **{**fields, **more})
        folder = self.home / "runs" / run
        for each in steps:
            write_step(folder, each, durable=False)
        write_atomically(folder / "difference.patch", b"changes", durable=False)
        write_run(folder, record)

    def back(self, *names: str) -> Lineage:
        with links(self.home) as index:
            return Walk(self.home, index).back([digest(name) for name in names])

    def forward(self, *names: str) -> Lineage:
        with links(self.home) as index:
            return Walk(self.home, index).forward([digest(name) for name in names])


@pytest.fixture
def past(tmp_path: Path) -> Past:
    """No runs yet."""
    return Past(tmp_path / "home")
