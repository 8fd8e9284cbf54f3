"""What Argo's own schema, and Hera, say of workflows; run by the Python of the engine's environment.

The schema is that of Argo's repository, as Hera's models have it, made strict: no field that it does not know. Answers
each line, the path of a workflow, with a line of JSON: what is wrong.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path
from typing import Any

import hera.workflows
import jsonschema
import yaml
from hera.workflows import models


def strict(node: Any) -> Any:
    """The schema without unknown fields."""
    if isinstance(node, dict):
        closed = {"additionalProperties": False} if "properties" in node and node.get("type") == "object" else {}
        return {**closed, **{key: strict(value) for key, value in node.items()}}
    return [strict(each) for each in node] if isinstance(node, list) else node


@functools.cache
def validator(kind: str) -> Any:
    """What knows the schema of a kind."""
    return jsonschema.Draft202012Validator(strict(getattr(models, kind).model_json_schema(by_alias=True)))


def wrong(path: Path) -> list[str]:
    """What is wrong with a workflow."""
    text = path.read_text("utf-8")
    content = yaml.safe_load(text)
    kind = content["kind"]
    found = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator(kind).iter_errors(content)
    ]
    again = yaml.safe_load(getattr(hera.workflows, kind).from_yaml(text).to_yaml())
    if kind == "CronWorkflow":
        content["spec"].pop("workflowMetadata")  # Hera drops it, the schema has it
    return found if again == content else [*found, "Hera writes another workflow"]


for line in sys.stdin:
    print(json.dumps(wrong(Path(line.rstrip("\n")))), flush=True)  # noqa: T201
