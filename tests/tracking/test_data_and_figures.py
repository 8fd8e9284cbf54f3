"""Data that code declares stands in the record by its SHA-256; figures that it keeps are files of the run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from matplotlib.figure import Figure

import nb2pipe
from nb2pipe.records.files import read_run
from nb2pipe.runtime.journal import recording
from nb2pipe.tracking import track

if TYPE_CHECKING:
    from pathlib import Path

NOTEBOOK = """# %% tags=["imports"]
import pandas as pd
from matplotlib.figure import Figure
from nb2pipe import track
# %% tags=["step:load"]
track.data("rows.csv", name="train")
frame = pd.DataFrame({"a": [1, 2]})
track.data(frame, name="made")
figure = Figure()
figure.subplots().plot([1, 2])
track.figure(figure, name="confusion")
track.figure(figure, name="curves/loss", step=3)
"""


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_they_stand_in_the_record_of_a_run(tmp_path: Path, executor: str) -> None:
    (tmp_path / "rows.csv").write_text("a\n1\n")
    (tmp_path / "n.py").write_text(NOTEBOOK)
    result = nb2pipe.run(tmp_path / "n.py", home=tmp_path / "home", executor=executor)
    assert result.status == "succeeded"
    (folder,) = (tmp_path / "home" / "runs").iterdir()
    data = {file.name: (file.path, file.sha256) for file in read_run(folder).step("load").data}
    digest = hashlib.sha256(b"a\n1\n").hexdigest()
    assert data["train"] == (str(tmp_path / "rows.csv"), digest)
    assert data["made"][0] == "made"
    pictures = sorted((folder / "figures" / "load").iterdir())
    assert [path.suffix for path in pictures] == [".png", ".png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_equal_tables_are_one_version_and_others_are_not() -> None:
    with recording() as journal:
        for values in ([1, 2], [1, 2], [1, 3]):
            track.data(pd.DataFrame({"a": values}), name="rows")
    one, two, three = (file["sha256"] for file in journal.data)
    assert one == two
    assert one != three


def test_what_is_no_data_or_figure_is_refused(tmp_path: Path) -> None:
    with recording():
        with pytest.raises(ValueError, match="needs a name"):
            track.data(pd.DataFrame())
        with pytest.raises(ValueError, match="is a folder"):
            track.data(tmp_path)
        with pytest.raises(FileNotFoundError):
            track.data(tmp_path / "no.csv")
        with pytest.raises(ValueError, match="no content that lasts"):
            track.data((one for one in []), name="rows")
        with pytest.raises(TypeError, match="figure of matplotlib"):
            track.figure("text", name="a")
        with pytest.raises(ValueError, match="name"):
            track.figure(Figure(), name="")
