"""The straight run: all cells of the notebook in order in one kernel, with looks at variables where steps end."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.literals import literal
from nb2pipe.errors import InternalError
from nb2pipe.executors.engine import StepEngine
from nb2pipe.executors.failures import failure_of
from nb2pipe.executors.watch import Reason, StepWatch, is_ours, position, role
from nb2pipe.notebook.sections import Role, sections
from nb2pipe.runtime.heard_secrets import HeardSecrets
from nb2pipe.runtime.spec import BOOTSTRAP, StepSpec
from nb2pipe.verification.model import Output, Side
from nb2pipe.verification.outputs import output_of
from nb2pipe.verification.values import values_in

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from nbformat import NotebookNode

    from nb2pipe.execution.prepare import Prepared
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.pipeline.work import Work
    from nb2pipe.records.events import Failure
    from nb2pipe.verification.model import Look

_INSIDE = '__import__("importlib").import_module("nb2pipe.verification.inside")'
_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a straight run is made of.

    Attributes:
        prepared: Kernel, folder, variables and the values given, as the pipeline run has them.
        seed: The initial random state.
        store: The store's folder; nothing is written there.
        printed_only: It is compared with modules.
    """

    pipeline: Pipeline
    work: Work
    looks: tuple[Look, ...]
    prepared: Prepared
    seed: int
    store: Path
    printed_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted of variables besides their digests, by step and name.

    Attributes:
        shown: Whose texts are.
        copied: Of which a copy is.
        copies: The folder of a store for the copies.
    """

    shown: frozenset[tuple[str, str]] = frozenset()
    copied: frozenset[tuple[str, str]] = frozenset()
    copies: Path | None = None


_NOTHING_MORE = Wanted()


def run_straight(
    task: Task,
    *,
    tell: Callable[[str], None],
    cancel: threading.Event,
    wanted: Wanted = _NOTHING_MORE,
) -> Side:
    """Runs the notebook straight.

    Args:
        task: What to run.
        tell: Takes the name of each step that begins.
        cancel: Once set, the run stops.
        wanted: What is wanted of variables too.

    Returns:
        What was seen; an error in the author's code is among it.
    """
    with tempfile.TemporaryDirectory(prefix="nb2pipe-straight-") as place:
        folder = Path(place).resolve()
        notebook = _Straight(task=task, folder=folder, wanted=wanted).notebook()
        watch = _Watch(
            folder=task.prepared.folder,
            variables=task.prepared.variables,
            cancel=cancel,
            tell=tell,
            around=str(task.prepared.folder),
            hide=task.prepared.masking.value,
            secrets=HeardSecrets(folder, task.prepared.masking),
        )
        with watch.secrets, ThreadPoolExecutor(1) as pool:  # a loop may run in this thread, as in Jupyter
            run = StepEngine.execute_notebook
            pool.submit(run, notebook, task.prepared.kernel, progress_bar=False, watch=watch).result()
        return _seen(task, watch, folder)


@dataclass(slots=True, kw_only=True)
class _Watch(StepWatch):
    """Notes which cells ran, and what they showed: with masks for the secrets that were known by then, as in a run."""

    tell: Callable[[str], None]
    around: str
    hide: Callable[[Any], Any]
    secrets: HeardSecrets
    step: str = ""
    ran: list[tuple[NotebookNode, Any]] = field(default_factory=list)
    notebook: NotebookNode | None = None

    def begins(self, notebook: NotebookNode) -> None:
        self.notebook = notebook

    def cell_begins(self, cell: NotebookNode) -> None:
        step = _mark(cell, "step")
        if step and step != self.step:
            self.step = step
            self.tell(step)

    def cell_ended(self, cell: NotebookNode) -> None:
        self.secrets.listen()
        self.ran.append((cell, self.hide(cell["outputs"])))

    def code_on_error(self, cell: NotebookNode) -> str | None:
        if is_ours(cell):
            return None
        scope, cells = _mark(cell, "scope"), self.notebook["cells"] if self.notebook else []
        sources = [
            (place, each["source"]) for each in cells if (place := position(each)) and _mark(each, "scope") == scope
        ]
        return f"{_SESSION}.explain({sources!r}, {self.around!r})"


def _mark(cell: NotebookNode, key: str) -> str:
    return str(cell["metadata"].get("nb2pipe", {}).get(key, ""))


def _seen(task: Task, watch: _Watch, folder: Path) -> Side:
    if watch.stopped is not None and watch.stopped.reason is Reason.CANCELLED:
        return Side(interrupted=True)
    outputs: dict[tuple[str, int], Output] = {}
    for cell, shown in watch.ran:
        place, step = position(cell), _mark(cell, "step")
        if place is not None and step:
            outputs[step, place] = output_of(shown, printed_only=task.printed_only)
    return Side(outputs=outputs, values=values_in(folder / "values.jsonl"), failures=_failures(task, watch, folder))


def _failures(task: Task, watch: _Watch, folder: Path) -> Mapping[str, Failure]:
    if watch.stopped is None:
        return {}
    cell, result = watch.stopped.cell, folder / "result.json"
    if watch.stopped.reason is Reason.ERROR and cell is not None and role(cell) in {"enter", "leave"}:
        raise InternalError(f"the straight run cannot be looked at: {watch.stopped.kind}: {watch.stopped.message}")
    told: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    named = _mark(cell, "step") if cell is not None else ""
    unit = task.work.by_name.get(named) or task.work.units[0]
    failure = failure_of(watch.stopped, told.get("errors", []), unit.name, unit.pipeline.notebook, 0)
    return {unit.name: task.prepared.masking.failure(failure)}


# -- its notebook


@dataclass(slots=True, kw_only=True)
class _Straight:
    """Makes the notebook of a straight run."""

    task: Task
    folder: Path
    wanted: Wanted
    looks: dict[tuple[str, int], list[Look]] = field(default_factory=lambda: defaultdict(list))
    steps: dict[tuple[str, int], str] = field(default_factory=dict)

    def notebook(self) -> NotebookNode:
        """All cells, ours among them."""
        import nbformat.v4  # heavy

        for unit in self.task.work.units:
            self.steps.update({(unit.scope, cell): unit.name for cell in unit.step.cells if not unit.inner})
        for look in self.task.looks:
            self.looks[self.task.work.by_name[look.step].scope, look.after].append(look)
        kernel = self.task.prepared.kernel
        spec = StepSpec(
            step="straight",
            folder=str(self.task.prepared.folder),
            store=str(self.task.store),
            result=str(self.folder / "result.json"),
            seed=self.task.seed,
        )
        begin = f'__import__("runpy").run_path({str(BOOTSTRAP)!r})["enter"](\n{spec.literal()}\n)'
        cells = [_ours("enter", begin), *self._cells(self.task.pipeline, "", self.task.prepared.folder)]
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
            cell["metadata"]["papermill"] = {}
        display = {"name": kernel, "display_name": kernel, "language": "python"}
        metadata = {"kernelspec": display, "language_info": {"name": "python"}, "papermill": {}}
        return nbformat.v4.new_notebook(cells=cells, metadata=metadata)

    def _cells(self, pipeline: Pipeline, scope: str, folder: Path) -> Iterator[NotebookNode]:
        notebook = pipeline.notebook
        given = {} if scope else self._given(pipeline)
        for section in sections(notebook):
            place = section.cell
            if section.role is Role.SKIPPED or (section.role is Role.INJECTED and given):
                continue
            if section.role is Role.NESTED:
                yield from self._nested(pipeline, section.step or "", scope, folder)
            elif section.role is Role.PARAMETERS and scope:
                names = [each.name for each in pipeline.parameters if each.cell == place]
                yield _ours("enter", f"{_INSIDE}.keep({names!r})")
                yield self._author(notebook, notebook.cell(place), scope)
                yield _ours("enter", f"{_INSIDE}.restore()")
            else:
                yield self._author(notebook, notebook.cell(place), scope)
            if place in given:
                yield _ours("injected", given[place])
            yield from self._look(scope, place)

    def _nested(self, pipeline: Pipeline, step: str, scope: str, folder: Path) -> Iterator[NotebookNode]:
        """The cells of a nested notebook, in the place of the cell that names it, run in their own folder."""
        nested = pipeline.step(step).nested
        if nested is None:
            return
        inside = Path(nested.notebook.path).absolute().parent.resolve()
        moves = inside != folder.resolve()
        if moves:
            yield _ours("enter", f"{_INSIDE}.enter_folder({str(inside)!r})")
        yield from self._cells(nested, f"{scope}/{step}" if scope else step, inside)
        if moves:
            yield _ours("enter", f"{_INSIDE}.leave_folder()")

    def _given(self, pipeline: Pipeline) -> dict[int, str]:
        """The assignments of the values given, by the position of the cell that they follow."""
        texts: dict[int, list[str]] = {}
        for parameter in pipeline.parameters:
            if parameter.name in self.task.prepared.parameters:
                value = literal(self.task.prepared.parameters[parameter.name])
                texts.setdefault(parameter.cell, ["# Parameters"]).append(f"{parameter.name} = {value}")
        return {place: "\n".join(lines) for place, lines in texts.items()}

    def _author(self, notebook: Notebook, cell: Cell, scope: str) -> NotebookNode:
        import nbformat.v4  # heavy

        ours = {
            "cell": cell.position,
            "role": "code",
            "step": self.steps.get((scope, cell.position), ""),
            "scope": scope,
            "notebook": notebook.path,
        }
        return nbformat.v4.new_code_cell(cell.source, metadata={"tags": list(cell.raw_tags), "nb2pipe": ours})

    def _look(self, scope: str, place: int) -> Iterator[NotebookNode]:
        by_step: dict[str, list[str]] = {}
        for look in self.looks.get((scope, place), ()):
            by_step.setdefault(look.step, []).append(look.name)
        for step, names in by_step.items():
            shown = [name for name in names if (step, name) in self.wanted.shown]
            copied = [name for name in names if (step, name) in self.wanted.copied]
            path, copies = str(self.folder / "values.jsonl"), (str(self.wanted.copies or ""), copied)
            yield _ours("leave", f"{_INSIDE}.look({path!r}, {step!r}, {names!r}, {shown!r}, {copies!r})")


def _ours(role: str, source: str) -> NotebookNode:
    import nbformat.v4  # heavy

    return nbformat.v4.new_code_cell(source, metadata={"tags": [], "nb2pipe": {"role": role}})
