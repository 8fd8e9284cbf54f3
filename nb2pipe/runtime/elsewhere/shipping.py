"""Brings the record of one step to a store, and the run's up to date with it.

Where the store is no folder, a process of its own does: what reaches it starts threads and draws random numbers.

Several steps may end at the same time on several machines, and each writes the run's record from all steps that it
finds. So each looks once more after it has written: the last one that writes has seen all of them.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import Nb2pipeError, RecordsError
from nb2pipe.records import surroundings
from nb2pipe.records.codec import Json, run_file, run_of, step_file, step_of
from nb2pipe.records.data import data_of
from nb2pipe.records.events import RunStatus, StepStatus
from nb2pipe.records.files import DIFFERENCE, RUN_FILE, STEPS, safe_name
from nb2pipe.records.model import GitRecord
from nb2pipe.records.series import SERIES, is_recorded
from nb2pipe.runtime.elsewhere.apart import Apart
from nb2pipe.store.place import Place, is_folder, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.records.model import RunRecord, StepRecord

_ROUNDS = 20
_MOST_BYTES = 1 << 28
"""Of the points of a step's series; about ten million of them."""
_PROCESS = "nb2pipe.runtime.elsewhere.shipping"
_COMMITS = ("NB2PIPE_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
"""Variables that say the commit where there is no repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is brought.

    Attributes:
        run: The run, with the names of all its steps.
        steps: The step that runs or ran, and those that nobody is to run because of it.
        folder: The bundle's.
        series: Folders with the series of the first step; none where there are none yet.
    """

    run: RunRecord
    steps: tuple[StepRecord, ...]
    folder: str
    series: tuple[str, ...] = ()


class Shipment:
    """Records on their way to a store: in a folder they are at once, anywhere else a process brings them.

    Args:
        url: The store.
        parcel: What is to be brought.
        environment: The variables that the step began with, credentials among them.
    """

    def __init__(self, url: str, parcel: Parcel, environment: Mapping[str, str]) -> None:
        self._process: Apart | None = None
        self._problem: str | None = None
        try:
            if is_folder(url):
                bring(place(url), parcel)
            else:
                self._process = _process(url, parcel, environment)
        except Nb2pipeError as error:
            self._problem = error.message
        except OSError as cause:
            self._problem = str(cause)

    def arrived(self, seconds: float) -> str | None:
        """Waits until they are there.

        Args:
            seconds: How long at most.

        Returns:
            Why they are not, or None.
        """
        process, self._process = self._process, None
        error = process.wait(seconds) if process else None
        return " ".join(error.message.split()) if error else self._problem


def _process(url: str, parcel: Parcel, environment: Mapping[str, str]) -> Apart:
    steps = [step_file(step) for step in parcel.steps]
    facts = {
        "url": url,
        "folder": parcel.folder,
        "series": list(parcel.series),
        "run": run_file(parcel.run),
        "steps": steps,
    }
    return Apart(_PROCESS, facts, environment)


def main(told: Mapping[str, Any]) -> None:
    """What the process does.

    Raises:
        StoreError: The store cannot be reached, or refuses.
        RecordsError: What is there is no record.
    """
    steps = tuple(map(step_of, told["steps"]))
    run = run_of(told["run"], {})
    bring(place(told["url"]), Parcel(run=run, steps=steps, folder=told["folder"], series=tuple(told["series"])))


def bring(to: Place, parcel: Parcel) -> None:
    """Writes the records of steps, and that of the run from all steps that are there.

    Args:
        to: The store.
        parcel: What is to be brought.

    Raises:
        StoreError: The store cannot be reached, or refuses.
        RecordsError: What is there is no record.
    """
    home = f"runs/{parcel.run.run}"
    paths = {each.name: f"{home}/{STEPS}/{safe_name(each.name)}.json" for each in parcel.run.steps}
    _bring_series(to, f"{home}/{SERIES}/{safe_name(parcel.steps[0].name)}", parcel.series)
    for step in parcel.steps:
        to.write(paths[step.name], _text(step_file(step)))
    before = to.read_all([f"{home}/{RUN_FILE}"]).get(f"{home}/{RUN_FILE}")
    base = _known(before, parcel.run) if before else _looked_around(to, parcel)
    found = to.read_all(list(paths.values()))
    for _ in range(_ROUNDS):
        to.write(f"{home}/{RUN_FILE}", _text(run_file(merged(base, _steps(base, paths, found)))))
        again = to.read_all(list(paths.values()))
        if again == found:
            return
        found = again


def _bring_series(to: Place, target: str, series: Sequence[str]) -> None:
    """Brings the series of a step, and its list of checkpoints, but for what is too large for a record."""
    left = _MOST_BYTES
    for path in (path for folder in series for path in sorted(Path(folder).glob("*"))):
        with suppress(OSError):  # it is another program's folder
            left -= path.stat().st_size
            if is_recorded(path.name) and left >= 0:
                to.write(f"{target}/{path.name}", path.read_bytes())


def merged(run: RunRecord, steps: tuple[StepRecord, ...]) -> RunRecord:
    """The run as its steps tell of it."""
    began = [step.started for step in steps if step.started is not None]
    ended = [step.started + (step.seconds or 0.0) for step in steps if step.started is not None]
    status = _status(steps)
    over = status is not RunStatus.RUNNING
    return replace(
        run,
        steps=steps,
        status=status,
        started=min(began, default=run.started),
        finished=max(ended) if over and ended else None,
        seconds=max(ended, default=0.0) - min(began, default=0.0),
        metrics={name: value for step in steps for name, value in step.metrics.items()},
        data=data_of(steps),
        checkpoints=tuple(each for step in steps for each in step.checkpoints),
        failure=next((step.failure for step in steps if step.failure is not None), None),
    )


def _status(steps: tuple[StepRecord, ...]) -> RunStatus:
    states = {step.status for step in steps}
    if StepStatus.FAILED in states:
        return RunStatus.FAILED
    if StepStatus.INTERRUPTED in states:
        return RunStatus.INTERRUPTED
    over = states <= {StepStatus.RAN, StepStatus.REUSED, StepStatus.SKIPPED}
    return RunStatus.SUCCEEDED if over else RunStatus.RUNNING


def _known(before: bytes, run: RunRecord) -> RunRecord:
    """The run as an earlier step began it, with the parameters of this one."""
    try:
        known = run_of(json.loads(before), {})
    except (ValueError, RecordsError):
        return run
    parameters = {**known.parameters, **run.parameters}
    masked = tuple(dict.fromkeys((*known.masked, *run.masked)))
    notes = (*known.notes, *run.notes)
    return replace(known, parameters=parameters, masked=masked, notes=notes, steps=run.steps)


def _looked_around(to: Place, parcel: Parcel) -> RunRecord:
    state = surroundings.git_state(Path(parcel.folder))
    if state and state.difference:
        to.write(f"runs/{parcel.run.run}/{DIFFERENCE}", state.difference)
    commit = next((os.environ[name] for name in _COMMITS if os.environ.get(name)), None)
    git = state.record if state else GitRecord(commit=commit, dirty=False) if commit else None
    return replace(parcel.run, git=git, packages=surroundings.packages(), machine=surroundings.machine())


def _steps(run: RunRecord, paths: Mapping[str, str], found: Mapping[str, bytes]) -> tuple[StepRecord, ...]:
    return tuple(
        step_of(json.loads(found[paths[step.name]])) if paths[step.name] in found else step for step in run.steps
    )


def _text(data: Json) -> bytes:
    return (json.dumps(data, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")
