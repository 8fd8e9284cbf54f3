"""The kernels of a run: forked ones, and on a doubt about these, cold ones that are started ahead of need."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.execution.checks.nb518_cold_kernels import cold_kernels
from nb2pipe.execution.checks.nb519_forked_kernels import forked_kernels
from nb2pipe.executors.kernels.cold import Started, kernel_spec, open_connection, start_cold
from nb2pipe.executors.kernels.forking import DoubtError, Parent, ParentSpec, RefusedError, StoppedError
from nb2pipe.executors.kernels.imports import early_imports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nb2pipe.executors.kernels.cold import KernelSpec
    from nb2pipe.executors.kernels.imports import EarlyImport
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.records.events import Event

VARIABLE = "NB2PIPE_KERNELS"
"""The environment variable that keeps kernels from being forked: `cold`."""
_GLANCE = 0.002
"""Seconds between two looks at a kernel that is about to be ready."""
_READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What kernels have in common that may be forked from one parent.

    Attributes:
        notebook: Whose steps they run.
        kernel: Its name.
        folder: Their working directory.
        environment: Their environment variables.
        seed: The initial random state.
        needed: The lines that the steps may run which are still to come, by cell; what only others import is left to
            them. None where that is not known.
    """

    notebook: Notebook
    kernel: str
    folder: Path
    environment: Mapping[str, str]
    seed: int
    needed: Mapping[int, frozenset[int]] | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class _Source:
    """Where the kernels of one place come from.

    Attributes:
        spec: How a cold one is started; None where only Jupyter knows.
        imports: What the parent imports.
        parent: From which they are forked; None for cold ones.
        left_out: The import that is not made early, and why.
        doubt: Why they are cold.
        told: The run has said which it uses.
    """

    place: Place
    spec: KernelSpec | None
    imports: tuple[EarlyImport, ...] = ()
    parent: Parent | None = None
    left_out: tuple[str, str] | None = None
    doubt: str | None = None
    told: bool = False
    spares: list[Started] = field(default_factory=list)


class Kernels:
    """Gives each step of a run a kernel. It may be used from several threads.

    Args:
        steps: How many steps the run may have.
        jobs: How many of them run at a time.
    """

    def __init__(self, steps: int, jobs: int) -> None:
        self._left = steps
        self._jobs = jobs
        self._lock = threading.Lock()
        self._sources: dict[tuple[str, str, str], _Source] = {}
        self._closed = False

    def prepare(self, place: Place) -> None:
        """Begins with what the first kernel of a place needs, and does not wait for it."""
        with self._lock:
            self._source(place)

    def take(
        self,
        place: Place,
        own: Mapping[str, str],
        emit: Callable[[Event], None],
        wants_stop: Callable[[], object],
    ) -> Started | None:
        """A kernel that is ready, or has ended already.

        Args:
            place: For which it is.
            own: Environment variables of this kernel alone.
            emit: Takes the note which kernels the run uses.
            wants_stop: Gives something true once nobody wants the kernel any more.

        Returns:
            The kernel; None where only Jupyter knows to start it.

        Raises:
            NoSuchKernel: There is none of the name.
            StoppedError: `wants_stop` said so.
        """
        with self._lock:
            if self._closed:
                raise StoppedError
            source = self._source(place)
            self._left -= 1
        kernel = self._forked(source, own, wants_stop)
        with self._lock:
            self._tell(source, emit)
            if kernel is None and source.spec is not None:
                kernel = self._cold(source, own)
            self._start_spares(source)
        return kernel

    def close(self) -> None:
        """Ends all that was started."""
        with self._lock:
            self._closed = True
            for source in self._sources.values():
                for spare in source.spares:
                    spare.dispose()
                if source.parent is not None:
                    source.parent.close()
            self._sources.clear()

    # -- where kernels come from

    def _source(self, place: Place) -> _Source:
        key = (place.notebook.path, str(place.folder), place.kernel)
        if key not in self._sources:
            spec = kernel_spec(place.kernel)
            made = _Source(place=place, spec=spec, doubt=_doubt(place, spec))
            if made.doubt is None:
                made.imports = tuple(each for each in early_imports(place.notebook) if _is_needed(each, place))
                self._start_parent(made)
            self._sources[key] = made
        return self._sources[key]

    def _start_parent(self, source: _Source) -> None:
        assert source.spec is not None
        place = source.place
        spec = ParentSpec(
            command=source.spec.command,
            variables={**place.environment, **source.spec.variables},
            folder=place.folder,
            seed=place.seed,
            imports=source.imports,
        )
        try:
            source.parent = Parent(spec)
        except DoubtError as error:
            source.doubt = str(error)

    def _forked(self, source: _Source, own: Mapping[str, str], wants_stop: Callable[[], object]) -> Started | None:
        """A forked kernel; None where there is a doubt about them."""
        with self._lock:
            spare = None if own or source.doubt else _spare(source)
        if spare is not None:
            _await(spare, wants_stop)
            return spare
        while (parent := source.parent) is not None and source.doubt is None:
            try:
                kernel = _fork(parent, source.place, own, wants_stop)
            except RefusedError as error:
                with self._lock:
                    if source.parent is parent:
                        self._leave_out(source, parent, error)
            except DoubtError as error:
                with self._lock:
                    if source.parent is parent:  # else another step has begun anew
                        source.doubt = str(error)
                        source.parent = None
                        parent.close()
            else:
                _await(kernel, wants_stop)
                return kernel
        return None

    def _leave_out(self, source: _Source, parent: Parent, error: RefusedError) -> None:
        """Begins again without an import, and those after it, which it may decide on."""
        parent.close()
        source.parent = None
        refused = source.imports[error.number]
        if source.left_out is not None or self._closed:
            source.doubt = f"`{refused.source}` is more than an import: {error.reason}"
            return
        source.left_out = (refused.source, error.reason)
        source.imports = source.imports[: error.number]
        self._start_parent(source)

    def _cold(self, source: _Source, own: Mapping[str, str]) -> Started | None:
        assert source.spec is not None
        spare = None if own else _spare(source)
        return spare or start_cold(source.spec, {**source.place.environment, **own}, source.place.folder)

    def _start_spares(self, source: _Source) -> None:
        """Starts the kernels of the next steps, while this one runs."""
        while len(source.spares) < min(self._jobs, self._left) and not self._closed:
            spare = _new_spare(source)
            if spare is None:
                return
            source.spares.append(spare)

    def _tell(self, source: _Source, emit: Callable[[Event], None]) -> None:
        if source.told:
            return
        source.told = True
        now = time.time()
        if source.doubt is not None:
            emit(cold_kernels(source.doubt, time=now))
        else:
            made = source.parent.made if source.parent is not None else 0
            modules = [name for each in source.imports[:made] for name in each.modules]
            emit(forked_kernels(modules, source.left_out, time=now))


