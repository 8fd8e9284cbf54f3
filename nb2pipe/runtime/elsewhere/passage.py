"""Values that pass from step to step through a store, where steps share no folder.

A step works in a folder of its own: what it takes is brought there before it begins, and what it leaves is brought to
the store when it has ended. Artifacts go by their SHA-256, so nothing is brought twice; `STEP.json`, which names them,
comes last, and as a whole. A step that is killed has therefore left nothing, and one that is tried again, or another
run at the same time, disturbs nobody.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import StoreError, UsageError
from nb2pipe.runtime.elsewhere.apart import Apart
from nb2pipe.runtime.elsewhere.named import RUN, STORE, run_id
from nb2pipe.store.place import Place, folder_of, place
from nb2pipe.store.remote import normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.runtime.description import Description, StepFacts

_ROOM = "store"
_NOTEBOOK = "notebook"
"""A file that is there once the step's notebook is kept."""
_PROCESS = "nb2pipe.runtime.elsewhere.passing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The way of a step's values from and to a store.

    Attributes:
        url: The store.
        run: The run that they are part of.
        folder: The folder that the step works in; nobody else does.
        environment: The variables that the step began with, credentials among them.
    """

    url: str
    run: str
    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def inputs(self) -> Path:
        """The folder for what the steps above left."""
        return self.folder / "inputs"

    @property
    def outputs(self) -> Path:
        """The folder for what the step leaves."""
        return self.folder / "outputs"

    @property
    def store(self) -> Path:
        """Where the artifacts lie meanwhile; where the store is a folder, it is that one."""
        return self.folder / _ROOM

    def path(self, file: str) -> str:
        """Where `STEP.json` of a step lies in the store."""
        return f"runs/{self.run}/values/{file}.json"

    def notebook(self, file: str) -> str:
        """Where the notebook that a step ran as lies in the store."""
        return f"runs/{self.run}/notebooks/{file}.ipynb"

    @property
    def has_notebook(self) -> bool:
        """Whether the step ran as a notebook, and that was kept."""
        return (self.folder / _NOTEBOOK).exists()

    def apart(self) -> list[Path]:
        """Folders of ours, whose files are nobody's data."""
        return [self.folder, self.store.resolve()]

    def prepare(self) -> None:
        """Makes the folders.

        Raises:
            StoreError: The store is a folder that cannot be written.
        """
        root = folder_of(self.url)
        try:
            if root is None:
                self.store.mkdir()
            else:
                (root / _ROOM).mkdir(parents=True, exist_ok=True)
                self.store.symlink_to((root / _ROOM).absolute(), target_is_directory=True)
        except OSError as cause:
            hint = f"look at the folder that {STORE} names, and at its permissions"
            raise StoreError(f"the store {self.url} cannot be written: {cause.strerror or cause}", hint=hint) from cause
        for each in (self.inputs, self.outputs):
            each.mkdir()
            (each / _ROOM).symlink_to(self.store, target_is_directory=True)

    def fetch(self, description: Description, step: str, *, files: bool, gated: bool) -> None:
        """Brings what a step takes.

        Args:
            description: The pipeline, as it takes the parameters of the step.
            step: The step.
            files: Whether it takes files, too.
            gated: Whether it takes nothing where a gate above it does not hold.

        Raises:
            StoreError: Something is not there, or the store cannot be reached.
            UsageError: The store is of no kind that is known, or the run is another pipeline's.
        """
        if folder_of(self.url) is not None:
            bring_records(place(self.url), self, description, step)
            return
        facts = description.step(step)
        given = sorted(facts.given_by.keys() - set(facts.inputs))
        self._apart({"fetch": step, "given": given, "files": files, "gated": gated}, description.folder)

    def deliver(self, description: Description, facts: StepFacts) -> None:
        """Brings what a step left to the store; whoever looks for it there finds all of it, or nothing.

        Raises:
            StoreError: The store cannot be reached, or refuses.
        """
        file = self.outputs / f"{facts.file}.json"
        told = {**json.loads(file.read_bytes()), "pipeline": description.name, "run": self.run}
        self._write(self.path(facts.file), json.dumps(told, indent=1, sort_keys=True) + "\n", description.folder)

    def keep_notebook(self, description: Description, facts: StepFacts, text: str) -> list[str]:
        """Keeps the notebook that a step ran as in the store, whether it came to its end or not.

        Returns:
            What went wrong, as sentences; the step can do without.
        """
        try:
            self._write(self.notebook(facts.file), text, description.folder)
            (self.folder / _NOTEBOOK).touch()
        except (StoreError, UsageError) as error:
            return [f"the notebook of the step is not in the store: {error.message}"]
        return []

    def _write(self, path: str, text: str, bundle: str) -> None:
        if folder_of(self.url) is not None:
            place(self.url).write(path, text.encode("utf-8"))
        else:
            self._apart({"deliver": path, "text": text}, bundle)

    def _apart(self, facts: Mapping[str, Any], bundle: str) -> None:
        own = {"url": self.url, "run": self.run, "folder": str(self.folder), "bundle": bundle}
        try:
            error = Apart(_PROCESS, {**own, **facts}, self.environment).wait()
        except OSError as cause:
            raise StoreError(f"the process that reaches the store cannot be started: {cause}") from cause
        if error is not None:
            raise error


