"""The record of a training in a plain notebook or script: a run of its own in the home."""

from __future__ import annotations

import ast
import atexit
import os
import secrets
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.errors import RecordsError
from nb2pipe.records.checks.nb692_training_went_on import went_on
from nb2pipe.records.events import (
    CheckpointSaved,
    DataUsed,
    Failure,
    MetricLogged,
    ParameterSet,
    RunFinished,
    RunStarted,
    RunStatus,
    SeriesRecorded,
    StepFailed,
    StepFinished,
    StepStarted,
)
from nb2pipe.records.files import read_run, series_path
from nb2pipe.records.home import find_home
from nb2pipe.records.model import Checkpoint
from nb2pipe.records.process import is_gone, this_process
from nb2pipe.records.recorder import Recorder
from nb2pipe.records.series import recorded_checkpoints
from nb2pipe.runtime.journal import Journal
from nb2pipe.runtime.new_secrets import secrets_in
from nb2pipe.runtime.recording.recording import Recording, is_recorded_here
from nb2pipe.runtime.resuming import CHECKPOINTS, note_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.records.events import Event
    from nb2pipe.records.masking import Masking
    from nb2pipe.tracking.training.scopes import Scope

STEP = "main"
"""The name of the one step of such a run."""


_RANKS = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "SLURM_PROCID", "SLURM_ARRAY_TASK_ID")
"""Environment variables that tell apart processes which run the same program side by side."""

_open: dict[str, Outside] = {}
"""Those whose loop is over, while the cell or script that it is in is not, by their run."""
_waits: list[bool] = []
"""Whether somebody tells when that ends."""