def _doubt(place: Place, spec: KernelSpec | None) -> str | None:
    """Why the kernels of a place are not forked, as far as that is known before it is tried."""
    if os.environ.get(VARIABLE) == "cold":
        return f"{VARIABLE}=cold"
    if sys.platform != "linux" or not hasattr(os, "pidfd_open"):
        return "this is not Linux"
    if spec is None or not spec.is_this_python:
        return f"the kernel `{place.kernel}` is not this Python's"
    return None


def _is_needed(each: EarlyImport, place: Place) -> bool:
    return place.needed is None or each.line in place.needed.get(each.cell, ())


def _spare(source: _Source) -> Started | None:
    """A kernel that was started ahead of need, if there is one that lives."""
    while source.spares:
        spare = source.spares.pop(0)
        if spare.process.look() is None:
            return spare
        spare.dispose()
    return None


def _new_spare(source: _Source) -> Started | None:
    if source.parent is not None:
        with suppress(DoubtError, RefusedError):  # then the step that needs it finds out
            return _fork(source.parent, source.place, {}, lambda: False)
    elif source.spec is not None:
        return start_cold(source.spec, source.place.environment, source.place.folder)
    return None


def _fork(parent: Parent, place: Place, own: Mapping[str, str], wants_stop: Callable[[], object]) -> Started:
    opened = open_connection(place.kernel)
    if opened is None:
        raise DoubtError("the temporary folder's path is too long for sockets")
    connection, file, folder = opened
    log = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the kernel
    try:
        process = parent.fork({"file": file, "folder": str(place.folder), "own": dict(own)}, log.fileno(), wants_stop)
    except Exception:
        log.close()
        folder.cleanup()
        raise
    return Started(process=process, connection=connection, file=file, folder=folder, log=log)


def _await(kernel: Started, wants_stop: Callable[[], object]) -> None:
    """Until a forked kernel is ready, or has ended, or nobody wants it any more."""
    end = time.monotonic() + _READY_SECONDS
    while kernel.process.look() is None and not kernel.process.ready and time.monotonic() < end and not wants_stop():
        time.sleep(_GLANCE)
