"""What a notebook is, once it has been read: cells with typed tags. Outputs are not kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.digest import Digest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StepTag:
    """`step:NAME` or `block:NAME`: the cell starts or joins a step."""

    name: str


@dataclass(frozen=True, slots=True)
class AfterTag:
    """`prev:NAME`: the step comes after another one."""

    name: str


@dataclass(frozen=True, slots=True)
class ParametersTag:
    """`parameters` or `pipeline-parameters`: the names that the cell assigns are parameters of the pipeline."""


@dataclass(frozen=True, slots=True)
class InjectedParametersTag:
    """`injected-parameters`: papermill wrote the cell; it is replaced when parameters are given."""


@dataclass(frozen=True, slots=True)
class ImportsTag:
    """`imports`: code that every step may use."""


@dataclass(frozen=True, slots=True)
class FunctionsTag:
    """`functions`: code that every step may use."""


@dataclass(frozen=True, slots=True)
class MetricsTag:
    """`pipeline-metrics`: the numbers that the cell prints or assigns are metrics of the run."""


@dataclass(frozen=True, slots=True)
class SkipTag:
    """`skip`, `skip-execution` or `active-ipynb`: the cell is not part of the pipeline."""


@dataclass(frozen=True, slots=True)
class RaisesExceptionTag:
    """`raises-exception`: the cell may raise; the step goes on."""


@dataclass(frozen=True, slots=True)
class CacheTag:
    """`cache:enabled` or `cache:disabled`: whether the step may be reused."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class ReportTag:
    """`report:enabled` or `report:disabled`: whether the step's executed notebook is kept as HTML."""

    enabled: bool


@dataclass(frozen=True, slots=True)
class ResourceTag:
    """`limit:RESOURCE:QUANTITY`, such as `limit:nvidia.com/gpu:1`."""

    resource: str
    quantity: str


@dataclass(frozen=True, slots=True)
class ImageTag:
    """`image:REF`: the container image of the step."""

    reference: str


@dataclass(frozen=True, slots=True)
class LabelTag:
    """`label:KEY:VALUE`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class AnnotationTag:
    """`annotation:KEY:VALUE`; the value may hold colons."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class EnvironmentTag:
    """`env:NAME:VALUE`: an environment variable of the step on a target; the value may hold colons."""

    variable: str
    value: str


@dataclass(frozen=True, slots=True)
class SecretTag:
    """`secret:SECRET:KEY:ENV`: the environment variable ENV comes from a key of a secret."""

    secret: str
    key: str
    variable: str


@dataclass(frozen=True, slots=True)
class RetryTag:
    """`retry:COUNT` or `retry:COUNT:DELAY`: how often a failed step is tried again, and after how many seconds."""

    count: int
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class TimeoutTag:
    """`timeout:DURATION`, kept in seconds."""

    seconds: float


class Comparison(StrEnum):
    """The comparisons of a gate."""

    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    EQUAL = "=="
    NOT_EQUAL = "!="


@dataclass(frozen=True, slots=True)
class GateTest:
    """One comparison; each side is a metric's name or a number."""

    left: str | float
    comparison: Comparison
    right: str | float


@dataclass(frozen=True, slots=True)
class GateAll:
    """Comparisons joined by `and`."""

    terms: tuple[GateCondition, ...]


@dataclass(frozen=True, slots=True)
class GateAny:
    """Comparisons joined by `or`."""

    terms: tuple[GateCondition, ...]


GateCondition = GateTest | GateAll | GateAny


@dataclass(frozen=True, slots=True)
class GateTag:
    """`gate:METRIC OP NUMBER ...`: what comes after the step runs only if it holds."""

    condition: GateCondition
    text: str


@dataclass(frozen=True, slots=True)
class NestedTag:
    """`notebook:NAME`: the step NAME is another notebook, at the cell's metadata `notebook_path`."""

    name: str
    path: str | None


@dataclass(frozen=True, slots=True)
class DescriptionTag:
    """`papermill_description=TEXT`: the text that progress shows for the step."""

    text: str


@dataclass(frozen=True, slots=True)
class ForeignTag:
    """A tag that is not ours; it is left alone, and kept for nbconvert and other readers."""

    text: str


