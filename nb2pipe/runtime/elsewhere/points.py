"""The points of series that a step elsewhere logged, as the files of rows that the folder of a run holds."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from nb2pipe.records.blocks import Rows
from nb2pipe.records.series import LOGGED, lines_of

if TYPE_CHECKING:
    from pathlib import Path


def rows_of_points(points: Path, folder: Path) -> None:
    """Makes a file of rows for each series; what cannot be read or written is left out.

    Args:
        points: The step's file of points; it is not there where the step logged none.
        folder: For the files of rows.
    """
    rows: dict[str, Rows] = {}
    for line in lines_of(points):
        with suppress(KeyError, TypeError, ValueError, OSError):
            name, point = str(line["name"]), (float(line["time"]), int(line["index"]), float(line["value"]))
            if name not in rows:
                rows[name] = Rows(folder / f"logged-{len(rows) + 1}.rows", LOGGED, {"name": name})
            rows[name].add(point)
