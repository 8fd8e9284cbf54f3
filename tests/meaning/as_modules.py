"""The package of a notebook, run in this process: as a whole, or each step as a program of its own."""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
import re
import sys
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from kernels import ADDRESS, Shown, fresh_kernel, in_thread, shown_error
from trials import SEED, Seen, Trial, ancestors, digests, may_have, stored

from nb2pipe.codegen.described import described
from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.digest import Digest
from nb2pipe.errors import StepError
from nb2pipe.pipeline.schema import FILE
from nb2pipe.runtime import borders, calling, program
from nb2pipe.runtime.description import read_description
from nb2pipe.runtime.modules import UNBOUND
from nb2pipe.runtime.running import watched
from nb2pipe.serializers.groups import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nb2pipe.codegen.model import PackagePlan, StepPlan
    from nb2pipe.pipeline.model import Step
    from nb2pipe.runtime.markers import Place

FAILED = re.compile(r"^error: the step `.*?` failed(?: in .*?, line \d+)?: (.*)", re.MULTILINE | re.DOTALL)


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
            left = {name: value for name, value in calling.fields_of(result).items() if value is not UNBOUND}
            last.update(left)
            values[step] = digests(left)
            return result

        noted.passes = run.passes  # type: ignore[attr-defined]  # as `Run` has it
        borders.listen(heard)
        try:
            module.pipeline(noted, **copy.deepcopy(dict(trial.given)))
            values[""] = digests(last)
        except watched.StepFailedError as error:
            heard.stop()
            failed = (heard.failed, shown_error(error.__cause__ or error))
        finally:
            heard.stop()
            borders.stop_listening(heard)
    return Seen(printed=shown.cells, raised=may_have(trial, shown), values=values, failed=failed)


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
    seen = Seen(printed=shown.cells, raised=may_have(trial, shown), values=values, failed=failed)
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
    with (
        fresh_kernel(run.folder, SEED + 1),
        contextlib.redirect_stderr(told),
        contextlib.redirect_stdout(io.StringIO()),
    ):
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
