"""What the SDK of Azure ML says of pipelines; run by the Python of the engine's environment, offline.

Answers each line, the folder of a bundle, with a line of JSON: what is wrong, and the pipeline as the SDK reads it.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

from azure.ai.ml import load_component, load_job  # noqa: E402  # it warns as it is imported
from azure.ai.ml.entities._load_functions import load_schedule  # noqa: E402  # as above


def look(folder: Path) -> dict[str, Any]:
    """What the SDK says of a bundle."""
    wrong: list[str] = []
    try:
        job = load_job(folder / "pipeline.yml")
        found = job._validate()
        wrong += [f"pipeline.yml: {error}" for error in found.error_messages.values()]
        for file in sorted((folder / "components").glob("*.yml")):
            component = load_component(file)
            wrong += [f"{file.name}: {error}" for error in component._validate().error_messages.values()]
        schedule = load_schedule(folder / "schedule.yml") if (folder / "schedule.yml").exists() else None
        if schedule is not None:
            wrong += [f"schedule.yml: {error}" for error in schedule._validate().error_messages.values()]
        read = job._to_dict()
    except Exception as error:  # noqa: BLE001  # what it does not read
        return {"wrong": [*wrong, f"{type(error).__name__}: {error}"], "read": None, "schedule": None}
    return {"wrong": wrong, "read": read, "schedule": schedule and schedule._to_dict()}


for line in sys.stdin:
    print(json.dumps(look(Path(line.rstrip("\n"))), default=str), flush=True)  # noqa: T201
