"""The plan of a package: which text stands in which of its modules, and how each step is written. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.diagnostics import Location, Report


class Form(StrEnum):
    """How a step's cells stand in its module."""

    FUNCTION = "function"
    """As the body of the typed function, so that their variables are its own."""

    NAMESPACE = "namespace"
    """As top-level code in a file of their own, run in the dictionary of `definitions`."""


class ChunkRole(StrEnum):
    """What some lines of a cell are to the step that runs them."""

    CODE = "code"
    DEFINITIONS = "definitions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Neighboring lines of a cell, as they stand in a module, below a comment that names their place.

    Attributes:
        cell: Position of the cell.
        line: The line of the cell that the first line of `text` is; each further line is the next one of the cell.
        text: Plain Python, IPython syntax translated; neither its first nor its last line is blank.
        notebook: The file name of a nested notebook; None for the notebook itself.
        role: `definitions` may be run once in a process, `code` runs each time.
        may_raise: The cell is tagged `raises-exception`.
        stores: Names that functions of `definitions` read as globals and that the chunk has bound. In function form,
            each has a line `definitions.NAME = NAME` right after the chunk; empty in namespace form.
        injects: Parameters whose given values replace, right after the chunk, what it bound to their names: their
            default is made in the step itself. Such a step is in namespace form, and the values are not in place before
            (`run_cells(CELLS, definitions, given, injected={CELL: {"lr": lr}})`, without those that are UNBOUND).
    """

    cell: int
    line: int
    text: str
    notebook: str | None = None
    role: ChunkRole = ChunkRole.CODE
    may_raise: bool = False
    stores: tuple[str, ...] = ()
    injects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import of one name, as it stands on top of a module.

    Attributes:
        module: What is imported, or imported from.
        name: The name taken from the module; None for `import module`.
        bound: The name that the module gets by it.
    """

    module: str
    name: str | None
    bound: str

    def __str__(self) -> str:
        """The statement."""
        top = self.module.partition(".")[0]
        if self.name is None:
            return f"import {self.module}" if self.bound == top else f"import {self.module} as {self.bound}"
        alias = "" if self.bound == self.name else f" as {self.bound}"
        return f"from {self.module} import {self.name}{alias}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterPlan:
    """A parameter of a step's function, or of the pipeline.

    Attributes:
        name: Its name.
        annotation: Its type as text, such as `float`; `Any` where it is not known.
        default: Its default as text, taken from the notebook; a name of `StepPlan.defaults` where it is no literal;
            `UNBOUND` where the step itself makes the default (`Chunk.injects`).
    """

    name: str
    annotation: str
    default: str


class SourceKind(StrEnum):
    """Where an argument of a step's function comes from when the whole pipeline runs in one process."""

    OUTPUT = "output"
    PARAMETER = "parameter"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """An argument of a step's function when the whole pipeline runs in one process.

    Attributes:
        name: The argument.
        kind: `default` leaves it to the function.
        step: The step whose output it is, by its name in the run.
        source: The name of the output or of the pipeline's parameter.
    """

    name: str
    kind: SourceKind
    step: str | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPlan:
    """A field of what a step's function returns.

    Attributes:
        name: The variable.
        always: It is bound whenever the function returns; otherwise it may be missing.
    """

    name: str
    always: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPlan:
    """How a step is written.

    Attributes:
        name: In the run: `STEP`, or `OUTER/INNER` in a nested notebook.
        module: Path of its module below `steps`, such as `train` or `outer.inner`: an identifier each.
        function: The name of its function, an identifier.
        result: The name of the class of what it returns, such as `Train`; no name of the step's code.
        reason: Why the form is `namespace`, as a sentence for people, with its place; None for `function`.
        docstring: The markdown above the step, or its description, or empty.
        imports: On top of the module, in the notebook's order; only those that the function uses.
        from_definitions: The names of `definitions` that the function uses, sorted; empty in namespace form.
        shared: Inputs and parameters that functions of `definitions` read as globals, sorted: they are stored there as
            the function begins. Empty in namespace form, where all inputs are.
        defaults: What stands above the function, so that defaults that are no literals can be named.
        chunks: Its cells, in notebook order. In namespace form those definitions too that `definitions` cannot hold.
        inputs: The names that it takes from earlier steps, sorted. Functions and classes that stand in `definitions`
            are not among them, even where `Step.inputs` names them: what its signature has not is not passed to it.
        optional: Those of `inputs` that may be missing without that being an error: they are keyword-only,
            `NAME: Any = UNBOUND`. Such a step is in namespace form, where a name given as UNBOUND is removed.
        outputs: What it returns. What `Step.outputs` names beside them stands in `definitions`.
        arguments: One for each input and parameter.
        helpers: The functions of `nb2pipe.runtime.magics` that its text calls, sorted.
        is_async: It awaits at top level.
        noqa: Codes of ruff that the author's text would give, sorted, such as `F541`.
        reserved: Names of ours in the module by the name that it usually has, where the author's text uses that one:
            `{"definitions": "definitions_"}`.
        gates: The steps before it whose gates have to hold.
    """

    name: str
    module: str
    function: str
    result: str
    form: Form
    reason: str | None = None
    place: Location | None = None
    docstring: str = ""
    imports: tuple[Import, ...] = ()
    from_definitions: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    defaults: tuple[Chunk, ...] = ()
    chunks: tuple[Chunk, ...] = ()
    inputs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    parameters: tuple[ParameterPlan, ...] = ()
    outputs: tuple[OutputPlan, ...] = ()
    arguments: tuple[Argument, ...] = ()
    helpers: tuple[str, ...] = ()
    is_async: bool = False
    noqa: tuple[str, ...] = ()
    reserved: Mapping[str, str] = field(default_factory=dict)
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionsPlan:
    """What `definitions.py` holds.

    Attributes:
        chunks: In notebook order. Every name in it is bound once in the whole notebook, and making it reads nothing but
            builtins and what stands above it.
        helpers: As in `StepPlan`.
        noqa: As in `StepPlan`.
        future: The features of `from __future__ import ...`, sorted.
        comes_first: It sets something that imports see (environment variables, `sys.path`, a backend), so that the
            modules of steps have to import it before anything else of the author's.
    """

    chunks: tuple[Chunk, ...] = ()
    helpers: tuple[str, ...] = ()
    noqa: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    comes_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePlan:
    """How a pipeline is written.

    Attributes:
        name: The package's name, an identifier: `NAME_pipeline`.
        title: The pipeline's name, as the user gave it.
        notebook: The notebook's file name.
        description: The pipeline's, or empty.
        parameters: The pipeline's; a default that is no literal is its source text.
        steps: In notebook order, those of nested notebooks in the place of theirs.
        requirements: What `pip install` lines of the notebook ask for, as written there.
        report: What modules cannot hold (errors), what was dropped, and which steps are in namespace form (infos).
    """

    name: str
    title: str
    notebook: str
    description: str = ""
    definitions: DefinitionsPlan
    parameters: tuple[ParameterPlan, ...] = ()
    steps: tuple[StepPlan, ...] = ()
    requirements: tuple[str, ...] = ()
    report: Report
