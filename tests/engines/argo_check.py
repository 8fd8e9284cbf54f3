"""What Argo's own schema, and Hera, say of workflows; run by the Python of the engine's environment.

The schema is that of Argo's repository, as Hera's models have it, made strict: no field that it does not know. Prints a
line of JSON: what is wrong, by file.
"""

from __future__ import annotations

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


def wrong(path: Path) -> list[str]:
    """What is wrong with a workflow."""
    text = path.read_text("utf-8")
    content = yaml.safe_load(text)
    kind = content["kind"]
    schema = strict(getattr(models, kind).model_json_schema(by_alias=True))
    found = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in jsonschema.Draft202012Validator(schema).iter_errors(content)
    ]
    again = yaml.safe_load(getattr(hera.workflows, kind).from_yaml(text).to_yaml())
    if kind == "CronWorkflow":
        content["spec"].pop("workflowMetadata")  # Hera drops it, the schema has it
    return found if again == content else [*found, "Hera writes another workflow"]


print(json.dumps({path: wrong(Path(path)) for path in sys.argv[1:]}))  # noqa: T201
