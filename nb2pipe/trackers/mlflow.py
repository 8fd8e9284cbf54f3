"""The tracker `mlflow`: a run of MLflow for each run, and one in it for each step.

It goes where `MLFLOW_TRACKING_URI` says, into the experiment of `MLFLOW_EXPERIMENT_NAME`, by default that of the
pipeline's name. A run has the parameters, the metrics with their series, tags, the executed notebook and the record;
the run of a step has its own numbers and figures, and its series, thinned, since a server takes few thousand points a
second: the first thousand, then each tenth, from ten thousand on each hundredth and so on, and the last. A run that
was sent before is found again by its tag `nb2pipe.run`, and MLflow keeps equal points once.
"""

from __future__ import annotations

import base64
import json
import math
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import PluginError, RecordsError
from nb2pipe.records.events import (
    CellFinished,
    CheckpointSaved,
    FigureLogged,
    MetricLogged,
    ParameterSet,
    RunFinished,
    RunStarted,
    RunStatus,
    StepFailed,
    StepFinished,
    StepReused,
    StepSkipped,
    StepStarted,
)
from nb2pipe.records.files import read_run
from nb2pipe.records.values import plain
from nb2pipe.trackers.replay import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlflow.entities import DatasetInput

    from nb2pipe.records.events import Event
    from nb2pipe.records.model import DataFile

_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""MLflow's own let it try for minutes where a server is gone."""

_BATCH = 1000
"""The most metrics that MLflow takes at once."""
_PARAMETERS = 100
_DATA = 50
_PAUSE = 1.0
_LONGEST = 6000
_LONGEST_NAME = 250
_UNFIT = re.compile(r"[^\w\-. :/]")
_LARGEST = 1.7976931348623157e308
_STATUS = {RunStatus.SUCCEEDED: "FINISHED", RunStatus.FAILED: "FAILED", RunStatus.INTERRUPTED: "KILLED"}


