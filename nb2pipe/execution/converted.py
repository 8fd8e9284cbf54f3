"""A converted directory as something to run: its pipeline, and the package whose modules are the steps' code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.errors import NotebookError, UsageError
from nb2pipe.execution.model import Package
from nb2pipe.notebook.shown import shown_path

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.pipeline.model import Pipeline

BUNDLE = "bundle.json"
"""Says where the notebook lies, beside much that a run does not need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedDirectory:
    """What `nb2pipe convert` made, as it stands now.

    Attributes:
        pipeline: Its notebook's path is where the notebook lies, or would lie in the directory itself.
        package: Its modules.
    """

    pipeline: Pipeline
    package: Package


def read_converted(folder: Path) -> ConvertedDirectory:
    """What a converted directory holds. Nothing of it is executed.

    Args:
        folder: The directory.

    Raises:
        UsageError: It is none.
        NotebookError: Its `pipeline.json` is damaged, or a newer version wrote it; or its package is missing.
    """
    from nb2pipe.pipeline.schema import FILE  # noqa: PLC0415  # runs of notebooks do without
    from nb2pipe.pipeline.schema_reader import read_pipeline  # noqa: PLC0415  # as above

    file, name = folder / FILE, shown_path(folder)
    if not file.is_file():
        hint = "give the path of a notebook, or of a folder that `nb2pipe convert` made"
        raise UsageError(f"{name} is a folder, and holds no {FILE}", hint=hint)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise NotebookError(
            f"{shown_path(file)} cannot be read: {error.strerror}", hint="look at its permissions"
        ) from error
    found = read_pipeline(data, file, _notebook_folder(folder) or folder)
    if not (folder / found.package / "definitions.py").is_file():
        message = f"{name} holds no package `{found.package}`, which its {FILE} names"
        raise NotebookError(message, hint="convert the notebook again: nb2pipe convert NOTEBOOK -o DIR --force")
    package = Package(folder=folder.resolve(), name=found.package, modules=found.modules)
    return ConvertedDirectory(pipeline=found.pipeline, package=package)


def _notebook_folder(folder: Path) -> Path | None:
    """The folder of the notebook, if the notebook is still where it was converted."""
    try:
        said = json.loads((folder / BUNDLE).read_bytes())["notebook"]["path"]
        notebook = (folder / said).resolve()
        return notebook.parent if notebook.is_file() else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
