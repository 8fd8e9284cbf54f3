"""`pipeline.json` becomes a pipeline again: strict, since anybody may have written it. Nothing of it is executed."""

from __future__ import annotations

import json
import keyword
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.analysis.model import FlowKind
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.errors import NotebookError
from nb2pipe.notebook.gates import parse_gate
from nb2pipe.notebook.malformed import MalformedError
from nb2pipe.notebook.model import CellKind, GateTag, NestedTag, SecretTag
from nb2pipe.notebook.nested import nested_file
from nb2pipe.notebook.raw import RawCell, RawNotebook
from nb2pipe.notebook.read import notebook_of
from nb2pipe.notebook.settings import OURS
from nb2pipe.notebook.shown import shown_path
from nb2pipe.notebook.tags import STEP_NAME, parse_tag
from nb2pipe.pipeline.fields import Field, FieldError
from nb2pipe.pipeline.model import (
    SCHEMA,
    Block,
    BlockRole,
    Edge,
    Parameter,
    Pipeline,
    Port,
    PortKind,
    Resources,
    Step,
)
from nb2pipe.records.values import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nb2pipe.notebook.model import Notebook

_TYPES = frozenset({"int", "float", "str", "bool", "list", "dict", "tuple", "set", "bytes", "complex", "None"})
_GENERATORS = frozenset({"random", "numpy", "torch"})
_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_AGAIN = "convert the notebook again: nb2pipe convert NOTEBOOK -o DIR --force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a `pipeline.json` says.

    Attributes:
        pipeline: Equal to the one that was converted, but for `dataflow` and `report`, which are not kept.
        package: The name of the package that holds the steps' modules.
        modules: The path of each step's module below `steps`, by the step's name in the run.
    """

    pipeline: Pipeline
    package: str
    modules: Mapping[str, str] = field(default_factory=dict)


def read_pipeline(data: bytes, path: Path, folder: Path) -> Converted:
    """The pipeline that a `pipeline.json` holds.

    Args:
        data: The file.
        path: Its path, for messages.
        folder: Where the notebook lies, or would: its path, and those of nested ones, follow from it.

    Raises:
        NotebookError: It is damaged, or a newer version wrote it.
    """
    name = shown_path(path)
    try:
        whole = Field(json.loads(data))
        _check_schema(whole["schema"].whole(1), name)
        return _converted(whole, folder)
    except (FieldError, MalformedError) as error:
        raise NotebookError(f"{name} is damaged: {error}", hint=_AGAIN) from error
    except UnicodeDecodeError as error:
        raise NotebookError(f"{name} is damaged: it is not encoded in UTF-8", hint=_AGAIN) from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise NotebookError(f"{name} is broken JSON: {place}: {error.msg}", hint=_AGAIN) from error
    except (ValueError, RecursionError) as error:
        message = f"{name} is damaged: a number is too long, or the JSON is nested too deeply"
        raise NotebookError(message, hint=_AGAIN) from error


def _check_schema(schema: int, name: str) -> None:
    if schema > SCHEMA:
        message = f"a newer nb2pipe wrote {name} (schema {schema}; this one reads up to {SCHEMA})"
        raise NotebookError(message, hint="pip install --upgrade nb2pipe")


def _converted(whole: Field, folder: Path) -> Converted:
    notebook = _notebook(whole["notebook"], folder)
    scopes = _Scopes(steps=_by_scope(whole["steps"]), frames=whole.find("pipelines") or Field({}, "pipelines"))
    pipeline = _pipeline(whole, notebook, scopes, "")
    used = {name for found in scopes.steps.values() for name in found}
    modules = {name: each for name in used if (each := _module(scopes.of(name)))}
    return Converted(pipeline=pipeline, package=_matching(whole["package"], str.isidentifier), modules=modules)


def _module(step: Field) -> str | None:
    found = step.find("module")
    return None if found is None else _matching(found, lambda text: bool(_MODULE.fullmatch(text)))


def _matching(found: Field, is_right: Callable[[str], bool]) -> str:
    if not is_right(found.text()):
        raise found.wrong("is no name that Python knows")
    return found.text()


# -- the notebook


def _notebook(found: Field, folder: Path) -> Notebook:
    """The notebook, by the reading that files go through too."""
    name = found["path"].text()
    path = folder / name
    if not name or name in {".", ".."} or path.name != name or "\0" in name:
        raise found["path"].wrong("is no name of a file")
    known: dict[Path, Field] = {}
    _collect(found, path, folder.resolve(), known)
    notebook, report = notebook_of(path, lambda file: _raw(_known(file, known, found)))
    if report.errors:
        raise found.wrong(f"has an error: {report.errors[0].message}")
    return _with_digests(notebook, found)


def _collect(found: Field, path: Path, root: Path, known: dict[Path, Field]) -> None:
    """Notes the notebooks that are nested in one by their paths, as reading will ask for them."""
    known[path] = found
    for given, inner in found["nested"].members().items():
        _collect(inner, nested_file(given, path.parent, root), root, known)


def _known(file: Path, known: Mapping[Path, Field], found: Field) -> Field:
    if file not in known:
        raise found.wrong(f"does not hold the notebook `{shown_path(file)}`, which a cell names")
    return known[file]


def _raw(found: Field) -> RawNotebook:
    kernel = found["kernel"].maybe(Field.text)
    version = found["python"].maybe(Field.text)
    settings = found["settings"]
    settings.members()
    return RawNotebook(
        cells=tuple(_cell(cell) for cell in found["cells"].items()),
        metadata={
            OURS: settings.value,
            "kernelspec": {"name": kernel, "language": "python"},
            "language_info": {"version": version},
        },
    )


def _cell(found: Field) -> RawCell:
    path = found.find("notebook_path")
    return RawCell(
        kind=found["kind"].choice(CellKind),
        source=found["source"].text(),
        id=found["id"].text(),
        tags=[tag.text() for tag in found["tags"].items()],
        path=path.text() if path else None,
    )


def _with_digests(notebook: Notebook, found: Field) -> Notebook:
    """The notebook with the digests that it had, which another version may reckon otherwise."""
    nested = {path: _with_digests(inner, found["nested"][path]) for path, inner in notebook.nested.items()}
    try:
        return replace(notebook, digest=Digest(found["digest"].text()), nested=nested)
    except ValueError as error:
        raise found["digest"].wrong("is no SHA-256") from error


# -- pipelines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scopes:
    """The steps of the file by the pipeline that they are of.

    Attributes:
        steps: By scope, which is empty for the notebook itself, then by name in the run.
        frames: What nested pipelines are beside their steps, by name in the run.
    """

    steps: Mapping[str, Mapping[str, Field]]
    frames: Field

    def of(self, name: str) -> Field:
        """A step of the flat list."""
        return self.steps[name.rpartition("/")[0]][name]


def _by_scope(steps: Field) -> dict[str, dict[str, Field]]:
    found: dict[str, dict[str, Field]] = {}
    for step in steps.items():
        name = step["name"].text()
        scope = found.setdefault(name.rpartition("/")[0], {})
        if name in scope or not all(map(STEP_NAME.fullmatch, name.split("/"))):
            raise step["name"].wrong("stands there twice" if name in scope else "is no name of a step")
        scope[name] = step
    return found


def _pipeline(found: Field, notebook: Notebook, scopes: _Scopes, scope: str) -> Pipeline:
    """A pipeline; `found` is the file, or the frame of a nested one."""
    parameters = tuple(_parameter(each, notebook) for each in found["parameters"].items())
    prefix = f"{scope}/" if scope else ""
    reader = _Steps(notebook=notebook, parameters=tuple(each.name for each in parameters), prefix=prefix)
    steps = [reader.step(each) for each in scopes.steps.get(scope, {}).values()]
    for name, frame in scopes.frames.members().items():
        if name.rpartition("/")[0] == scope:
            steps.append(_nested_step(name, frame, reader, scopes))
    steps.sort(key=lambda step: step.cells[0])
    order = {step.name: number for number, step in enumerate(steps)}
    return Pipeline(
        name=found["name"].text(),
        notebook=notebook,
        settings=notebook.settings,
        parameters=parameters,
        steps=tuple(steps),
        edges=tuple(_edge(each, order) for each in found["edges"].items()),
        report=Report(),
    )


def _nested_step(name: str, frame: Field, reader: _Steps, scopes: _Scopes) -> Step:
    step = reader.step(frame["step"])
    cells = [reader.notebook.cell(cell) for cell in step.cells]
    paths = [tag.path or "" for cell in cells for tag in cell.tags_of(NestedTag)]
    inner = reader.notebook.nested.get(paths[0]) if paths else None
    if inner is None or f"{reader.prefix}{step.name}" != name:
        raise frame.wrong("is no nested notebook")
    return replace(step, nested=_pipeline(frame, inner, scopes, name))


def _parameter(found: Field, notebook: Notebook) -> Parameter:
    exact, literal = found.find("exact"), found["is_literal"].flag()
    default = found["default"]
    try:
        value = decode((exact or default).value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise (exact or default).wrong("is no value") from error
    cell = found["cell"].whole(1, len(notebook.cells))
    return Parameter(
        name=_variable(found["name"]),
        type=found["type"].maybe(lambda each: each.among(_TYPES, "type of a parameter")),
        default=value if literal else default.text(),
        cell=cell,
        line=found["line"].whole(1, _lines(notebook, cell)),
        is_literal=literal,
        repeatable=found["repeatable"].flag(),
    )


def _variable(found: Field) -> str:
    return _matching(found, lambda text: text.isidentifier() and not keyword.iskeyword(text))


def _lines(notebook: Notebook, cell: int) -> int:
    return notebook.cell(cell).source.count("\n") + 1


def _edge(found: Field, order: Mapping[str, int]) -> Edge:
    edge = Edge(
        source=found["source"].among(order, "step"),
        target=found["target"].among(order, "step"),
        names=tuple(each.text() for each in found["names"].items()),
        kinds=tuple(each.choice(FlowKind) for each in found["kinds"].items()),
        certain=found["certain"].flag(),
        declared=found["declared"].flag(),
    )
    if order[edge.source] >= order[edge.target]:
        raise found.wrong("leads to a step that does not come later")
    return edge


# -- steps


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """Reads the steps of one pipeline.

    Attributes:
        parameters: The names of the pipeline's.
        prefix: What the names of its steps begin with in the run.
    """

    notebook: Notebook
    parameters: tuple[str, ...]
    prefix: str

    def step(self, found: Field) -> Step:
        """A step as its own notebook has it."""
        trial, patched = found.find("own") or found, found.find("patched")
        cells = self._cells(found["cells"])
        if not cells:
            raise found["cells"].wrong("is empty")
        return Step(
            name=self._local(found["name"]),
            cells=cells,
            blocks=tuple(self._block(each) for each in found["blocks"].items()),
            inputs=tuple(self._port(each) for each in found["inputs"].items()),
            outputs=tuple(self._port(each) for each in found["outputs"].items()),
            parameters=tuple(each["name"].among(self.parameters, "parameter") for each in found["parameters"].items()),
            draws=frozenset(each.among(_GENERATORS, "generator") for each in found["draws"].items()),
            patched=frozenset(each.text() for each in (patched.items() if patched is not None else ())),
            resources=_resources(found["resources"]),
            retry=trial["retry"].whole(),
            retry_delay=delay.seconds() if (delay := trial.find("retry_delay")) else 0.0,
            timeout=trial["timeout"].maybe(Field.seconds),
            cache=found["cache"].maybe(Field.flag),
            report=found["report"].flag(),
            gate=found["gate"].maybe(_gate),
            metrics=self._cells(found["measured"]),
            description=found["description"].maybe(Field.text),
            generated=found["generated"].flag(),
        )

    def _local(self, found: Field) -> str:
        """The name of a step within its pipeline."""
        name = found.text().removeprefix(self.prefix)
        if f"{self.prefix}{name}" != found.text() or not STEP_NAME.fullmatch(name):
            raise found.wrong("is no name of a step")
        return name

    def _cells(self, found: Field) -> tuple[int, ...]:
        return tuple(each.whole(1, len(self.notebook.cells)) for each in found.items())

    def _port(self, found: Field) -> Port:
        origin = found.find("origin")
        return Port(
            name=_variable(found["name"]),
            kind=found["kind"].choice(PortKind),
            origin=self._local(origin) if origin else None,
        )

    def _block(self, found: Field) -> Block:
        cell = found["cell"].whole(1, len(self.notebook.cells))
        lines, injects, may_raise, text = (found.find(key) for key in ("lines", "injects", "may_raise", "text"))
        return Block(
            cell=cell,
            role=found["role"].choice(BlockRole),
            lines=_kept_lines(lines, _lines(self.notebook, cell)) if lines else None,
            may_raise=may_raise.flag() if may_raise else False,
            injects=tuple(each.among(self.parameters, "parameter") for each in injects.items()) if injects else (),
            text=text.text() if text else None,
        )


def _kept_lines(found: Field, last: int) -> frozenset[int]:
    kept: set[int] = set()
    for run in found.items():
        match [each.whole(1, last) for each in run.items()]:
            case [first, final] if first <= final:
                kept.update(range(first, final + 1))
            case _:
                raise run.wrong("is no first and last line")
    return frozenset(kept)


def _gate(found: Field) -> GateTag:
    return GateTag(parse_gate(found.text()), found.text())


def _resources(found: Field) -> Resources:
    known = found.members()

    def pairs(key: str) -> tuple[tuple[str, str], ...]:
        return tuple(_pair(each) for each in known[key].items()) if key in known else ()

    return Resources(
        limits=pairs("limits"),
        image=known["image"].text() if "image" in known else None,
        labels=pairs("labels"),
        annotations=pairs("annotations"),
        environment=pairs("environment"),
        secrets=tuple(_secret(each) for each in known["secrets"].items()) if "secrets" in known else (),
    )


def _pair(found: Field) -> tuple[str, str]:
    match [each.text() for each in found.items()]:
        case [key, value]:
            return key, value
        case _:
            raise found.wrong("is no pair")


def _secret(found: Field) -> SecretTag:
    tag = parse_tag(f"secret:{found.text()}")
    assert isinstance(tag, SecretTag)
    return tag