class _Recorded(Journal):
    """Takes what code logs into the record of a run."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        super().__init__()
        self._tell = tell

    def log(self, values: Mapping[str, float], index: int | None) -> None:
        super().log(values, index)
        now = time.time()
        for name, value in values.items():
            self._tell(MetricLogged(step=STEP, name=name, value=value, time=now, index=index))

    def set(self, values: Mapping[str, object]) -> None:
        super().set(values)
        for name, value in values.items():
            self._tell(ParameterSet(step=STEP, name=name, value=value, time=time.time()))

    def use(self, path: str, sha256: str, name: str | None = None) -> None:
        super().use(path, sha256, name)
        self._tell(DataUsed(step=STEP, path=path, sha256=sha256, name=name, time=time.time()))


@dataclass(slots=True)
class Outside:
    """A run that is nothing but a training.

    Attributes:
        home: The home that it is recorded to.
        key: Digest of the program's text, its arguments and what is trained.
        run: The run's id.
        resumed: An earlier process began it and did not end it.
        source: The script or notebook, as far as it is known.
        secrets: What is not kept.
    """

    home: Path
    key: str
    run: str
    resumed: bool
    source: Path
    secrets: Masking
    began: float = 0.0
    _recorder: Recorder | None = None
    _journal: _Recorded | None = None
    _recording: Recording | None = None
    _finished: bool = False

    @classmethod
    def of(cls, scope: Scope, key: str) -> Outside:
        """The run of a training that begins now: that of a process which is gone and did not end it, or a new one."""
        source = _source(scope)
        home = find_home(Path.cwd())
        earlier = _earlier(home, key)
        run = earlier or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        return cls(home, key, run, earlier is not None, source, secrets_in(scope.variables))

    @property
    def folder(self) -> Path:
        """The checkpoints of its trainings."""
        return self.home / "runs" / self.run / CHECKPOINTS / STEP

    def begin(self, name: str) -> None:
        """Begins the record, or goes on with it.

        Args:
            name: The training's.
        """
        _make(self.home)
        before = _open.pop(self.run, None)
        if before is not None:
            before.drop()
        self.began = time.time()
        self._recorder = Recorder(self.home / "runs" / self.run, masking=self.secrets)
        self._tell(
            RunStarted(
                run=self.run,
                pipeline=self.source.stem or "training",
                notebook=str(self.source),
                notebook_digest=self.key,
                steps=(STEP,),
                time=self.began,
                executor="none",
                resumed=self.resumed,
            )
        )
        with suppress(RecordsError):
            self._recorder.settle()  # workers that a loader forks would keep open what a thread has open then
        self._tell(StepStarted(step=STEP, time=self.began, cells=(), description=f"training {name}"))
        self._journal = _Recorded(self._tell)
        self._journal.begin()
        self._record_loop()
        note = note_of(self.home, self.key)
        with suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(f"{self.run}\n", encoding="utf-8")

    def _record_loop(self) -> None:
        """Has the loop recorded as it stands, if that of another training around it is not."""
        if is_recorded_here():
            return
        self._recording = Recording(self._series)
        with suppress(OSError):
            self._recording.begin()

    @property
    def _series(self) -> Path:
        return series_path(self.home / "runs" / self.run, STEP)

    def _stop(self) -> None:
        """What comes after the loop is no part of the record."""
        if self._journal is not None:
            self._journal.end()
        recording, self._recording = self._recording, None
        if recording is None:
            return
        recording.finish()
        now = time.time()
        self._tell(SeriesRecorded(step=STEP, series=recording.counts(), folder=str(self._series), time=now))
        for each in recorded_checkpoints(self._series):
            self._tell(CheckpointSaved(step=STEP, checkpoint=each, time=now))

    def went_on(self, where: str) -> None:
        """The training goes on at a checkpoint."""
        told = went_on(STEP, where, time=time.time(), run=self.run)
        self._tell(told)
        print(f"nb2pipe: {told.message}; {told.hint}", file=sys.stderr)  # noqa: T201  # nobody else tells it here

    def saved(self, path: Path, sha256: str, step: int, epoch: int | None) -> None:
        """A checkpoint was written."""
        checkpoint = Checkpoint(path=str(path), sha256=sha256, step=step, epoch=epoch)
        self._tell(CheckpointSaved(step=STEP, checkpoint=checkpoint, time=time.time()))

    def over(self) -> None:
        """The loop has ended; if it is run again, it begins anew, as soon as all around it has ended too."""
        self._stop()
        self._end(RunStatus.SUCCEEDED)
        self._finished = True
        _open[self.run] = self
        _await_end()

    def left(self) -> None:
        """The loop was left before its last epoch; whether by an error shows when the cell or script ends."""
        self._stop()
        _open[self.run] = self
        _await_end()

    def settle(self, error: BaseException | None) -> None:
        """The cell or script ended: a training that it did not interrupt begins anew the next time."""
        if error is None:
            with suppress(OSError):
                note_of(self.home, self.key).unlink(missing_ok=True)
        if self._finished:
            return
        if error is None:
            self._end(RunStatus.SUCCEEDED)
        elif isinstance(error, Exception):
            self._end(RunStatus.FAILED, error)
        else:
            self._end(RunStatus.INTERRUPTED)

    def _end(self, status: RunStatus, error: BaseException | None = None) -> None:
        """Ends the record."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            return
        now = time.time()
        seconds = now - self.began
        failure = (
            None
            if error is None
            else Failure(
                step=STEP, cell=None, line=None, kind=type(error).__name__, message=self.secrets.text(str(error))
            )
        )
        with suppress(RecordsError):
            if status is RunStatus.SUCCEEDED:
                recorder.handle(StepFinished(step=STEP, time=now, seconds=seconds))
            elif failure is not None:
                recorder.handle(StepFailed(step=STEP, time=now, seconds=seconds, failure=failure))
            recorder.handle(RunFinished(run=self.run, status=status, time=now, seconds=seconds, failure=failure))
            recorder.close()

    def drop(self) -> None:
        """Somebody else goes on with the run."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            with suppress(RecordsError):
                recorder.close()

    def _tell(self, event: Event) -> None:
        if self._recorder is not None:
            with suppress(RecordsError):
                self._recorder.handle(self.secrets.event(event))


def _await_end() -> None:
    """Has somebody tell when the cell or script ends that runs now."""
    shell = _shell()
    if shell is None:
        if not _waits:
            _waits.append(True)
            atexit.register(lambda: settle(getattr(sys, "last_value", None)))
        return

    def ended(result: Any) -> None:
        shell.events.unregister("post_run_cell", ended)
        settle(getattr(result, "error_in_exec", None))

    shell.events.register("post_run_cell", ended)


def settle(error: BaseException | None) -> None:
    """The cell or script ended, by an error where there is one."""
    while _open:
        _, one = _open.popitem()
        one.settle(error)


def identity(scope: Scope, structure: object) -> str:
    """Digest of a program's text, its arguments and what is trained; two trainings of a program may have the same."""
    given = sys.argv[1:] if _is_script() else []
    torch = sys.modules.get("torch")
    given += [f"seed {torch.initial_seed()}"] if torch is not None else []  # what was drawn before the loop is another
    given += [f"{name}={os.environ[name]}" for name in _RANKS if name in os.environ]
    return str(Digest.of("program", [str(_source(scope)), _plain(scope.text), given, structure]))


def _make(home: Path) -> None:
    with suppress(OSError):
        (home / "runs").mkdir(parents=True, exist_ok=True)
        (home / "store").mkdir(exist_ok=True)
        if not (home / ".gitignore").exists():
            (home / ".gitignore").write_text("*\n", encoding="ascii")


def _earlier(home: Path, key: str) -> str | None:
    """The run of the same training that did not end, if its process is gone, or is this one."""
    try:
        run = note_of(home, key).read_text(encoding="utf-8").strip()
        record = read_run(home / "runs" / os.path.basename(run))  # noqa: PTH119  # a name
    except (OSError, RecordsError, UnicodeDecodeError):
        return None
    ours = this_process()
    mine = record.process is not None and (record.process.host, record.process.pid) == (ours.host, ours.pid)
    return record.run if mine or is_gone(record.process) else None


def _source(scope: Scope) -> Path:
    """The script, or the notebook where Jupyter says which."""
    if _is_script():
        return Path(str(sys.modules["__main__"].__file__)).absolute()
    told = os.environ.get("JPY_SESSION_NAME") or str(scope.variables.get("__vsc_ipynb_file__") or "")
    return Path(told).absolute() if told else Path.cwd() / "notebook"


def _is_script() -> bool:
    return _shell() is None and getattr(sys.modules.get("__main__"), "__file__", None) is not None


def _shell() -> Any:
    module = sys.modules.get("IPython.core.getipython")
    return module.get_ipython() if module is not None else None


def _plain(text: str) -> str:
    """A program without its comments and empty lines."""
    try:
        return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError):
        return text
