"""All checks of the pipeline, in the order of their codes."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from nb2pipe.pipeline.checks import (
    nb301_step_appears_again,
    nb302_step_names_collide,
    nb303_prev_of_unknown_step,
    nb304_prev_of_later_step,
    nb305_flow_without_prev,
    nb306_tags_of_a_step_contradict,
    nb307_no_code,
    nb308_gate_without_metric,
    nb309_step_name_is_taken,
    nb310_run_date_is_no_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Edge, Pipeline
    from nb2pipe.pipeline.outline import Outline
    from nb2pipe.pipeline.ports import Ports


def diagnostics(
    outline: Outline, ports: Ports, edges: tuple[Edge, ...], nested: Mapping[str, Pipeline]
) -> Iterable[Diagnostic]:
    """All that is wrong with the steps of an outline.

    Args:
        outline: The steps.
        ports: What flows between them.
        edges: The edges that come of it.
        nested: The pipelines of `notebook:` tags, by path.
    """
    return chain(
        nb301_step_appears_again.check(outline, ports),
        nb302_step_names_collide.check(outline),
        nb303_prev_of_unknown_step.check(outline),
        nb304_prev_of_later_step.check(outline),
        nb305_flow_without_prev.check(outline, edges),
        nb306_tags_of_a_step_contradict.check(outline),
        nb307_no_code.check(outline),
        nb308_gate_without_metric.check(outline, nested),
        nb309_step_name_is_taken.check(outline),
        nb310_run_date_is_no_parameter.check(outline),
    )
