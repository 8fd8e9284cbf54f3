"""The quick oracle: a notebook run straight and in each way that it becomes a pipeline, in one process.

The ways, all of them the product's own code around steps that run in this process:

- `steps`: the driver with step notebooks, each in a fresh `__main__`; what it learns while steps run counts.
- `edges`: the same step notebooks, each given only what steps made that it has edges from: a missed edge shows.
- `modules`: the package, as `python -m PACKAGE` runs it, all steps in one process.
- `namespace`: the same with all steps in namespace form.
- `files`: as `python -m PACKAGE.steps.STEP` runs steps, from folders of those that they have edges from.

Compared are what each cell prints, warns of and raises, every value that a step leaves at its end, and the last values.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
import re
import sys
import tempfile
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from kernels import ADDRESS, Shown, fresh_kernel, import_libraries, in_thread, run_code, shown_error

from nb2pipe.analysis.analyze import analyze
from nb2pipe.codegen.described import described
from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.magics.text import module_text
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.notebooks.step_notebook import step_notebook
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.errors import StepError
from nb2pipe.execution.calls import Calls
from nb2pipe.execution.drive import Context, drive
from nb2pipe.execution.model import Cancelled, Completed, Failed, Surroundings
from nb2pipe.execution.schedule import schedule_of
from nb2pipe.executors.outcome import outcome_of, step_spec
from nb2pipe.notebook.environment import Environment
from nb2pipe.notebook.interpolation import bound_names
from nb2pipe.notebook.model import ParametersTag, RaisesExceptionTag, SkipTag
from nb2pipe.pipeline.build import build
from nb2pipe.pipeline.schema import FILE
from nb2pipe.pipeline.work import make_work
from nb2pipe.records.events import Failure
from nb2pipe.runtime import borders, calling, program
from nb2pipe.runtime.description import read_description
from nb2pipe.runtime.versions import Earlier, take_from
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, UnstorableError, load
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.codegen.model import PackagePlan, StepPlan
    from nb2pipe.execution.model import Outcome, StepCall
    from nb2pipe.notebook.model import Cell, Notebook
    from nb2pipe.pipeline.model import Pipeline, Step
    from nb2pipe.pipeline.work import Unit, Work
    from nb2pipe.records.events import Event
    from nb2pipe.runtime.markers import Place

WAYS = ("steps", "edges", "modules", "namespace", "files")
SEED = 11
FAILED = re.compile(r"^error: the step `.*?` failed(?: in .*?, line \d+)?: (.*)", re.MULTILINE | re.DOTALL)
_SESSION = '__import__("sys").modules["nb2pipe.runtime.session"]'


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What a run showed.

    Attributes:
        printed: What each cell printed, by its position.
        raised: The error of each cell that raised and may do so.
        values: Digests of variables by name, at the end of each step, and under no name at that of the run.
        failed: The cell that ended the run, with its error; the position is None where no cell is to blame.
        refused: Why a step's value cannot be passed on, which is no difference: the author is told.
    """

    printed: Mapping[int, str]
    raised: Mapping[int, str]
    values: Mapping[str, Mapping[str, str]]
    failed: tuple[int | None, str] | None = None
    refused: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A notebook that is to be run in several ways.

    Attributes:
        given: The values of parameters.
        files: Texts of files beside the notebook.
    """

    notebook: Notebook
    pipeline: Pipeline
    environment: Environment
    given: Mapping[str, object] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def folder(self, around: Path, name: str) -> Path:
        """A working directory of its own for a way to run."""
        place = around / name / "work"
        place.mkdir(parents=True)
        for file, text in self.files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(text, encoding="utf-8")
        return place


def trial_of(
    notebook: Notebook,
    environment: Environment | None = None,
    *,
    given: Mapping[str, object] | None = None,
    files: Mapping[str, str] | None = None,
) -> Trial:
    """A notebook with its pipeline."""
    around = environment or Environment()
    dataflow, report = analyze(notebook, around)
    pipeline = build(dataflow, Report.of(report))
    import_libraries("\n".join(cell.source for cell in notebook.cells))
    return Trial(notebook=notebook, pipeline=pipeline, environment=around, given=given or {}, files=files or {})


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came of a trial.

    Attributes:
        straight: The straight run.
        found: Where the ways differ from it, by the name of the way; empty where none does.
        refused: Why ways did not come to an end, by the name of the way; what `check` refuses is not run.
    """

    straight: Seen
    found: Mapping[str, tuple[str, ...]]
    refused: Mapping[str, str]