Tag = (
    StepTag
    | AfterTag
    | ParametersTag
    | InjectedParametersTag
    | ImportsTag
    | FunctionsTag
    | MetricsTag
    | SkipTag
    | RaisesExceptionTag
    | CacheTag
    | ReportTag
    | ResourceTag
    | ImageTag
    | LabelTag
    | AnnotationTag
    | EnvironmentTag
    | SecretTag
    | RetryTag
    | TimeoutTag
    | GateTag
    | NestedTag
    | DescriptionTag
    | ForeignTag
)


class CellKind(StrEnum):
    """The kinds of cells."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell, without its outputs.

    Attributes:
        id: Unique in the notebook and stable: the file's own, else made from the content.
        position: As the eye counts it in Jupyter: from 1, all cells counted.
        source: The text as the author wrote it, magics and all.
        python: The source as plain Python of the same lines: IPython syntax is replaced, so that `ast` can read it and
            line numbers hold. Equal to `source` where there is none; empty for other cells than code.
        tags: What the tags mean.
        raw_tags: The tags as they stand in the file.
        magics: The IPython syntax in it, in the order of its lines.
    """

    id: str
    position: int
    kind: CellKind
    source: str
    python: str = ""
    tags: tuple[Tag, ...] = ()
    raw_tags: tuple[str, ...] = ()
    magics: tuple[Magic, ...] = ()

    def tags_of(self, kind: type[T]) -> tuple[T, ...]:
        """The tags of one kind."""
        return tuple(tag for tag in self.tags if isinstance(tag, kind))

    def has(self, *kinds: type[object]) -> bool:
        """Whether the cell has a tag of one of the kinds."""
        return any(isinstance(tag, kinds) for tag in self.tags)


class MagicKind(StrEnum):
    """The forms of IPython syntax."""

    LINE = "line"
    CELL = "cell"
    SHELL = "shell"
    HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Magic:
    """A piece of IPython syntax.

    Attributes:
        kind: `%name`, `%%name`, `!command` or `object?`.
        name: The magic's name (`matplotlib`); `system` for a shell command, `pinfo` for help.
        arguments: The rest of the line (the command of a shell line).
        body: The body of a cell magic.
        line: The line within the cell, from 1.
        target: The names it binds, as in `files = !ls`.
    """

    kind: MagicKind
    name: str
    arguments: str
    line: int
    body: str = ""
    target: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """The kernel that the notebook names.

    Attributes:
        name: As Jupyter knows it.
        language: Always Python's.
        version: The version of Python that the notebook was last saved with, such as `3.12`, if it says so.
    """

    name: str | None = None
    language: str = "python"
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the notebook's metadata say of the pipeline (`nb2pipe`, and Kale's `kubeflow_notebook`).

    Attributes:
        name: The pipeline's name, if it is given.
        description: One sentence or more.
        schedule: Five fields of cron, if it is given.
        timezone: The schedule's zone, such as `Europe/Berlin`.
        owner: Who is called when it fails.
        step_defaults: Tags that hold for every step that does not say otherwise.
        experiment: The experiment that runs belong to.
        on_failure: Where a target tells that a run failed: the URL of a webhook, or `secret:SECRET:KEY:ENV` where that
            is a secret.
        run_date: The parameter that a target binds to the date a run is for, as `YYYY-MM-DD`.
    """

    name: str | None = None
    description: str | None = None
    schedule: str | None = None
    timezone: str | None = None
    owner: str | None = None
    step_defaults: tuple[Tag, ...] = ()
    experiment: str | None = None
    on_failure: str | None = None
    run_date: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A notebook.

    Attributes:
        path: As the user gave it; messages show it.
        cells: In the notebook's order, all of them.
        kernel: The kernel that it names.
        settings: What its metadata say of the pipeline.
        digest: Of the content that counts: cells with their tags, kernel and settings; not outputs.
        nested: The notebooks that `notebook:` tags name, read, by the path that the tag gives.
    """

    path: str
    cells: tuple[Cell, ...]
    kernel: Kernel
    settings: Settings
    digest: Digest
    nested: Mapping[str, Notebook] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """The file's name without its folder and ending.

        It names the pipeline where the metadata do not.
        """
        name = self.path.replace("\\", "/").rsplit("/", 1)[-1]
        return name.rsplit(".", 1)[0] if "." in name else name

    def cell(self, position: int) -> Cell:
        """The cell at a position, from 1.

        Raises:
            IndexError: There is no such cell.
        """
        if position < 1:
            raise IndexError(position)
        return self.cells[position - 1]
