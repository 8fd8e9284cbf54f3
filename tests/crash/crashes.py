"""Kills real runs at random moments, and looks whether anything was lost: what the tests and `make crash` share.

A trial is known by its number alone: notebook, executor, who is killed and when follow from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from nb2pipe.execution.home import Home
from nb2pipe.execution.keys import GENERATORS
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import read_logged, read_run
from nb2pipe.records.index import list_runs

if TYPE_CHECKING:
    from nb2pipe.records.model import RunRecord

PROGRAM = (sys.executable, "-m", "nb2pipe")
MARK = "NB2PIPE_TRIAL"
"""An environment variable that all processes of a trial inherit."""
NOTEBOOKS = Path(__file__).parent.parent / "cases" / "crash"
ORPHAN_SECONDS = 5.0
SPEED = frozenset({"examples_per_second"})
PATIENCE = 120.0
DONE = (StepStatus.RAN, StepStatus.REUSED)

ROLES = {
    "papermill": {"nb2pipe": 6, "everything": 4, "group": 2, "kernel": 5, "parent": 3, "guard": 2},
    "subprocess": {"nb2pipe": 6, "everything": 4, "group": 2, "kernel": 5, "guard": 1},
}
"""Who is killed, and how often among those of an executor."""
SIGNS = {
    "runs/*/run.json": 1,
    "runs/*/steps/*.json": 5,
    "runs/*/steps/*.ipynb": 5,
    "runs/*/steps/.step-*/result.json": 1,
    "runs/*/notebook.ipynb": 1,
    "store/sha256/*/.new-*": 1,
    "store/sha256/*/*": 40,
    "keys/*/*": 5,
    "records.db*": 1,
}
"""Files of a home: half of the kills come right after the appearance of one of them, of up to so many."""


SIGNS_OF_TRAINING = {"runs/*/checkpoints/*/*/*.json": 9, "runs/*/checkpoints/*/*/*.tmp": 9, "unfinished/*": 1}
"""Those of a notebook that trains, beside a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process of a trial."""

    pid: int
    parent: int
    command: str

    @property
    def role(self) -> str:
        """What it is to its run."""
        if "guard.py" in self.command:
            return "guard"
        if "parent.py" in self.command or "launch.py" in self.command or "ipykernel_launcher" in self.command:
            return "kernel"
        return "nb2pipe" if "nb2pipe" in self.command else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a run left: all that has to be the same after a crash.

    Attributes:
        steps: The digests of variables and of random generators, by step. Other hidden state may depend on the kind of
            the kernel, which a crash may change: libraries fill tables as they are imported.
        outputs: What each cell shows.
        files: The content of files that the steps wrote.
    """

    steps: dict[str, Any]
    metrics: dict[str, float]
    series: dict[str, dict[str, list[tuple[int, float]]]]
    outputs: list[Any]
    files: dict[str, bytes]


