"""One step inside its kernel: what our cells, and the executor between cells, call.

The session is kept here and not in the user's namespace. What comes of it goes to the file that the executor named.
"""

from __future__ import annotations

import hashlib
import os
import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import StoreError
from nb2pipe.records.file_digests import FileDigests
from nb2pipe.runtime.figures import prepare_figures
from nb2pipe.runtime.frames import Cells, describe
from nb2pipe.runtime.generators import ALL as GENERATORS
from nb2pipe.runtime.generators import Generators
from nb2pipe.runtime.hidden import Hidden
from nb2pipe.runtime.journal import POINTS, Journal
from nb2pipe.runtime.keeping import Keeper
from nb2pipe.runtime.new_secrets import PIPE, NewSecrets
from nb2pipe.runtime.numbers import metrics_of
from nb2pipe.runtime.observing.observer import Observer, setting
from nb2pipe.runtime.outputs import collect
from nb2pipe.runtime.recording.recording import Recording
from nb2pipe.runtime.resuming import Resuming, note_of
from nb2pipe.runtime.spec import StepSpec
from nb2pipe.runtime.summaries import summaries
from nb2pipe.runtime.type_names import type_names
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.runtime.spec import GroupSpec
    from nb2pipe.store.base import Store

_sessions: list[Session] = []
"""The one session of this process; empty until it begins."""


class Session:
    """A step that is being run in this kernel.

    Args:
        spec: What the executor told.
        namespace: The user's.
        store: Where artifacts lie; the spec's if it is not given.
        points: Where the points of series go; beside the spec's result if it is not given.
    """

    def __init__(
        self, spec: StepSpec, namespace: dict[str, Any], store: Store | None = None, points: Path | None = None
    ) -> None:
        self.spec = spec
        self.namespace = namespace
        self.keeper = Keeper(store or _store(Path(spec.store)), namespace)
        self.loaded: dict[GroupSpec, dict[str, object]] = {}
        self.journal = Journal(
            points or (Path(spec.result).with_name(POINTS) if spec.result else None),
            Path(spec.series) if spec.result and spec.series else None,
        )
        self.metrics: dict[str, float] = {}
        self.measured: set[int] = set()
        kinds = {generator.kind for generator in GENERATORS}
        given = {kind: self.keeper.get(digest) for kind, digest in spec.state.items() if kind in kinds}
        self.generators = Generators(spec.seed, given)
        state = {kind: digest for kind, digest in spec.state.items() if kind not in kinds}
        self.hidden = Hidden(self.keeper, state, spec.patched, spec.folder)
        self.recording = Recording(Path(spec.series) if spec.series else None)
        self.secrets = NewSecrets(Path(spec.result).with_name(PIPE)) if spec.result else None
        folder = str(Path(spec.result).parent)
        self.observer = Observer((str(Path(spec.store).parent),), folder) if spec.result else None
        self.journal.resuming = _resuming(spec, self.observer)

    def begin(self) -> None:
        """Sets the working directory, hidden state and random generators."""
        os.chdir(self.spec.folder)
        self.hidden.begin()
        self.generators.begin()
        self.journal.begin()
        self.recording.begin()
        if self.observer is not None:
            self.observer.begin()
        if self.secrets is not None:
            self.secrets.look()
            setting[:] = [self.secrets.take]

    def load(self, names: frozenset[str]) -> None:
        """Loads the groups that hold the names, and gives the user those of their variables that the step takes."""
        for group in self.spec.inputs:
            if group not in self.loaded and names & set(group.names):
                values = self.keeper.load(group.names, group.digest)
                self.loaded[group] = values
                self.namespace.update({name: values[name] for name in group.take})
        prepare_figures()
        self.hidden.settle()
        self.generators.settle()

    def measure(self, cell: int, values: Mapping[str, object] | None = None) -> None:
        """Takes the metrics of a cell that has just run; `values` are its variables where they are not the user's."""
        self.measured.add(cell)
        self.metrics.update(metrics_of(self.spec.metrics.get(cell, ()), self.namespace if values is None else values))

    def leave(self) -> dict[str, Any]:
        """Stores what the step leaves; the result for the executor."""
        self.recording.finish()
        seen = self.observer.end() if self.observer is not None else {}
        state = {kind: self.keeper.put(data) for kind, data in self.generators.changed().items()}
        left = {name: self.namespace[name] for name in self.spec.outputs if name in self.namespace}
        state |= self.hidden.changed(left)
        for cell in sorted(self.spec.metrics.keys() - self.measured):
            self.measure(cell)
        found = collect(self.spec, self.keeper, self.loaded)
        self.journal.end()
        if self.journal.resuming is not None:
            self.journal.resuming.end()
        logged = self.journal.told()
        return {
            "outputs": [{"names": list(group.names), "digest": str(group.digest)} for group in found.groups],
            "unchanged": list(found.unchanged),
            "unstorable": [vars_of(error) for error in found.unstorable],
            "state": state,
            "lost": self.hidden.lost,
            "metrics": {**logged["metrics"], **self.metrics},
            "series": {**self.recording.counts(), **logged["series"]},
            "checkpoints": self.recording.checkpoints(),
            "unrecorded": self.recording.problems(),
            "parameters": logged["parameters"],
            "data": logged["data"],
            "figures": logged["figures"],
            "types": type_names(self.namespace, self.spec.outputs),
            "summaries": summaries(self.namespace, self.spec.outputs),
            "seen": seen,
        }

    def close(self) -> dict[str, Any]:
        """Ends a step of which nothing is to be stored; what was seen and logged."""
        self.recording.finish()
        seen = self.observer.end() if self.observer is not None else {}
        self.journal.end()
        if self.journal.resuming is not None:
            self.journal.resuming.end()
        logged = self.journal.told()
        unrecorded = self.recording.problems()
        return {**logged, "metrics": {**logged["metrics"], **self.metrics}, "seen": seen, "unrecorded": unrecorded}

    def failed(self, errors: list[dict[str, Any]]) -> dict[str, Any]:
        """What the executor is told of errors, and of what was logged before them."""
        self.recording.finish()
        self.journal.flush()
        seen = {"seen": self.observer.so_far()} if self.observer is not None else {}
        unrecorded = self.recording.problems()
        return {"errors": errors, "logged": self.journal.told(), "unrecorded": unrecorded, **seen}


