"""The types of values that a run saw, for the functions of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.records.model import RunRecord


def types_of_run(record: RunRecord, pipeline: Pipeline) -> dict[str, str]:
    """The type of each output, by `STEP.NAME`, such as `{"train.losses": "list"}`.

    Args:
        record: A run of the pipeline.
        pipeline: The pipeline that is converted.

    Raises:
        UsageError: It is a run of something else, or its steps kept no types.
    """
    if record.pipeline != pipeline.name:
        raise UsageError(
            f"the run {record.run} is one of `{record.pipeline}`, not of `{pipeline.name}`",
            hint="nb2pipe runs list shows what there is",
        )
    found = {f"{step.name}.{name}": kind for step in record.steps for name, kind in step.types.items()}
    if not found:
        raise UsageError(f"the run {record.run} kept no types", hint=f"nb2pipe run {record.notebook}, and convert then")
    return dict(sorted(found.items()))
