"""What TensorBoard's own reader finds in the files of the tracker `tensorboard`."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from nb2pipe.records.events import (
    CellFinished,
    FigureLogged,
    MetricLogged,
    ParameterSet,
    RunFinished,
    RunStarted,
    RunStatus,
)
from nb2pipe.testing.trackers import RUN, TrackerContract
from nb2pipe.trackers.tensorboard import TensorboardTracker

if TYPE_CHECKING:
    from pathlib import Path

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x03\x08\x06\0\0\0").decode()


def write(folder: Path) -> EventAccumulator:
    tracker = TensorboardTracker(folder)
    started = RunStarted(
        run="r", pipeline="p", notebook="n", notebook_digest="d", steps=("fit",), time=1.0, parameters={"lr": "a|b"}
    )
    tracker.handle(started)
    for place, value in enumerate((1.0, 0.5, math.nan), 1):
        tracker.handle(MetricLogged(step="fit", name="loss/val", value=value, time=10.0 + place, index=place))
    tracker.handle(ParameterSet(step="fit", name="optimizer", value="adam", time=2.0))
    outputs = ({"output_type": "display_data", "data": {"image/png": PNG}},)
    tracker.handle(CellFinished(step="fit", cell=3, time=20.0, outputs=outputs))
    kept = folder.parent / "kept.png"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(base64.b64decode(PNG))
    tracker.handle(FigureLogged(step="fit", name="confusion", path=str(kept), time=21.0, index=4))
    finished = RunFinished(run="r", status=RunStatus.SUCCEEDED, time=30.0, seconds=29.0, metrics={"accuracy": 0.75})
    tracker.handle(finished)
    tracker.close()
    found = EventAccumulator(str(folder.parent.parent / "tensorboard" / "r"))
    found.Reload()
    return found


@pytest.mark.parametrize("times", [1, 2])
def test_curves_figures_and_parameters_are_read_back_and_written_again_they_are_there_once(
    tmp_path: Path, times: int
) -> None:
    for _ in range(times):
        found = write(tmp_path / "runs/r")
    points = [(each.wall_time, each.step, each.value) for each in found.Scalars("loss/val")]
    assert points[:2] == [(11.0, 1, 1.0), (12.0, 2, 0.5)]
    assert math.isnan(points[2][2])
    assert [each.value for each in found.Scalars("accuracy")] == [0.75]
    (image,) = found.Images("fit/cell 3")
    assert (image.width, image.height, image.encoded_image_string) == (2, 3, base64.b64decode(PNG))
    assert [(each.step, each.width) for each in found.Images("fit/confusion")] == [(4, 2)]
    (text,) = found.Tensors("parameters/text_summary")
    assert text.tensor_proto.string_val[0] == b"| name | value |\n|---|---|\n| lr | a\\|b |"


def test_another_folder_is_taken_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB2PIPE_TENSORBOARD", str(tmp_path / "own"))
    TensorboardTracker(tmp_path / "runs/r").close()
    assert len(list((tmp_path / "own/r").iterdir())) == 1


class TestContract(TrackerContract):
    """TensorBoard's other side is a folder: a file that stands in its way is all the trouble there is."""

    name = "tensorboard"

    @pytest.fixture(autouse=True)
    def other_side(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """The folder."""
        self.folder = tmp_path / "curves"
        monkeypatch.setenv("NB2PIPE_TENSORBOARD", str(self.folder))
        return self.folder

    @pytest.fixture
    def trouble(self, other_side: Path) -> None:
        """A file is there instead."""
        other_side.touch()

    @pytest.fixture
    def refusal(self, trouble: None) -> None:
        """As in trouble."""

    def points(self, series: str) -> list[tuple[int, float]]:
        """As TensorBoard reads them."""
        found = EventAccumulator(str(self.folder / RUN))
        found.Reload()
        return sorted((each.step, each.value) for each in found.Scalars(series))