def compare(trial: Trial, ways: Iterable[str] = WAYS) -> Compared:
    """Runs a notebook straight and in some ways as a pipeline."""
    with tempfile.TemporaryDirectory(prefix="quick-") as place:
        around = Path(place).resolve()
        one = in_thread(lambda: straight(trial, around))
        errors = trial.pipeline.report.errors
        runs = {} if errors else {way: RUNS[way](trial, around) for way in ways}
    found = {way: tuple(differences(trial, one, two)) for way, two in runs.items()}
    return Compared(
        straight=one,
        found={way: lines for way, lines in found.items() if lines},
        refused={way: two.refused for way, two in runs.items() if two.refused}
        | ({"check": f"{errors[0].code}: {errors[0].message}"} if errors else {}),
    )


def differences(trial: Trial, one: Seen, two: Seen) -> list[str]:
    """What a pipeline run shows otherwise than the straight run."""
    own = {cell: step.name for step in trial.pipeline.steps for cell in step.cells}
    stop = one.failed[0] if one.failed else None
    cells = [cell for cell in one.printed if cell in own and (stop is None or cell < stop)]
    if two.refused:
        return []
    found = [] if _same_end(one, two) else [f"failed: straight {one.failed}, pipeline {two.failed}"]
    for cell in cells:
        shown = [seen.printed.get(cell, "") + seen.raised.get(cell, "") for seen in (one, two)]
        if shown[0] != shown[1]:
            found.append(f"cell {cell}: straight {shown[0]!r}, pipeline {shown[1]!r}")
    for step, values in two.values.items():
        if not step:
            continue
        then = one.values.get(step, {})
        wrong = sorted(name for name in values.keys() & then.keys() if values[name] != then[name])
        found += [f"value of {name} after {step}" for name in wrong]
    last = _last(trial, two) | dict(two.values.get("", {}))
    end = one.values.get("", {}) if not one.failed else {}
    wrong = sorted(name for name in last.keys() & end.keys() if last[name] != end[name])
    return found + [f"last value of {name}" for name in wrong if name not in _dropped(trial)]


def _last(trial: Trial, two: Seen) -> dict[str, str]:
    return {name: value for step in trial.pipeline.steps for name, value in two.values.get(step.name, {}).items()}


def _dropped(trial: Trial) -> frozenset[str]:
    """The names that a step binds or deletes without handing them on, since no later step takes them."""
    assert trial.pipeline.dataflow is not None
    facts = {fact.cell: fact for fact in trial.pipeline.dataflow.facts}
    found: set[str] = set()
    for step in trial.pipeline.steps:
        own = [facts[cell] for cell in step.cells if cell in facts]
        bound = {name for fact in own for name in fact.definitions | fact.deletions}
        found |= bound - {port.name for port in step.outputs}
    return frozenset(found)


def _same_end(one: Seen, two: Seen) -> bool:
    """Whether both ended alike; modules import before their cells, so there no cell may be to blame."""
    if one.failed is None or two.failed is None:
        return one.failed == two.failed
    kind, text = one.failed[1].partition(": ")[0], _squeezed(one.failed[1])
    same = text == _squeezed(two.failed[1]) or (kind == "ModuleNotFoundError" and two.failed[1].startswith(kind))
    return same and two.failed[0] in (one.failed[0], None)