def bring_records(to: Place, passage: Passage, description: Description, step: str) -> dict[str, dict[str, Any]]:
    """Brings `STEP.json` of all steps above one that have left any; what they say, by step, in notebook order.

    Raises:
        StoreError: The store cannot be reached.
        UsageError: They are another pipeline's.
    """
    paths = {passage.path(each.file): each for each in description.above(step)}
    found = to.read_all(list(paths))
    told = {}
    for path, each in paths.items():
        if path in found:
            told[each.name] = _record(found[path], path, description.name)
            (passage.inputs / f"{each.file}.json").write_bytes(found[path])
    return told


def _record(content: bytes, path: str, pipeline: str) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError as cause:
        raise StoreError(f"`{path}` in the store is damaged: {cause}", hint="run that step again") from cause
    if not isinstance(told, dict) or told.get("pipeline") != pipeline:
        other = told.get("pipeline") if isinstance(told, dict) else None
        message = f"`{path}` in the store is of the pipeline `{other}`, not of `{pipeline}`"
        raise UsageError(message, hint=f"give each run a name of its own: {RUN}")
    return told


@contextmanager
def passage_of(environment: Mapping[str, str], taken: Iterable[Path]) -> Iterator[Passage]:
    """The way through the store that the environment names; its folder is gone in the end.

    Args:
        environment: The variables of this process.
        taken: Folders that were named for values, too.

    Raises:
        UsageError: No store or no run is named, or folders are, too.
        StoreError: The store is a folder that cannot be written.
    """
    if next(iter(taken), None) is not None:
        message = "values go through the store, so no folder for them is to be named"
        raise UsageError(message, hint="leave out either --through-store, or --inputs and --outputs")
    missing = next((name for name in (STORE, RUN) if not environment.get(name, "").strip()), None)
    if missing is not None:
        examples = {
            STORE: f"{STORE} names it: a folder that all steps reach, or s3://BUCKET/PREFIX",
            RUN: f"{RUN} names it: the same for all steps of one run, and another one for each run",
        }
        what = "store" if missing == STORE else "run"
        raise UsageError(f"values are to go through a store, and no {what} is named", hint=examples[missing])
    folder = Path(tempfile.mkdtemp(prefix="nb2pipe-"))
    try:
        passage = Passage(url=normal(environment[STORE]), run=run_id(environment[RUN].strip(), ()), folder=folder)
        passage.prepare()
        yield passage
    finally:
        shutil.rmtree(folder, ignore_errors=True)
