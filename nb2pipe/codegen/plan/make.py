"""STAGE 4a: a pipeline becomes the plan of its package. Pure: nothing is read, nothing is run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nb2pipe.analysis.names import bound_by_import
from nb2pipe.codegen.checks.nb402_namespace_form import namespace_form
from nb2pipe.codegen.checks.nb409_output_not_in_modules import NAME, output_not_in_modules
from nb2pipe.codegen.model import Chunk, ChunkRole, Form, OutputPlan, PackagePlan, StepPlan
from nb2pipe.codegen.plan.body import Certainty, Passing, bodies, certainty, still_names
from nb2pipe.codegen.plan.contents import Top, definitions, helpers_of, shelf
from nb2pipe.codegen.plan.definable import is_stateless
from nb2pipe.codegen.plan.form import Problem, Surroundings, last_binders, verdicts_of
from nb2pipe.codegen.plan.hoist import hoisted
from nb2pipe.codegen.plan.inner import inner_functions
from nb2pipe.codegen.plan.names import (
    function_name,
    module_names,
    package_name,
    reserved_names,
    result_name,
)
from nb2pipe.codegen.plan.noqa import noqa_of
from nb2pipe.codegen.plan.parameters import defaults_of, pipeline_parameters, step_parameters
from nb2pipe.codegen.plan.passing import arguments, gates, origins, taken
from nb2pipe.codegen.plan.readers import readers
from nb2pipe.codegen.plan.rows import as_chunks, chunks_of
from nb2pipe.codegen.plan.source import step_sources
from nb2pipe.diagnostics import Location, Report
from nb2pipe.notebook.interpolation import bound_names
from nb2pipe.notebook.model import CellKind
from nb2pipe.pipeline.work import make_work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.codegen.model import Import
    from nb2pipe.codegen.plan.body import Body
    from nb2pipe.codegen.plan.form import Verdict
    from nb2pipe.codegen.plan.hoist import Hoisted
    from nb2pipe.codegen.plan.parameters import Defaults
    from nb2pipe.codegen.plan.source import Book, Part, Piece, StepSource, Text
    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.notebook.environment import Environment
    from nb2pipe.notebook.model import Cell
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Work


def make_plan(pipeline: Pipeline, environment: Environment, *, in_functions: bool = True) -> PackagePlan:
    """How a pipeline is written as a package.

    Args:
        pipeline: The pipeline of the notebook itself.
        environment: What lies around the notebook.
        in_functions: Steps are functions where they can be; otherwise all are in namespace form.
    """
    work = make_work(pipeline, Path())
    steps = step_sources(work, bound_names(cell.python for cell in _code_cells(work)))
    early = hoisted(steps, environment.star_exports)
    makers = origins(steps, work)
    stateless = frozenset(place for place, each in early.pieces.items() if is_stateless(each.piece.node))
    passing = Passing(still=still_names(steps, early, stateless), origins=makers, taken=taken(makers))
    defaults = {step.name: defaults_of(step, early) for step in steps}
    found = bodies(steps, early, passing, defaults)
    known = certainty(found, early, passing)
    around = replace(_surroundings(found, early, passing, known), in_functions=in_functions)
    verdicts = verdicts_of(found, defaults, around)
    shelves = shelf(early, steps)
    tops = {body.step.name: shelves.top(body, defaults[body.step.name]) for body in found}
    modules = module_names(step.name for step in steps)
    behind = gates(work)
    writer = _Writer(work=work, pipeline=pipeline, passing=passing, always=known.always, modules=modules, gates=behind)
    plans = tuple(
        writer.step(body, verdicts[body.step.name], defaults[body.step.name], tops[body.step.name]) for body in found
    )
    return PackagePlan(
        name=package_name(pipeline.name),
        title=pipeline.name,
        notebook=_file_name(pipeline.notebook.path),
        description=pipeline.settings.description or "",
        definitions=definitions(shelves, found, verdicts, tops),
        parameters=pipeline_parameters(pipeline),
        steps=plans,
        requirements=_requirements(steps),
        report=Report.of(_problems(steps), _outputs(found), _forms(found, verdicts)),
    )


def _code_cells(work: Work) -> Iterator[Cell]:
    notebooks = {id(unit.pipeline): unit.pipeline.notebook for unit in work.units}.values()
    return (cell for notebook in notebooks for cell in notebook.cells if cell.kind is CellKind.CODE)


def _file_name(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _surroundings(found: tuple[Body, ...], early: Hoisted, passing: Passing, known: Certainty) -> Surroundings:
    handed = {port.name for body in found for port in body.step.unit.step.inputs}
    moving = frozenset(handed & early.by_name.keys()) - passing.still
    return Surroundings(
        hoisted=early,
        readers=readers(early, [body.step for body in found], moving),
        last_binder=last_binders(found),
        optional=known.optional,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Writes the plans of steps.

    Attributes:
        always: For each step, the outputs that are bound whenever it ends.
        modules: The path of each step's module.
        gates: The steps whose gates each step stands behind.
    """

    work: Work
    pipeline: Pipeline
    passing: Passing
    always: Mapping[str, frozenset[str]]
    modules: Mapping[str, str]
    gates: Mapping[str, tuple[str, ...]]

    def step(self, body: Body, said: Verdict, defaults: Defaults, top: Top) -> StepPlan:
        """The plan of a step."""
        step = body.step
        is_function = said.problem is None
        inputs = tuple(sorted(body.given - frozenset(step.unit.step.parameters)))
        chunks = _chunks(body, said, defaults)
        pieces = [piece for _, kept in body.parts for piece in kept]
        used = frozenset(body.mentioned | body.local) if is_function else frozenset[str]()
        function = function_name(step.name, body.mentioned - body.local if is_function else ())
        outputs = tuple(self._outputs(body, is_function=is_function))
        plan = StepPlan(
            name=step.name,
            module=self.modules[step.name],
            function=function,
            result=result_name(function, used | set(inputs)),
            form=Form.FUNCTION if is_function else Form.NAMESPACE,
            docstring=_docstring(step),
            optional=tuple(sorted(said.optional)),
            defaults=tuple(_defaults_above(defaults)),
            chunks=chunks,
            inputs=inputs,
            parameters=step_parameters(step, defaults),
            outputs=outputs,
            arguments=arguments(step, inputs, self.passing.origins[step.name], self.work, self.pipeline.parameters),
            helpers=helpers_of(pieces if is_function else (), _helpers(body)),
            is_async=any(_awaits(piece) for piece in pieces),
            gates=self.gates[step.name],
        )
        if said.problem is not None:
            place = _place(said.problem, step)
            return replace(plan, reason=_reason(said.problem), place=place, imports=_default_imports(top, defaults))
        return replace(
            plan,
            imports=top.imports,
            from_definitions=top.from_definitions,
            shared=said.shared,
            noqa=_noqa(body, top, defaults),
            reserved=_reserved(used, top),
        )

    def _outputs(self, body: Body, *, is_function: bool) -> Iterator[OutputPlan]:
        inner = {node.name for piece in body.pieces for node in inner_functions(piece)} if is_function else set()
        for name in body.outputs:
            if name not in inner or name in body.taken:
                yield OutputPlan(name=name, always=name in self.always[body.step.name])