def _squeezed(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip()


def digests(values: Mapping[str, object]) -> dict[str, str]:
    """The digests of variables, whatever other names mean; what cannot be stored has none."""
    found = {}
    for name, value in values.items():
        if name.startswith("__") or isinstance(value, ModuleType) or type(value).__module__.startswith("matplotlib"):
            continue  # drawing changes a figure's caches
        try:
            found[name] = str(digest(value, namespace={"__name__": "__main__"}))
        except UnstorableError:
            continue
    return found


# ---------------------------------------------------------------------------------------------- straight


def straight(trial: Trial, around: Path) -> Seen:
    """Runs the cells in order in one namespace."""
    folder = trial.folder(around, "straight")
    ends = {step.cells[-1]: step.name for step in trial.pipeline.steps if step.cells}
    shown, values, failed = Shown(folders=(str(folder),)), {}, None
    with fresh_kernel(folder, SEED) as main:
        for cell in trial.notebook.cells:
            if cell.has(SkipTag) or not cell.python:
                continue
            error = run_cell(cell, plain(cell, trial.notebook, cell.source), main, shown)
            if error is not None and not cell.has(RaisesExceptionTag):
                failed = (cell.position, error)
                break
            vars(main).update(_given_after(trial, cell))
            if cell.position in ends:
                values[ends[cell.position]] = digests(vars(main))
        values[""] = digests(vars(main))
    return Seen(printed=shown.cells, raised=_may_have(trial, shown), values=values, failed=failed)


def _given_after(trial: Trial, cell: Cell) -> dict[str, object]:
    if not cell.has(ParametersTag):
        return {}
    here = [one.name for one in trial.pipeline.parameters if one.cell == cell.position]
    return {name: copy.deepcopy(trial.given[name]) for name in here if name in trial.given}


def plain(cell: Cell, notebook: Notebook, source: str) -> str:
    """Text of a cell as Python; magics are what they are in modules, which have tests of their own."""
    if not cell.magics:
        return source
    bound = bound_names(each.python for each in notebook.cells)
    found = module_text(cell, bound, notebook=notebook.path, source=source)
    helpers = "; ".join(f"from nb2pipe.runtime.magics import {name}" for name in found.helpers)
    first, separator, rest = found.text.partition("\n")
    return f"{helpers}; {first}{separator}{rest}" if helpers else found.text


def _may_have(trial: Trial, shown: Shown) -> dict[int, str]:
    """The errors of cells that may raise."""
    return {
        cell: text for cell, text in shown.errors.items() if trial.notebook.cell(cell).has(RaisesExceptionTag)
    }


def run_cell(cell: Cell | None, text: str, main: ModuleType, shown: Shown) -> str | None:
    """Runs the text of a cell; its error, if it raises one."""
    position = cell.position if cell is not None else None
    with shown.of_cell(position):
        try:
            run_code(text, vars(main), f"<cell {position}>")
        except Exception as error:
            if position is None:
                raise
            return shown.fail(position, error)
    return None


# ---------------------------------------------------------------------------------------------- step notebooks


@dataclass
class InProcess:
    """Runs step notebooks in this process, each in a `__main__` of its own."""

    shown: Shown
    store: LocalStore
    name: str = "in-process"
    runs_packages: bool = False
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: tuple[int | None, str] | None = None

    def check(self, pipeline: Pipeline) -> Report:  # noqa: ARG002  # it runs every notebook
        return Report()

    def run_step(self, call: StepCall, emit: Callable[[Event], None], cancel: threading.Event) -> Outcome:
        if cancel.is_set():
            return Cancelled()
        result = call.surroundings.run_folder / f"{call.step.name}.json"
        result.unlink(missing_ok=True)
        for cell in call.step.cells:  # it may run again
            self.shown.cells.pop(cell, None)
        notebook = step_notebook(call, step_spec(call, result), kernel="python3")
        with fresh_kernel(call.surroundings.folder, SEED + 1) as main:
            failure = self._run(call, notebook, main)
        if failure is not None:
            self.failed = failure
            kind, _, message = failure[1].partition(": ")
            return Failed(failure=Failure(step=call.step.name, cell=failure[0], line=None, kind=kind, message=message))
        outcome = outcome_of(call, None, json.loads(result.read_text(encoding="utf-8")), emit)
        if isinstance(outcome, Completed):
            self.values[call.step.name] = stored(outcome.outputs, call.surroundings.home, call.surroundings.folder)
        return outcome

    def _run(self, call: StepCall, notebook: Any, main: ModuleType) -> tuple[int, str] | None:
        for node in notebook.cells:
            position = node.metadata["nb2pipe"].get("cell")
            cell = call.notebook.cell(position) if position in call.step.cells else None
            text = plain(call.notebook.cell(position), call.notebook, node.source) if position else node.source
            error = run_cell(cell, text, main, self.shown)
            if error is not None and not (cell is not None and cell.has(RaisesExceptionTag)):
                return position, error
            if position in call.step.metrics:
                exec(f"{_SESSION}.measure({position})", vars(main))
        return None


def stored(groups: Iterable[Group], home: Path, folder: Path) -> dict[str, str]:
    """The values of groups as a later step in a folder gets them."""
    found: dict[str, str] = {}
    with fresh_kernel(folder, SEED):
        for group in groups:
            namespace: dict[str, Any] = {"__name__": "__main__"}
            found |= digests(load(group, store=LocalStore(home / "store"), namespace=namespace))
    return found


@dataclass
class Kernels:
    """The step notebooks of a pipeline, about to run."""

    trial: Trial
    executor: InProcess
    work: Work
    surroundings: Surroundings
    events: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, trial: Trial, around: Path, name: str) -> Kernels:
        folder = trial.folder(around, name)
        home = around / name / "home"
        (home / "run").mkdir(parents=True)
        surroundings = Surroundings(folder=folder, home=home, run_folder=home / "run", kernel="python3", seed=SEED)
        executor = InProcess(Shown(folders=(str(folder),)), LocalStore(home / "store"))
        return cls(trial, executor, make_work(trial.pipeline, folder), surroundings)

    def seen(self, failure: Failure | None = None) -> Seen:
        """What the steps showed; `failure` is the driver's, which has reasons of its own to end a run."""
        shown = self.executor.shown
        return Seen(
            printed=shown.cells,
            raised=_may_have(self.trial, shown),
            values=self.executor.values,
            failed=self.executor.failed,
            refused=None if self.executor.failed or failure is None else f"{failure.kind}: {failure.message}",
        )


