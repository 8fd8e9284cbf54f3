"""The certificate: what was compared and found identical, in the folder of the run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import RecordsError
from nb2pipe.records.files import read_run, write_atomically
from nb2pipe.records.values import masked, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nb2pipe.verification.model import Compared, Side

NAME = "certificate.json"
SCHEMA = 1


def write_certificate(folder: Path, steps: Sequence[Compared], straight: Side, *, package: str | None) -> Path:
    """Writes the certificate of a run.

    Args:
        folder: Of the run.
        steps: What was compared.
        straight: What the straight run left, which is what the pipeline left.
        package: The converted directory, where its modules ran.

    Raises:
        RecordsError: It cannot be written, or the record cannot be read.
    """
    record = read_run(folder)
    packages = dict(record.packages)
    values: dict[str, dict[str, str]] = {}
    for (step, name), value in sorted(straight.values.items()):
        if value.digest is not None:
            values.setdefault(step, {})[name] = value.digest
    text = {
        "schema": SCHEMA,
        "status": "identical",
        "run": record.run,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "notebook": {"path": record.notebook, "digest": record.notebook_digest},
        "package": package,
        "executor": record.executor,
        "seed": record.seed,
        "parameters": {name: plain(value) for name, value in masked(dict(record.parameters)).items()},
        "environment": {
            "digest": str(Digest.of("environment", [packages, plain(dict(record.surroundings))])),
            "packages": packages,
            "surroundings": plain(dict(record.surroundings)),
        },
        "values": values,
        "steps": [
            {"name": each.step, "values": each.values, "cells": each.cells, "not_compared": dict(each.left_out)}
            for each in steps
        ],
    }
    path = folder / NAME
    try:
        write_atomically(path, (json.dumps(text, indent=1) + "\n").encode())
    except OSError as error:
        raise RecordsError(f"cannot write {path}: {error.strerror or error}") from error
    return path
