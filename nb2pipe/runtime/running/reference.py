"""What a step left, as one line of JSON: values by reference, for whoever runs the steps and shows it."""

from __future__ import annotations

import sys
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.runtime.description import StepFacts
    from nb2pipe.runtime.handover import Folders

_SCHEMA = 1


def reference(facts: StepFacts, folders: Folders, metrics: Mapping[str, float]) -> dict[str, Any]:
    """What a step left: names, types, digests and summaries of its values, never the values.

    Args:
        facts: The step.
        folders: Where it left them.
        metrics: What it measured.
    """
    record = _record(folders.outputs / f"{facts.file}.json") if folders.outputs else {}
    passage = folders.passage
    types, summaries = record.get("types", {}), record.get("summaries", {})
    values = [
        {"name": name, "type": types.get(name), "digest": group["digest"], "summary": summaries.get(name)}
        for group in record.get("outputs", ())
        for name in group["names"]
    ]
    return {
        "schema": _SCHEMA,
        "step": facts.name,
        "run": passage.run if passage else record.get("run"),
        "store": passage.url if passage else None,
        "record": passage.path(facts.file) if passage else None,
        "notebook": passage.notebook(facts.file) if passage and passage.has_notebook else None,
        "outputs": values,
        "files": record.get("files", {}),
        "metrics": {**record.get("metrics", {}), **metrics},
        "gate": record.get("gate"),
        "skipped": record.get("skipped"),
    }


def tell_reference(target: str, content: Mapping[str, Any]) -> None:
    """Writes it to a file; `-` is the standard output, whose last line it is.

    Raises:
        StoreError: The file cannot be written.
    """
    line = dumps(dict(content), sort_keys=True) + "\n"
    if target == "-":
        sys.stdout.flush()
        sys.stdout.write(line)
        sys.stdout.flush()
        return
    path = Path(target)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(line, encoding="ascii")
    except OSError as cause:
        message = f"`{target}` cannot be written: {cause.strerror or cause}"
        raise StoreError(message, hint="look at space and permissions of its folder") from cause


def _record(file: Path) -> dict[str, Any]:
    return dict(loads(file.read_bytes())) if file.is_file() else {}