def by_driver(trial: Trial, around: Path) -> Seen:
    """Step notebooks, run by the driver."""
    run = Kernels.of(trial, around, "steps")
    context = Context(
        executor=run.executor,
        store=run.executor.store,
        publish=run.events.append,
        surroundings=run.surroundings,
        cancel=threading.Event(),
        jobs=1,
        parameters=copy.deepcopy(dict(trial.given)),
    )
    end = drive(run.work, schedule_of(run.work), context)
    return run.seen(end.failure)


def by_edges(trial: Trial, around: Path) -> Seen:
    """Step notebooks, each given what steps made that there is a way from."""
    run = Kernels.of(trial, around, "edges")
    calls = Calls(run.work, run.surroundings, trial.given, run.executor.store)
    above = ancestors(trial.pipeline)
    made: dict[str, Completed] = {}
    failure = None
    for unit in run.work.units:
        taken = take_from(
            frozenset(port.name for port in unit.step.inputs),
            unit.scope,
            [_left(each, made[each.name], is_seen=each.name in above[unit.name]) for each in run.work.earlier(unit)],
        )
        call = calls.make(unit, taken, copy.deepcopy(dict(trial.given)))
        outcome = in_thread(partial(run.executor.run_step, call, run.events.append, threading.Event()))
        if not isinstance(outcome, Completed):
            failure = outcome.failure if isinstance(outcome, Failed) else None
            break
        made[unit.name] = outcome
    return run.seen(failure)


def ancestors(pipeline: Pipeline) -> dict[str, frozenset[str]]:
    """The steps that there is a way from, by step."""
    found: dict[str, frozenset[str]] = {}
    for step in pipeline.steps:
        before = pipeline.before(step.name)
        found[step.name] = frozenset(before).union(*(found[name] for name in before))
    return found


def _left(unit: Unit, done: Completed, *, is_seen: bool) -> Earlier:
    """What a step left; of one that is not seen, only that its names are not the older ones any more."""
    names = {name for group in done.outputs for name in group.names}
    outputs = frozenset(port.name for port in unit.step.outputs)
    if not is_seen:
        return Earlier(name=unit.name, scope=unit.scope, outputs=outputs | names)
    return Earlier(name=unit.name, scope=unit.scope, outputs=outputs, groups=done.outputs, state=done.state)


# ---------------------------------------------------------------------------------------------- modules


@dataclass
class CellsOf:
    """Hears of the cells of modules, and takes what they print."""

    shown: Shown
    cells: frozenset[int]
    current: Any = None
    failed: int | None = None

    def begin(self, place: Place) -> None:
        if place.cell in self.cells and not place.definitions:
            self.failed = place.cell
            self.current = self.shown.of_cell(place.cell)
            self.current.__enter__()

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:  # noqa: ARG002  # a protocol's
        self.stop()

    def caught(self, place: Place, error: BaseException) -> None:
        self.shown.fail(place.cell, error)

    def stop(self) -> None:
        """The cell is over, also where it raised."""
        if self.current is not None:
            current, self.current = self.current, None
            current.__exit__(None, None, None)


def write_package(trial: Trial, folder: Path, *, in_functions: bool) -> PackagePlan:
    """The package of a pipeline with its description, as the executor `subprocess` writes it."""
    plan = make_plan(trial.pipeline, trial.environment, in_functions=in_functions)
    files = (*package_files(plan, {}), EmittedFile(path=FILE, text=described(trial.pipeline, plan)))
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.text.encode())
    return plan


def as_modules(trial: Trial, around: Path, *, in_functions: bool = True) -> Seen:
    """The package, all steps in one process."""
    name = "modules" if in_functions else "namespace"
    folder = trial.folder(around, name)
    package = around / name / "package"
    plan = write_package(trial, package, in_functions=in_functions)
    return in_thread(lambda: _run_package(trial, plan, package, folder))


