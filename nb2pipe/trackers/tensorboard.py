"""The tracker `tensorboard`: event files with curves, figures and parameters, in `tensorboard/RUN` of the home.

`tensorboard --logdir .nb2pipe/tensorboard` shows all runs. `NB2PIPE_TENSORBOARD` names another folder.
"""

from __future__ import annotations

import base64
import os
import platform
import shutil
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import PluginError
from nb2pipe.records.events import CellFinished, FigureLogged, MetricLogged, ParameterSet, RunFinished, RunStarted
from nb2pipe.records.values import plain
from nb2pipe.trackers.replay import images_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.records.events import Event

_PAUSE = 1.0
FOLDER = "tensorboard"
"""The folder in the home, and the variable `NB2PIPE_TENSORBOARD` that names another one."""


class TensorboardTracker:
    """Writes one run as TensorBoard reads it.

    Args:
        folder: That of the run.

    Raises:
        PluginError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            hint = "pip install 'nb2pipe[tensorboard]'"
            raise PluginError(f"TensorBoard cannot be imported: {error}", hint=hint) from error
        own = os.environ.get("NB2PIPE_TENSORBOARD")
        target = (Path(own) if own else folder.parent.parent / FOLDER) / folder.name
        shutil.rmtree(target, ignore_errors=True)  # all of the run comes again
        self._event, self._summary, self._tensor = event_pb2.Event, summary_pb2.Summary, tensor_pb2.TensorProto
        self._metadata = summary_pb2.SummaryMetadata
        target.mkdir(parents=True)
        # TensorBoard's own EventFileWriter hands each event to a thread, which costs ten times the writing.
        self._file = (target / f"events.out.tfevents.{int(time.time())}.{platform.node()}.{os.getpid()}").open("wb")
        self._writer = RecordWriter(self._file)
        self._written = time.monotonic()
        self._write(self._event(wall_time=time.time(), file_version="brain.Event:2"))

    def handle(self, event: Event) -> None:
        """Takes an event.

        Raises:
            OSError: The file cannot be written.
        """
        match event:
            case RunStarted():
                self._text("parameters", _table(event.parameters), event.time)
                self._text(
                    "run", _table({"run": event.run, "name": event.name, "notebook": event.notebook}), event.time
                )
            case MetricLogged(index=int() as index):
                self._scalar(event.name, event.value, index, event.time)
            case ParameterSet():
                self._text(f"parameters/{event.name}", f"`{plain(event.value)}`", event.time)
            case RunFinished():
                for name, value in event.metrics.items():
                    self._scalar(name, value, 0, event.time)
                self._file.flush()
            case _:
                self._figure(event)

    def _figure(self, event: Event) -> None:
        match event:
            case CellFinished():
                for number, image in enumerate(images_of(event)):
                    self._image(f"{event.step}/cell {event.cell}", base64.b64decode(image), number, event.time)
            case FigureLogged(path=path) if path.endswith(".png") and Path(path).is_file():
                self._image(f"{event.step}/{event.name}", Path(path).read_bytes(), event.index or 0, event.time)
            case _:
                pass

    def close(self) -> None:
        """Writes what waits.

        Raises:
            OSError: The file cannot be written.
        """
        self._file.close()

    def _scalar(self, name: str, value: float, index: int, moment: float) -> None:
        self._add(self._summary.Value(tag=name, simple_value=value), index, moment)

    def _image(self, name: str, data: bytes, index: int, moment: float) -> None:
        width, height = _size(data)
        image = self._summary.Image(width=width, height=height, colorspace=4, encoded_image_string=data)
        self._add(self._summary.Value(tag=name, image=image), index, moment)

    def _text(self, name: str, text: str, moment: float) -> None:
        tensor = self._tensor(dtype="DT_STRING", string_val=[text.encode("utf-8", "replace")])
        tensor.tensor_shape.dim.add(size=1)
        plugin = self._metadata.PluginData(plugin_name="text")
        value = self._summary.Value(
            tag=f"{name}/text_summary", tensor=tensor, metadata=self._metadata(plugin_data=plugin)
        )
        self._add(value, 0, moment)

    def _add(self, value: Any, index: int, moment: float) -> None:
        event = self._event(wall_time=moment, step=index, summary=self._summary(value=[value]))
        self._write(event)

    def _write(self, event: Any) -> None:
        self._writer.write(event.SerializeToString())
        if time.monotonic() - self._written > _PAUSE:
            self._file.flush()
            self._written = time.monotonic()


def _table(values: Mapping[str, object]) -> str:
    """A table of Markdown."""
    rows = (f"| {_cell(name)} | {_cell(plain(value))} |" for name, value in values.items() if value is not None)
    return "\n".join(["| name | value |", "|---|---|", *rows])


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def _size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG; 0 for another format."""
    if png[:8] != b"\x89PNG\r\n\x1a\n" or len(png) < 24:  # noqa: PLR2004 - the header
        return 0, 0
    width, height = struct.unpack(">II", png[16:24])
    return width, height
