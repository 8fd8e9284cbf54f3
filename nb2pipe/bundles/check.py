"""Whether a bundle is what its notebook makes now: all that it was made with stands in its `bundle.json`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe import __version__
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import changes
from nb2pipe.errors import ConversionError, NotebookError, UsageError
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.targets.manifest import read_manifest
from nb2pipe.targets.model import BUNDLE_FILE

if TYPE_CHECKING:
    from nb2pipe.bundles.write import Changes
    from nb2pipe.targets.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A bundle compared with its notebook.

    Attributes:
        notebook: Where the notebook is.
        changes: What converting it again would do.
        reasons: What of its origin is another now, in words.
        manifest: What its `bundle.json` says.
    """

    notebook: Path
    manifest: Manifest
    changes: Changes
    reasons: tuple[str, ...]

    @property
    def up_to_date(self) -> bool:
        """Whether converting again would change nothing."""
        return not self.changes.paths


def compare(folder: Path) -> Comparison:
    """Compares a bundle with its notebook; nothing is written.

    Args:
        folder: The bundle's.

    Raises:
        UsageError: It holds no bundle, or its notebook is not where it was.
        ConversionError: Its `bundle.json` cannot be read.
        NotebookError: The notebook has errors.
    """
    manifest = manifest_of(folder)
    if manifest is None:
        raise UsageError(
            f"{folder} holds no {BUNDLE_FILE}, so it is no folder that `nb2pipe convert` wrote",
            hint="give the folder, not the notebook: nb2pipe convert --check DIR",
        )
    notebook = Path(os.path.normpath(folder.absolute() / manifest.notebook))
    if not notebook.is_file():
        raise UsageError(
            f"the notebook of {folder} is not at {notebook}, where {BUNDLE_FILE} says",
            hint=f"if it moved: nb2pipe convert NOTEBOOK -o {folder}",
        )
    pipeline = compile_notebook(Path(os.path.relpath(notebook)))
    if pipeline.report.errors:
        raise NotebookError(f"{notebook} has errors", report=pipeline.report)
    wishes = Wishes(
        target=manifest.target,
        folder=folder,
        flags=manifest.flags,
        templates=_templates(manifest, folder),
        types=manifest.types,
        known=manifest.requirements,
    )
    found = changes(emit(pipeline, wishes), folder)
    reasons = _reasons(manifest, str(pipeline.notebook.digest))
    return Comparison(notebook=notebook, manifest=manifest, changes=found, reasons=reasons)


def manifest_of(folder: Path) -> Manifest | None:
    """What the `bundle.json` of a folder says; None where there is none.

    Raises:
        ConversionError: It cannot be read.
    """
    place = folder / BUNDLE_FILE
    try:
        text = place.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConversionError(f"{place} cannot be read: {error}") from error
    return read_manifest(text, str(place))


def _templates(manifest: Manifest, folder: Path) -> Path | None:
    templates = manifest.flags.templates
    return None if templates is None else Path(os.path.normpath(folder.absolute() / templates))


def _reasons(manifest: Manifest, digest: str) -> tuple[str, ...]:
    reasons = []
    if manifest.digest != digest:
        reasons.append("the notebook has changed since")
    if manifest.version != __version__:
        reasons.append(f"it was made by nb2pipe {manifest.version}, and this is {__version__}")
    if manifest.edited:
        reasons.append(f"{BUNDLE_FILE} was edited")
    return tuple(reasons)