def _reserved(used: frozenset[str], top: Top) -> dict[str, str]:
    same = {one.bound for one in top.imports if (one.module, one.name) in _SAME}
    return {ours: name for ours, name in reserved_names(used).items() if ours not in same}


_SAME = {
    ("typing", "Any"),
    ("typing", "NamedTuple"),
    ("typing", "TYPE_CHECKING"),
    ("sys", None),
    ("pathlib", "Path"),
    ("dataclasses", "dataclass"),
    ("dataclasses", "make_dataclass"),
}
"""What both we and the author may import, under one name."""


def _noqa(body: Body, top: Top, defaults: Defaults) -> tuple[str, ...]:
    above = (piece for _, pieces in defaults.above for piece in pieces)
    found = set(noqa_of(piece.parts for piece in (*body.pieces, *above)))
    aliases = (alias for piece in body.pieces for alias in piece.parts.of(ast.alias))
    unread = {bound_by_import(alias) for alias in aliases} - body.mentioned
    return tuple(sorted(found | ({"F401"} if top.unused or unread else set())))


def _default_imports(top: Top, defaults: Defaults) -> tuple[Import, ...]:
    names = {name for _, pieces in defaults.above for piece in pieces for name in piece.flow.early}
    return tuple(one for one in top.imports if one.bound in names)


def _helpers(body: Body) -> list[str]:
    """The functions of ours that the text of a step calls."""
    return [helper for part, _ in body.parts for helper in part.text.module.helpers]