@dataclass(slots=True, kw_only=True)
class Trial:
    """One run that is killed, and gone on with until it is through.

    Attributes:
        number: Decides on all that is random in it.
        folder: Holds the notebook and the home; it is made.
        told: What happened, for people.
        kills: How many there were.
        orphans: The seconds until the last process was gone, of the slowest kill.
    """

    number: int
    notebook: str
    executor: str
    folder: Path
    jobs: int = 2
    most: int = 3
    told: list[str] = field(default_factory=list)
    kills: int = 0
    orphans: float = 0.0

    @property
    def home(self) -> Home:
        """Where its runs are."""
        return Home(self.folder / "home")

    def conduct(self, expected: Values, seconds: float) -> None:
        """Begins the run, kills it up to `most` times, goes on with it each time, and compares.

        Args:
            expected: What an undisturbed run left.
            seconds: How long that took.
        """
        dice = random.Random(self.number)
        prepare(self.folder, self.notebook)
        left = dice.randint(1, self.most)
        for _ in range(left):
            before = self.record()
            if before is not None and before.status is RunStatus.SUCCEEDED:
                break
            self._one_kill(dice, before, seconds)
        before = self.record()
        process = self.start(self.command(before))
        self.finish(process, expect=(0,))
        self._check_kept(before)
        self.check_whole()
        difference = compare(values_of(self.home, self.folder), expected)
        assert not difference, self.story(difference)

    def _one_kill(self, dice: random.Random, before: RunRecord | None, seconds: float) -> None:
        weights = ROLES[self.executor]
        role = dice.choices(list(weights), list(weights.values()))[0]
        process = self.start(self.command(before))
        self._wait(dice, seconds, process)
        killed = self._kill(role, process, dice)
        self.kills += bool(killed)
        gone = role in {"nb2pipe", "everything", "group"} and killed
        self.finish(process, expect=(-signal.SIGKILL,) if gone else (0, 5))
        self._check_kept(before)
        self.check_whole()

    def _wait(self, dice: random.Random, seconds: float, process: subprocess.Popen[bytes]) -> None:
        """Until a random moment, or until a random file of the run has appeared."""
        began = time.monotonic()
        end = began + dice.uniform(0.0, seconds)
        signs = SIGNS_OF_TRAINING if self.notebook.startswith("training") else SIGNS
        sign, later = dice.choice(list(signs)), dice.choice([0.0, 0.0, 0.002, 0.02, 0.1])
        count = dice.randint(1, signs[sign])
        if dice.random() < 0.5:
            end = began + 2 * seconds
            while len(self._signs(sign)) < count and process.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            end = time.monotonic() + later
            self.told.append(f"file {count} of {sign}, and {later} s")
        while (left := end - time.monotonic()) > 0 and process.poll() is None:
            time.sleep(min(left, 0.02))
        self.told.append(f"after {time.monotonic() - began:.3f} s")

    def _signs(self, sign: str) -> list[Path]:
        try:
            return list(self.home.root.glob(sign))
        except OSError:  # a folder went while it was looked at
            return []

    def _kill(self, role: str, process: subprocess.Popen[bytes], dice: random.Random) -> list[int]:
        """Kills; the processes that were hit."""
        found: list[int] = []
        end = time.monotonic() + 20
        while not found and process.poll() is None and time.monotonic() < end:
            found = self._victims(role, process)
        dice.shuffle(found)
        for pid in found:
            with suppress(ProcessLookupError):
                if role == "group":
                    os.killpg(pid, signal.SIGKILL)
                else:
                    os.kill(pid, signal.SIGKILL)
        self.told.append(f"killed {role}: {len(found)}")
        return found

    def _victims(self, role: str, process: subprocess.Popen[bytes]) -> list[int]:
        if role in {"nb2pipe", "group"}:
            return [process.pid]
        around = self.processes()
        if role == "everything":
            return [each.pid for each in around]
        guards = {each.pid for each in around if each.role == "guard"}
        parents = [each.pid for each in around if "parent.py" in each.command and each.parent in guards]
        if role == "parent":
            return parents
        found = [each.pid for each in around if each.role == role and each.pid not in parents]
        return found[:1]

    # -- what stands afterwards

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        """nb2pipe, as a process of its own in a session of its own."""
        self.told.append(" ".join(command[2:]))
        variables = {**os.environ, MARK: str(self.folder), "NB2PIPE_HOME": str(self.home.root)}
        with (self.folder / "said.txt").open("ab") as said:
            return subprocess.Popen(
                command,
                cwd=self.folder,
                env=variables,
                stdout=said,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def command(self, before: RunRecord | None) -> list[str]:
        """How the run begins, or goes on."""
        if before is None:
            name = next(self.folder.glob("made.*")).name
            return [*PROGRAM, "run", name, "--seed", "7", "--executor", self.executor, "-j", str(self.jobs)]
        return [*PROGRAM, "resume", before.run, "-j", str(self.jobs)]

    def finish(self, process: subprocess.Popen[bytes], expect: tuple[int, ...]) -> None:
        """Waits for its end, and for that of all that it started."""
        code = process.wait(timeout=PATIENCE)
        began = time.monotonic()
        while (left := self.processes()) and time.monotonic() - began < ORPHAN_SECONDS:
            time.sleep(0.02)
        self.orphans = max(self.orphans, time.monotonic() - began)
        assert not left, self.story(f"these processes are left: {left}")
        assert code in expect, self.story(f"exit code {code}, not one of {expect}")
        said = (self.folder / "said.txt").read_text("utf-8", "replace")
        assert "bug of nb2pipe" not in said, self.story("a bug was told")
        assert "Traceback" not in said, self.story("a traceback was told")

    def processes(self) -> list[Process]:
        """The processes of this trial that live, by the mark in their environment."""
        mark = f"{MARK}={self.folder}\0".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError, IndexError):
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes():
                    state = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if state[0] not in "ZX":
                        found.append(Process(pid=int(entry.name), parent=int(state[1]), command=command))
        return found

    def record(self) -> RunRecord | None:
        """What stands of the run; None if it was killed before there was one."""
        runs = sorted(self.home.runs.glob("*/run.json"))
        assert len(runs) <= 1, self.story(f"there are several runs: {runs}")
        return read_run(runs[0].parent) if runs else None

    def _check_kept(self, before: RunRecord | None) -> None:
        """Steps that had finished were not run again."""
        after = self.record()
        if before is None or after is None:
            return
        began = {step.name: step.started for step in after.steps}
        again = [step.name for step in before.steps if step.status in DONE and began[step.name] != step.started]
        assert not again, self.story(f"run again: {again}")

    def check_whole(self) -> None:
        """Store, records and databases are whole."""
        for path in (self.home.store / "sha256").glob("??/*"):
            if not path.name.startswith("."):
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
                assert digest == path.parent.name + path.name, self.story(f"{path} is damaged")
        problems: list[str] = []
        rows = list_runs(self.home.root, tell=problems.append)
        assert not problems, self.story(str(problems))
        assert all(row.problem is None for row in rows), self.story(str(rows))
        for name in ("records.db", "files.db"):
            if (self.home.root / name).exists():
                with closing(sqlite3.connect(self.home.root / name)) as connection:
                    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",), self.story(name)
        for path in [*self.home.runs.glob("*/notebook.ipynb"), *self.home.runs.glob("*/steps/*.ipynb")]:
            nbformat.read(path, 4)
        record = self.record()
        assert record is None or record.status is not RunStatus.RUNNING, self.story("it is said to run still")

    def story(self, what: str) -> str:
        """What went wrong, with all that is needed to repeat it."""
        said = (self.folder / "said.txt").read_text("utf-8", "replace")[-3000:]
        return f"trial {self.number} ({self.notebook}, {self.executor}): {what}\n{self.told}\n{said}"


