"""Step `clean` of the pipeline `survey`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple


class Clean(NamedTuple):
    """What the step `clean` leaves."""

    table: Any


def clean(table: Any) -> Clean:
    """`patients` is a second name of the same table, so what happens to it happens
    to `table`.
    """
    # fmt: off
    # %% cell 7
    patients = table
    patients["sex"] = patients["sex"].astype(int) - 1
    patients.loc[patients["bp"] > 125, "bp"] = 125.0
    patients.insert(4, "high_pressure", (patients["bp"] > 100).astype(int))
    patients["progression"] = patients.pop("target")
    del patients["s3"]

    # %% cell 8
    print(table.shape)
    table.head()
    # fmt: on
    return Clean(table=table)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("survey_pipeline", "clean"))