def _run_package(trial: Trial, plan: PackagePlan, package: Path, folder: Path) -> Seen:
    shown = Shown(folders=(str(folder), str(package)))
    heard = CellsOf(shown, frozenset(cell for step in trial.pipeline.steps for cell in step.cells))
    values: dict[str, dict[str, str]] = {}
    failed: tuple[int | None, str] | None = None
    last: dict[str, object] = {}
    with fresh_kernel(folder, SEED), shown.of_cell(None):
        sys.path.insert(0, str(package))
        importlib.invalidate_caches()
        module = importlib.import_module(f"{plan.name}.__main__")
        run = program.Run(plan.name, read_description(package / FILE))

        def noted(step: str, /, **arguments: object) -> object:
            result = run(step, **arguments)
            heard.stop()
            left = {name: value for name, value in calling.fields_of(result).items() if value is not program.UNBOUND}
            last.update(left)
            values[step] = digests(left)
            return result

        noted.passes = run.passes  # type: ignore[attr-defined]  # as `Run` has it
        borders.listen(heard)
        try:
            module.pipeline(noted, **copy.deepcopy(dict(trial.given)))
            values[""] = digests(last)
        except program._StepFailedError as error:
            heard.stop()
            assert error.__cause__ is not None
            failed = (heard.failed, shown_error(error.__cause__))
        finally:
            heard.stop()
            borders.stop_listening(heard)
    return Seen(printed=shown.cells, raised=_may_have(trial, shown), values=values, failed=failed)


@dataclass(frozen=True, kw_only=True)
class StepProgram:
    """A step that is to run as a program."""

    plan: PackagePlan
    step: Step
    package: Path
    folder: Path
    shown: Shown


def as_files(trial: Trial, around: Path) -> Seen:
    """The package, each step as a program with folders of the steps that there is a way from."""
    folder = trial.folder(around, "files")
    package, made = around / "files" / "package", around / "files" / "made"
    plan = write_package(trial, package, in_functions=True)
    above = ancestors(trial.pipeline)
    shown = Shown(folders=(str(folder), str(package)))
    values: dict[str, dict[str, str]] = {}
    failed, refused = None, None
    for step in plan.steps:
        work = StepProgram(plan=plan, step=trial.pipeline.step(step.name), package=package, folder=folder, shown=shown)
        inputs = [word for name in sorted(above[step.name]) for word in ("--inputs", str(made / name))]
        words = [*inputs, "--outputs", str(made / step.name), "--seed", str(SEED), *_arguments(trial, step)]
        try:
            failed = in_thread(partial(_run_program, work, words))
        except RefusedError as error:
            refused = str(error)
        if failed is not None or refused is not None:
            break
        values[step.name] = _left_in(made / step.name, step.name, folder)
    seen = Seen(printed=shown.cells, raised=_may_have(trial, shown), values=values, failed=failed)
    return replace(seen, refused=refused)


def _arguments(trial: Trial, step: StepPlan) -> list[str]:
    given = {one.name: trial.given[one.name] for one in step.parameters if one.name in trial.given}
    return [f"--{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in given.items()]


class RefusedError(Exception):
    """A step cannot pass a value on."""


def _run_program(run: StepProgram, words: list[str]) -> tuple[int | None, str] | None:
    """Runs a step as a program; the error that ended it."""
    heard = CellsOf(run.shown, frozenset(run.step.cells))
    told = io.StringIO()
    with fresh_kernel(run.folder, SEED + 1), contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()):
        sys.path.insert(0, str(run.package))
        importlib.invalidate_caches()
        importlib.import_module(run.plan.name)
        borders.listen(heard)
        try:
            code = program.run_step(run.plan.name, run.step.name, words)
        finally:
            heard.stop()
            borders.stop_listening(heard)
    if code == 0:
        return None
    found = FAILED.search(told.getvalue() + run.shown.complaints)
    if found is None and code == StepError.exit_code:
        raise RefusedError(told.getvalue())
    if found is None:
        return None, told.getvalue()
    unbound = re.search(r"'(\w+)'", found[1]) if found[1].startswith(("NameError", "UnboundLocalError")) else None
    text = found[1].partition("\nhint: ")[0].rstrip("\n")
    return heard.failed, f"NameError: {unbound[1]}" if unbound else ADDRESS.sub("0x", text)


def _left_in(target: Path, step: str, folder: Path) -> dict[str, str]:
    """The values that a step left in its folder."""
    data = json.loads((target / f"{step}.json").read_text(encoding="utf-8"))
    groups = [Group(names=tuple(one["names"]), digest=Digest(one["digest"])) for one in data["outputs"]]
    return stored(groups, target, folder)


RUNS: Mapping[str, Callable[[Trial, Path], Seen]] = {
    "steps": by_driver,
    "edges": by_edges,
    "modules": as_modules,
    "namespace": lambda trial, around: as_modules(trial, around, in_functions=False),
    "files": as_files,
}