def prepare(folder: Path, notebook: str) -> None:
    """Makes a folder with a notebook in it; `NAME-2` is NAME with two workers."""
    folder.mkdir(parents=True)
    name, _, workers = notebook.partition("-")
    source = next(NOTEBOOKS.glob(f"{name}.*"))
    text = source.read_text()
    (folder / f"made{source.suffix}").write_text(
        text.replace("workers = 0", f"workers = {workers}") if workers else text
    )
    (folder / "said.txt").touch()


def undisturbed(folder: Path, notebook: str, executor: str) -> tuple[Values, float]:
    """What a run leaves that nobody kills, and how long it takes."""
    trial = Trial(number=0, notebook=notebook, executor=executor, folder=folder)
    prepare(folder, notebook)
    began = time.monotonic()
    trial.finish(trial.start(trial.command(None)), expect=(0,))
    seconds = time.monotonic() - began
    trial.check_whole()
    return values_of(trial.home, folder), seconds


def values_of(home: Home, folder: Path) -> Values:
    """What the one run in a home left."""
    (told,) = home.runs.glob("*/run.json")  # a run that was killed at once may have left its folder, empty
    run = told.parent
    record = read_run(run)
    assert record.status is RunStatus.SUCCEEDED, record.status
    cells = nbformat.read(run / "notebook.ipynb", 4).cells
    return Values(
        steps={
            step.name: (
                sorted((group.names, group.digest) for group in step.outputs),
                {kind: step.state[kind] for kind in GENERATORS & step.state.keys()},
            )
            for step in record.steps
        },
        metrics=dict(record.metrics),
        series={
            step.name: {name: list(points) for name, points in read_logged(run, step.name).items() if name not in SPEED}
            for step in record.steps
        },
        outputs=[(cell.source, _shown(cell)) for cell in cells if cell.cell_type == "code"],
        files={path.name: path.read_bytes() for path in sorted(folder.glob("left_*"))},
    )


def _shown(cell: Any) -> str:
    outputs = json.loads(json.dumps(cell.outputs))
    return json.dumps([{key: each[key] for key in each if key != "execution_count"} for each in outputs])


def compare(found: Values, expected: Values) -> str:
    """Where they differ, in words; empty where they do not."""
    names = [name for name in Values.__slots__ if getattr(found, name) != getattr(expected, name)]
    return "\n".join(f"{name}: {getattr(found, name)!r}\n not {getattr(expected, name)!r}" for name in names)