def _awaits(piece: Piece) -> bool:
    """Whether a statement awaits at top level."""
    looping = any(part.is_async for part in piece.parts.of(ast.comprehension))
    if not looping and not piece.parts.has(ast.Await, ast.AsyncFor, ast.AsyncWith):
        return False
    todo: list[ast.AST] = [piece.node]
    for part in todo:
        if isinstance(part, ast.Await | ast.AsyncFor | ast.AsyncWith):
            return True
        if isinstance(part, ast.comprehension) and part.is_async:
            return True
        if not isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            todo += ast.iter_child_nodes(part)
    return False


# ------------------------------------------------------------------------------------------------ text


def _chunks(body: Body, said: Verdict, defaults: Defaults) -> tuple[Chunk, ...]:
    inside = {id(part): names for part, names in defaults.inside}
    found: list[Chunk] = []
    for part, pieces in body.parts:
        kept = pieces
        if said.problem is None:
            kept = tuple(piece for piece in pieces if piece.place not in body.futures)
        like = _like(part, body.step.book, is_own=part.is_own or id(part) in inside)
        own = list(as_chunks(chunks_of(part.text, kept, stores=said.stores, comments=part.runs_once), like))
        if own and id(part) in inside:
            own[-1] = replace(own[-1], injects=inside[id(part)])
        found += own
    return tuple(found)


def _like(part: Part, book: Book, *, is_own: bool) -> Chunk:
    return Chunk(
        cell=part.block.cell,
        line=1,
        text="",
        notebook=book.file,
        role=ChunkRole.CODE if is_own else ChunkRole.DEFINITIONS,
        may_raise=part.is_own and part.block.may_raise,
    )


def _defaults_above(defaults: Defaults) -> Iterator[Chunk]:
    for part, pieces in defaults.above:
        like = _like(part, pieces[0].book, is_own=True)
        yield from as_chunks(chunks_of(part.text, pieces), like)


def _docstring(step: StepSource) -> str:
    """The markdown right above a step's first cell, else its description."""
    notebook = step.book.pipeline.notebook
    above: list[str] = []
    position = step.unit.step.cells[0] - 1 if step.unit.step.cells else 0
    while position >= 1 and notebook.cell(position).kind is CellKind.MARKDOWN:
        above.append(notebook.cell(position).source.strip())
        position -= 1
    return "\n\n".join(text for text in reversed(above) if text) or step.unit.step.description or ""


# ------------------------------------------------------------------------------------------------ reports


def _reason(problem: Problem) -> str:
    if problem.piece is None:
        return problem.reason
    where = f"cell {problem.piece.cell}, line {problem.line or problem.piece.first}"
    book = problem.piece.book.file
    return f"{problem.reason} ({f'{book}, ' if book else ''}{where})"


def _place(problem: Problem, step: StepSource) -> Location:
    piece = problem.piece
    book = piece.book if piece is not None else step.book
    position = piece.cell if piece is not None else step.unit.step.cells[0]
    cell = book.cell(position)
    line = (problem.line or piece.first) if piece is not None else None
    rows = cell.source.split("\n")
    return Location(
        notebook=book.pipeline.notebook.path,
        cell=cell.id,
        position=position,
        line=line,
        source_line=rows[line - 1] if line is not None and line <= len(rows) else None,
        step=step.name,
    )


def _forms(found: Sequence[Body], verdicts: Mapping[str, Verdict]) -> Iterator[Diagnostic]:
    for body in found:
        problem = verdicts[body.step.name].problem
        if problem is not None:
            yield namespace_form(body.step.name, problem.reason, _place(problem, body.step))


def _texts(steps: Sequence[StepSource]) -> Iterator[Text]:
    seen: dict[int, Text] = {id(part.text): part.text for step in steps for part in step.parts}
    yield from seen.values()


def _problems(steps: Sequence[StepSource]) -> Iterator[Diagnostic]:
    return (problem for text in _texts(steps) for problem in text.module.problems)


def _outputs(found: Sequence[Body]) -> Iterator[Diagnostic]:
    """Uses of what another cell showed; a name that the step binds itself is an ordinary one."""
    for body in found:
        for piece in body.pieces:
            if NAME in piece.flow.early.keys() | piece.flow.late_reads and NAME not in body.local:
                line = getattr(piece.flow.early.get(NAME), "lineno", None)
                yield output_not_in_modules(_place(Problem("", piece, line), body.step))


def _requirements(steps: Sequence[StepSource]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for text in _texts(steps) for line in text.module.requirements))
