"""The pipeline: steps with what they take and give, and the edges between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pipe.analysis.model import Dataflow, FlowKind
    from nb2pipe.diagnostics import Report
    from nb2pipe.notebook.model import GateTag, Notebook, SecretTag, Settings

SCHEMA = 1
"""Version of the JSON forms of a pipeline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of the pipeline.

    Attributes:
        type: `int`, `float`, `str`, `bool`, `list`, `dict`, `None` for a default of None; null (None) where the default
            is no literal: then it takes anything.
        default: The value of a literal, else its source text.
        cell: Position of the parameters cell that assigns it.
        is_literal: Whether `default` is a value rather than source text.
        repeatable: Every step may evaluate the default; otherwise the step `setup` does, once.
    """

    name: str
    type: str | None
    default: object
    cell: int
    line: int
    is_literal: bool = True
    repeatable: bool = True


class PortKind(StrEnum):
    """What a port carries."""

    VARIABLE = "variable"
    FUNCTION = "function"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A name that a step takes or gives.

    Attributes:
        origin: For an input, the step whose version it is; None for an output, and for an input of a nested pipeline's
            step that comes from the notebook around.
    """

    name: str
    kind: PortKind = PortKind.VARIABLE
    origin: str | None = None


class BlockRole(StrEnum):
    """What a block of a step is."""

    DEFINITIONS = "definitions"
    PARAMETERS = "parameters"
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A cell, or some lines of it, that a step runs; in notebook order.

    Attributes:
        cell: Position of the cell.
        role: `definitions` is repeated from elsewhere, `parameters` is followed by the values given, `code` is the
            step's own and runs once in the whole pipeline.
        lines: The lines (from 1) that are kept; the others are blank, so that line numbers hold. None for all.
        may_raise: The cell is tagged `raises-exception`.
        injects: The parameters whose given values are assigned after it; empty where there are none.
        text: What it runs, where lines are not enough because statements that are kept share a line with others; of as
            many lines as the cell. None where `lines` say it all; `blocks.block_text` knows both.
    """

    cell: int
    role: BlockRole = BlockRole.CODE
    lines: frozenset[int] | None = None
    may_raise: bool = False
    injects: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a target needs to know of a step."""

    limits: tuple[tuple[str, str], ...] = ()
    image: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    secrets: tuple[SecretTag, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step.

    Attributes:
        name: As the tag gives it; `setup` or `main` where it is generated.
        cells: Positions of its own cells, in notebook order.
        blocks: All that it runs, in notebook order: repeated definitions, parameters, its own code.
        inputs: Sorted by name.
        outputs: Sorted by name.
        parameters: The pipeline's parameters whose given values it uses, in the pipeline's order.
        draws: Random generators that it draws from or seeds: `random`, `numpy`, `torch`.
        patched: Places in libraries that it sets: `json.dumps`.
        retry: How often it is tried again.
        retry_delay: Seconds before it is.
        timeout: Seconds, or None.
        cache: Whether it may be reused; None where the notebook does not say.
        report: Whether its executed notebook is kept as HTML.
        gate: What has to hold for the steps after it to run.
        metrics: Positions of its cells tagged `pipeline-metrics`.
        nested: The pipeline that the step is, for a `notebook:` tag.
        description: The text that progress shows.
        generated: It was not tagged.
    """

    name: str
    cells: tuple[int, ...]
    blocks: tuple[Block, ...] = ()
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    parameters: tuple[str, ...] = ()
    draws: frozenset[str] = frozenset()
    patched: frozenset[str] = frozenset()
    resources: Resources = field(default_factory=Resources)
    retry: int = 0
    retry_delay: float = 0.0
    timeout: float | None = None
    cache: bool | None = None
    report: bool = False
    gate: GateTag | None = None
    metrics: tuple[int, ...] = ()
    nested: Pipeline | None = None
    description: str | None = None
    generated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """The order of two steps, with its reasons.

    Attributes:
        names: The variables that flow, sorted; empty for an edge of order alone.
        kinds: Sorted.
        certain: False if every flow stands for a call that may or may not have changed something.
        declared: A `prev:` tag says so too.
    """

    source: str
    target: str
    names: tuple[str, ...] = ()
    kinds: tuple[FlowKind, ...] = ()
    certain: bool = True
    declared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pipeline:
    """A pipeline: what a notebook is, seen as steps.

    Attributes:
        name: The metadata's name, else the file's stem.
        parameters: In notebook order.
        steps: In notebook order of their first cells, which is a topological order of `edges`.
        edges: Sorted by the order of their steps.
        report: All diagnostics that were found on the way, errors included.
    """

    name: str
    notebook: Notebook
    settings: Settings
    parameters: tuple[Parameter, ...] = ()
    steps: tuple[Step, ...] = ()
    edges: tuple[Edge, ...] = ()
    report: Report
    dataflow: Dataflow | None = None

    def step(self, name: str) -> Step:
        """The step of a name.

        Raises:
            KeyError: There is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def before(self, name: str) -> tuple[str, ...]:
        """The steps with an edge to a step, in notebook order."""
        sources = {edge.source for edge in self.edges if edge.target == name}
        return tuple(step.name for step in self.steps if step.name in sources)

    def __repr__(self) -> str:
        """One short line; all that it holds would fill screens."""
        steps = ", ".join(step.name for step in self.steps)
        return f"<{type(self).__name__} {self.name!r}, steps: {steps or 'none'}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the graph."""
        from nb2pipe.pipeline.graph import to_svg  # noqa: PLC0415  # drawing imports this module

        return to_svg(self)