def _store(folder: Path) -> LocalStore:
    """The store of a home, with what the home knows of large files."""
    home = folder.parent
    return LocalStore(folder, FileDigests(home / "files.db") if (home / "runs").is_dir() else None)


def _resuming(spec: StepSpec, observer: Observer | None) -> Resuming | None:
    """Where trainings of the step save what they go on from."""
    if not spec.checkpoints:
        return None
    return Resuming(
        folder=Path(spec.checkpoints),
        key=spec.key,
        seed=spec.seed,
        note=note_of(Path(spec.store).parent, spec.key) if spec.store else None,
        continues=spec.continues,
        outputs=frozenset((*spec.required, *spec.reads)),
        figures=Path(spec.figures) if spec.figures else None,
        seen=(lambda: {"reads": dict(observer.seen.reads)}) if observer is not None else dict,
    )


def vars_of(error: Any) -> dict[str, str | None]:
    """An `UnstorableError` as JSON."""
    return {"name": error.name, "path": error.path, "hint": error.hint, "message": str(error)}


def enter(data: dict[str, object]) -> None:
    """Begins the step; `data` is what `StepSpec.literal` wrote.

    Raises:
        StoreError: The store does not hold what the step is to be given.
    """
    spec = StepSpec.read(data)
    _sessions.clear()
    with Telling(spec.result):
        session = Session(spec, _user_namespace())
        session.begin()
        _sessions.append(session)


def load(names: Sequence[str]) -> None:
    """Gives the user's namespace the step's inputs among these names, with all that shares objects with them.

    Raises:
        StoreError: They cannot be loaded.
    """
    session = _sessions[-1]
    with Telling(session.spec.result):
        session.load(frozenset(names))


def measure(cell: int) -> None:
    """Takes the metrics of the cell at a position."""
    _sessions[-1].measure(cell)


def leave() -> None:
    """Ends the step: stores what it leaves, and tells the executor.

    Raises:
        StoreError: The store cannot be written.
    """
    session = _sessions[-1]
    with Telling(session.spec.result):
        write_result(session.spec.result, {"completed": session.leave()})


def explain(cells: Sequence[tuple[Any, str]], folder: str) -> None:
    """Tells the executor of the error that the last cell raised.

    Args:
        cells: Keys and sources of the cells that may be in its traceback, those that matter first.
        folder: The notebook's; modules in it are the author's code too.
    """
    error = getattr(sys, "last_value", None)
    if error is not None:
        session = _sessions[-1]
        write_result(session.spec.result, session.failed(describe(error, Cells(cells, file_names), folder)))


class Telling:
    """Writes an error of the store, or of our own, to the result before it is raised in the cell."""

    def __init__(self, result: str) -> None:
        self._result = result

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, Exception):
            hint = error.hint if isinstance(error, StoreError) else None
            broken = {"kind": type(error).__name__, "message": str(error), "hint": hint}
            write_result(self._result, {"broken": {**broken, "store": isinstance(error, StoreError | OSError)}})


def write_result(result: str, data: dict[str, Any]) -> None:
    """Tells the executor what came of the step; the file is there as a whole or not at all."""
    path = Path(result)
    if not path.parent.is_dir():  # the step notebook is run by hand, long after
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(dumps(data), encoding="utf-8")
    temporary.replace(path)


def _user_namespace() -> dict[str, Any]:
    return vars(sys.modules["__main__"])


def file_names(source: str) -> list[str]:
    """The names of a cell's code: the one that IPython gives it, and the one under which its functions travel."""
    from IPython.core.getipython import get_ipython  # only in a kernel

    shell = get_ipython()
    if shell is None:
        return []
    try:
        lines = shell.transform_cell(source).splitlines()
    except SyntaxError:
        lines = []
    travels = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    return [str(shell.compile.get_code_name(source, source, 0)), f"<notebook {travels[:12]}>"]
