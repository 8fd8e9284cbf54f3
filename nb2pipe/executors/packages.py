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
        secret: Those that hold secrets, by their folders: the pipelines without them.
        planned: The pipeline that was planned last, and its plan.
    """

    known: dict[Path, Package] = field(default_factory=dict)
    secret: dict[Path, Pipeline] = field(default_factory=dict)
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
                pipeline = surroundings.pipeline
                self.known[surroundings.run_folder] = _written(pipeline, self.plan(pipeline), folder)
                if (shown := concealed(pipeline)) is not pipeline:
                    self.secret[folder] = shown
            return self.known[surroundings.run_folder]

    def conceal(self) -> None:
        """Writes the packages that hold secrets once more, with masks: the runs are over."""
        while self.secret:
            folder, pipeline = self.secret.popitem()
            _written(pipeline, self.plan(pipeline), folder)

    def plan(self, pipeline: Pipeline) -> PackagePlan:
        """How a pipeline is written as modules; one that was checked is planned already."""
        if self.planned is None or self.planned[0] is not pipeline:
            folder = Path(pipeline.notebook.path).absolute().parent
            environment = read_environment(inlined(pipeline.notebook), folder)
            self.planned = pipeline, make_plan(pipeline, environment)
        return self.planned[1]


def _written(pipeline: Pipeline, plan: PackagePlan, folder: Path) -> Package:
    files = (*package_files(plan, {}), EmittedFile(path=FILE, text=described(pipeline, plan)))
    try:
        shutil.rmtree(folder, ignore_errors=True)  # an earlier part of the run left it
        for file in files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.text.encode())
    except OSError as error:
        hint = "look at the space on the disk and the permissions of the home"
        raise StoreError(f"the modules of the run could not be written: {error}", hint=hint) from error
    modules = {step.name: step.module for step in plan.steps}
    return Package(folder=folder.resolve(), name=plan.name, modules=modules)