class MlflowTracker:
    """Sends one run to MLflow.

    Args:
        folder: That of the run.

    Raises:
        PluginError: MLflow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise PluginError(f"MLflow cannot be imported: {error}", hint="pip install 'nb2pipe[mlflow]'") from error
        self._client = MlflowClient()
        self._folder = folder
        self._run = ""
        self._id = ""
        self._experiment = ""
        self._steps: dict[str, str] = {}
        self._series: dict[tuple[str, str], _Thinned] = {}
        self._found_again: set[str] = set()
        self._points: dict[tuple[str, str], set[tuple[int, int, str]]] = {}
        self._waiting: dict[str, list[Any]] = {}
        self._count = 0
        self._sent = time.monotonic()

    def handle(self, event: Event) -> None:
        """Takes an event.

        Raises:
            Exception: MLflow's, where the server cannot be reached or refuses.
        """
        match event:
            case RunStarted():
                self._begin(event)
            case RunFinished():
                self._finish(event)
            case ParameterSet():
                self._parameters({event.name: event.value})
            case MetricLogged():
                self._log(event)
            case _:
                self._else(event)

    def _else(self, event: Event) -> None:
        match event:
            case StepStarted() | StepReused() | StepSkipped() | StepFinished() | StepFailed():
                self._step(event)
            case CellFinished():
                self._figures(event)
            case FigureLogged(path=path) if Path(path).is_file():
                self._client.log_artifact(self._step_id(event.step, event.time), path, "figures")
            case CheckpointSaved(checkpoint=saved):
                self._tag(self._step_id(event.step, event.time), f"checkpoint.{saved.sha256[:12]}", saved.path)
            case _:
                pass

    def close(self) -> None:
        """Sends what waits.

        Raises:
            Exception: As `handle`.
        """
        self._flush()

    # -- the run

    def _begin(self, event: RunStarted) -> None:
        self._run = event.run
        self._experiment = self._experiment_of(os.environ.get("MLFLOW_EXPERIMENT_NAME") or event.pipeline)
        tags = {
            "nb2pipe.run": event.run,
            "nb2pipe.tags": ", ".join(event.tags),
            "mlflow.runName": event.name or event.run,
            "mlflow.source.name": event.notebook,
            "mlflow.source.type": "NOTEBOOK",
            "mlflow.note.content": event.note or "",
            **{f"nb2pipe.tag.{_name(tag)}": "true" for tag in event.tags},
        }
        self._id = self._found("") or self._create(tags, event.time)
        self._client.update_run(self._id, status="RUNNING")
        self._parameters({**event.parameters, "nb2pipe.seed": event.seed})

    def _experiment_of(self, name: str) -> str:
        from mlflow.exceptions import MlflowException

        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(self._client.create_experiment(name))
        except MlflowException:  # another run made it meanwhile
            found = self._client.get_experiment_by_name(name)
            if found is None:
                raise
            return str(found.experiment_id)

    def _found(self, step: str) -> str:
        """The run that was made before for this run, or a step of it."""
        where = f"tags.`nb2pipe.run` = '{_quoted(self._run)}'"
        runs = self._client.search_runs([self._experiment], where, max_results=1000)
        known = next((str(run.info.run_id) for run in runs if run.data.tags.get("nb2pipe.step", "") == step), "")
        self._found_again.add(known)
        return known

    def _create(self, tags: Mapping[str, str], began: float) -> str:
        named = {name: _text(value) for name, value in tags.items() if value}
        run = self._client.create_run(self._experiment, start_time=_moment(began), tags=named)
        return str(run.info.run_id)

    def _parameters(self, values: Mapping[str, object]) -> None:
        from mlflow.entities import Param

        # A parameter of MLflow never changes; one that is there from an earlier part of the run has this value.
        known = self._client.get_run(self._id).data.params
        new = {_name(name): _text(str(plain(value))) for name, value in values.items()}
        params = [Param(name, value) for name, value in new.items() if name not in known]
        for part in _parts(params, _PARAMETERS):
            self._client.log_batch(self._id, params=part)

    def _finish(self, event: RunFinished) -> None:
        for name, value in event.metrics.items():
            self._wait(self._id, name, value, event.time, 0)
        self._flush()
        if event.failure is not None:
            self._tag(self._id, "nb2pipe.error", f"{event.failure.kind}: {event.failure.message}")
        self._tell_origin()
        for name in ("notebook.ipynb", "run.json"):
            if (self._folder / name).is_file():
                self._client.log_artifact(self._id, str(self._folder / name))
        self._client.set_terminated(self._id, _STATUS.get(event.status, "FINISHED"), end_time=_moment(event.time))

    def _tell_origin(self) -> None:
        """Tells what the record knows of where the run comes from."""
        try:
            record = read_run(self._folder)
        except RecordsError:
            return
        if record.git is not None and record.git.commit:
            self._tag(self._id, "mlflow.source.git.commit", record.git.commit)
        self._tag(self._id, "mlflow.user", record.user)
        data = record.data[:_DATA]
        for number, file in enumerate(data, 1):
            self._tag(self._id, f"nb2pipe.data.{number}", f"{file.sha256} {file.path}")
        if data:
            self._client.log_inputs(self._id, [_dataset(file) for file in data])

    # -- steps

    def _step_id(self, step: str, began: float) -> str:
        if step not in self._steps:
            tags = {
                "nb2pipe.run": self._run,
                "nb2pipe.step": step,
                "mlflow.runName": step,
                "mlflow.parentRunId": self._id,
            }
            self._steps[step] = self._found(step) or self._create(tags, began)
        return self._steps[step]

    def _step(self, event: StepStarted | StepReused | StepSkipped | StepFinished | StepFailed) -> None:
        identity = self._step_id(event.step, event.time)
        match event:
            case StepStarted():
                self._series = {key: value for key, value in self._series.items() if key[0] != event.step}
                self._client.update_run(identity, status="RUNNING")
                self._tag(identity, "nb2pipe.status", "running")
            case StepReused():
                self._end(identity, "reused", "FINISHED", event.time)
                self._tag(identity, "nb2pipe.source", event.source)
            case StepSkipped():
                self._end(identity, f"skipped: {event.reason.value}", "FINISHED", event.time)
            case StepFinished():
                self._wait(identity, "seconds", event.seconds, event.time, 0)
                self._end(identity, "ran", "FINISHED", event.time)
            case StepFailed(failure=failure):
                self._tag(identity, "nb2pipe.error", f"{failure.kind}: {failure.message}")
                self._end(identity, "failed", "FAILED", event.time)

    def _end(self, identity: str, status: str, word: str, ended: float) -> None:
        own = [series for (step, _), series in self._series.items() if self._steps.get(step) == identity]
        for series in own:
            if (last := series.rest()) is not None:
                self._wait(self._step_id(last.step, last.time), last.name, last.value, last.time, last.index or 0)
        self._flush()
        self._tag(identity, "nb2pipe.status", status)
        self._client.set_terminated(identity, word, end_time=_moment(ended))

    def _tag(self, identity: str, name: str, value: str) -> None:
        if value:
            self._client.set_tag(identity, name, _text(value))

    def _figures(self, event: CellFinished) -> None:
        for number, image in enumerate(images_of(event), 1):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / f"cell-{event.cell}-{number}.png"
                path.write_bytes(base64.b64decode(image))
                self._client.log_artifact(self._step_id(event.step, event.time), str(path), "figures")

    # -- metrics

    def _log(self, event: MetricLogged) -> None:
        series = self._series.setdefault((event.step, event.name), _Thinned())
        if event.index is None or series.takes(event):
            self._wait(self._step_id(event.step, event.time), event.name, event.value, event.time, event.index or 0)
        if event.index is not None:  # single numbers of the run come with its end
            self._wait(self._id, event.name, event.value, event.time, event.index)
        if self._count >= _BATCH or time.monotonic() - self._sent > _PAUSE:
            self._flush()

    def _wait(self, identity: str, name: str, value: float, moment: float, place: int) -> None:
        from mlflow.entities import Metric

        number = value if math.isfinite(value) or math.isnan(value) else math.copysign(_LARGEST, value)
        metric = Metric(_name(name), number, _moment(moment), place)
        if identity in self._found_again and _point(metric) in self._there(identity, metric.key):
            return
        self._waiting.setdefault(identity, []).append(metric)
        self._count += 1

    def _there(self, identity: str, key: str) -> set[tuple[int, int, str]]:
        """The points that a run which was found again has: MLflow is slow with those that it has already."""
        if (identity, key) not in self._points:
            history = self._client.get_metric_history(identity, key)
            self._points[identity, key] = set(map(_point, history))
        return self._points[identity, key]

    def _flush(self) -> None:
        self._sent, self._count = time.monotonic(), 0
        while self._waiting:
            identity, metrics = self._waiting.popitem()
            for part in _parts(metrics, _BATCH):
                self._client.log_batch(identity, metrics=part)


class _Thinned:
    """Which points of a series the run of its step has."""

    def __init__(self) -> None:
        self._count = 0
        self._stride = 1
        self._until = _BATCH
        self._left_out: MetricLogged | None = None

    def takes(self, point: MetricLogged) -> bool:
        """Whether it has this one, the next of the series."""
        if self._count == self._until:
            self._stride, self._until = 10 * self._stride, 10 * self._until
        taken = self._count % self._stride == 0
        self._count += 1
        self._left_out = None if taken else point
        return taken

    def rest(self) -> MetricLogged | None:
        """The last point, where it was left out; it is given once."""
        last, self._left_out = self._left_out, None
        return last


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[begin : begin + size] for begin in range(0, len(items), size))


def _name(name: str) -> str:
    """A name as MLflow takes it.

    >>> _name("loss@val")
    'loss_val'
    """
    fit = _UNFIT.sub("_", name).strip("/. ")[:_LONGEST_NAME]
    return fit.replace("..", "_").replace("//", "/") or "_"


def _point(metric: Any) -> tuple[int, int, str]:
    return metric.step, metric.timestamp, repr(metric.value)


def _dataset(file: DataFile) -> DatasetInput:
    """A version of a data set as MLflow shows it; it has place for half of the SHA-256, a tag has all."""
    from mlflow.entities import Dataset, DatasetInput

    name = _text(file.name or Path(file.path).name)[:_LONGEST_NAME]
    source = json.dumps({"uri": _text(file.path)})
    return DatasetInput(Dataset(name=name, digest=file.sha256[:32], source_type="local", source=source), tags=[])


def _text(text: str) -> str:
    r"""A text as it can be sent.

    >>> _text("a\udc80")
    'a\\udc80'
    """
    return text[:_LONGEST].encode("utf-8", "backslashreplace").decode()[:_LONGEST]


def _quoted(text: str) -> str:
    return text.replace("'", "")


def _moment(seconds: float) -> int:
    return round(seconds * 1000)
