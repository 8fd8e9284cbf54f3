"""A pipeline, drawn: as JSON, text, Mermaid, SVG and HTML. Every text of the notebook is escaped."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nb2pipe.pipeline.model import SCHEMA
from nb2pipe.pipeline.render_html import to_html
from nb2pipe.pipeline.render_mermaid import to_mermaid
from nb2pipe.pipeline.render_svg import to_svg
from nb2pipe.pipeline.render_text import to_text
from nb2pipe.records.values import masked

if TYPE_CHECKING:
    from nb2pipe.pipeline.model import Edge, Parameter, Pipeline, Step

__all__ = ["to_html", "to_json", "to_mermaid", "to_svg", "to_text"]


def to_json(pipeline: Pipeline) -> dict[str, object]:
    """The form that other programs read; it does not change but by additions.

    Args:
        pipeline: The pipeline.
    """
    return {
        "schema": SCHEMA,
        "name": pipeline.name,
        "parameters": [_parameter(parameter) for parameter in pipeline.parameters],
        "steps": [_step(step) for step in pipeline.steps],
        "edges": [edge_json(edge) for edge in pipeline.edges],
    }


def _parameter(parameter: Parameter) -> dict[str, object]:
    default = masked({parameter.name: parameter.default})[parameter.name] if parameter.is_literal else parameter.default
    return {"name": parameter.name, "type": parameter.type, "default": json_value(default)}


def json_value(value: object) -> object:
    """A parameter's default as JSON: what JSON has no form for as its source text.

    >>> json_value((1, float("inf")))
    [1, 'inf']
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else repr(value)
        case list() | tuple():
            return [json_value(item) for item in value]
        case dict():
            return {key if isinstance(key, str) else repr(key): json_value(item) for key, item in value.items()}
        case _:
            return repr(value)


def _step(step: Step) -> dict[str, object]:
    found: dict[str, object] = {
        "name": step.name,
        "cells": list(step.cells),
        "inputs": [port.name for port in step.inputs],
        "outputs": [port.name for port in step.outputs],
        "parameters": list(step.parameters),
    }
    return found if step.nested is None else {**found, "nested": to_json(step.nested)}


def edge_json(edge: Edge) -> dict[str, object]:
    """An edge, as the graph and `pipeline.json` have it."""
    return {
        "source": edge.source,
        "target": edge.target,
        "names": list(edge.names),
        "kinds": [kind.value for kind in edge.kinds],
        "certain": edge.certain,
        "declared": edge.declared,
    }
