"""The package whose modules a run runs: a converted directory's own, or one that is written into the run's folder."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.described import described
from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.errors import InternalError, StoreError
from nb2pipe.execution.model import Package
from nb2pipe.notebook.environment import read_environment
from nb2pipe.pipeline.concealed import concealed
from nb2pipe.pipeline.nested import inlined
from nb2pipe.pipeline.schema import FILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.codegen.model import PackagePlan
    from nb2pipe.execution.model import Surroundings
    from nb2pipe.pipeline.model import Pipeline

FOLDER = "package"
"""Where the package lies in the folder of a run."""


@dataclass(slots=True)
class Packages:
    """The packages of the runs of one executor, each written once.

    Attributes:
        known: By the folder of the run.
        sources: The texts of the modules that hold secrets, by the folder of the run and the paths of their files,
            which have masks.
        planned: The pipeline that was planned last, and its plan.
    """

    known: dict[Path, Package] = field(default_factory=dict)
    sources: dict[Path, dict[str, str]] = field(default_factory=dict)
    planned: tuple[Pipeline, PackagePlan] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, surroundings: Surroundings) -> Package:
        """The package of a run; the first step that asks writes it.

        Raises:
            StoreError: It cannot be written.
        """
        if surroundings.package is not None:
            return surroundings.package
        if surroundings.pipeline is None:
            raise InternalError("the executor `subprocess` was not told the pipeline of the run")
        with self._lock:
            if surroundings.run_folder not in self.known:
                folder = surroundings.run_folder / FOLDER
                self.known[surroundings.run_folder] = self._made(surroundings.pipeline, folder)
            return self.known[surroundings.run_folder]

    def sources_of(self, surroundings: Surroundings) -> dict[str, str]:
        """The texts that the process of a step is to take for files of the package, by their paths."""
        return self.sources.get(surroundings.run_folder, {})

    def _made(self, pipeline: Pipeline, folder: Path) -> Package:
        """Writes a package; no secret of the author's lies on the disk, not even while the run goes on."""
        plan = self.plan(pipeline)
        texts = _texts(pipeline, plan)
        shown = concealed(pipeline)
        if shown is not pipeline:
            masked = _texts(shown, self._planned(shown))
            known = {path: text for path, text in texts.items() if masked.get(path) != text}
            self.sources[folder.parent] = {path: text for path, text in known.items() if path.endswith(".py")}
            texts = masked
        _write(texts, folder)
        modules = {step.name: step.module for step in plan.steps}
        return Package(folder=folder.resolve(), name=plan.name, modules=modules)

    def plan(self, pipeline: Pipeline) -> PackagePlan:
        """How a pipeline is written as modules; one that was checked is planned already."""
        if self.planned is None or self.planned[0] is not pipeline:
            self.planned = pipeline, self._planned(pipeline)
        return self.planned[1]

    def _planned(self, pipeline: Pipeline) -> PackagePlan:
        folder = Path(pipeline.notebook.path).absolute().parent
        return make_plan(pipeline, read_environment(inlined(pipeline.notebook), folder))


def _texts(pipeline: Pipeline, plan: PackagePlan) -> dict[str, str]:
    """The files of a package by their paths."""
    files = (*package_files(plan, {}), EmittedFile(path=FILE, text=described(pipeline, plan)))
    return {file.path: file.text for file in files}


def _write(texts: Mapping[str, str], folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)  # an earlier part of the run left it
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    except OSError as error:
        hint = "look at the space on the disk and the permissions of the home"
        raise StoreError(f"the modules of the run could not be written: {error}", hint=hint) from error
