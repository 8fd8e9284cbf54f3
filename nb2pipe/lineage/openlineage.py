"""A lineage as OpenLineage events, a line of JSON each, as the file transport of openlineage-python writes them.

Each step is a job, each step run an OpenLineage run, each file or artifact a dataset. There is one event a step, that
of its end, so that readers such as the extractor of Amundsen's databuilder count nothing twice: COMPLETE, or FAIL and
ABORT for a step that failed or was interrupted and left a checkpoint.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from nb2pipe.lineage.model import NodeKind, made, used
from nb2pipe.records.events import StepStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.lineage.model import Lineage, Node
    from nb2pipe.records.model import RunRecord

Json = dict[str, object]

PRODUCER = "https://pypi.org/project/nb2pipe/"
_SPEC = "https://openlineage.io/spec"
_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_VERSION = f"{_SPEC}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
_SOURCE = f"{_SPEC}/facets/1-1-0/SourceCodeLocationJobFacet.json#/$defs/SourceCodeLocationJobFacet"
_PARENT = f"{_SPEC}/facets/1-2-0/ParentRunFacet.json#/$defs/ParentRunFacet"
_OWN = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunFacet"
_DATASETS = frozenset(
    {NodeKind.DATA, NodeKind.FILE, NodeKind.CHECKPOINT, NodeKind.MODEL, NodeKind.ARTIFACT, NodeKind.MODULE}
)
_ENDED = {StepStatus.FAILED: "FAIL", StepStatus.INTERRUPTED: "ABORT", StepStatus.RUNNING: "RUNNING"}
_IDS = uuid.UUID("5b0f2c1e-2a5b-5f4e-9c8e-7d0c3f1b6a42")
"""The ids of OpenLineage are UUIDs: those of our runs and steps are made of their names, the same each time."""


def to_openlineage(lineage: Lineage) -> str:
    """A lineage as OpenLineage events, the earliest step first."""
    steps = sorted(lineage.of_kind(NodeKind.STEP), key=_began)
    taken, left = used(lineage), made(lineage)
    return "".join(json.dumps(_event(lineage, step, taken[step.id], left[step.id])) + "\n" for step in steps)


def _began(node: Node) -> tuple[float, str]:
    started = node.facts.get("started")
    return (started if isinstance(started, float) else 0.0, node.id)


def _event(lineage: Lineage, node: Node, taken: Sequence[Node], left: Sequence[Node]) -> Json:
    run = lineage.runs[str(node.run)]
    step = run.step(str(node.facts["step"]))
    ended = (step.started or run.started) + (step.seconds or 0.0)
    return {
        "eventType": _ENDED.get(step.status, "COMPLETE"),
        "eventTime": datetime.fromtimestamp(ended, UTC).isoformat(),
        "producer": PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {"runId": _uuid(node.id), "facets": _run_facets(node, run, taken)},
        "job": {"namespace": run.pipeline, "name": f"{run.pipeline}.{step.name}", "facets": _job_facets(run)},
        "inputs": [_dataset(each) for each in taken if each.kind in _DATASETS],
        "outputs": [_dataset(each) for each in left if each.kind in _DATASETS],
    }


def _uuid(name: str) -> str:
    return str(uuid.uuid5(_IDS, name))


def _run_facets(node: Node, run: RunRecord, taken: Sequence[Node]) -> Json:
    parameters = {each.name: each.facts.get("value") for each in taken if each.kind is NodeKind.PARAMETER}
    facts = {name: value for name, value in node.facts.items() if name in {"cells", "user", "host", "notebook"}}
    parent = {"run": {"runId": _uuid(run.run)}, "job": {"namespace": run.pipeline, "name": run.pipeline}}
    return {
        "parent": _facet(_PARENT, parent),
        "nb2pipe": _facet(_OWN, {"run": run.run, **facts, "parameters": parameters}),
    }


def _job_facets(run: RunRecord) -> Json:
    if run.git is None or run.git.commit is None:
        return {}
    location = {"type": "git", "url": f"file://{quote(run.notebook)}", "version": run.git.commit}
    return {"sourceCodeLocation": _facet(_SOURCE, location)}


def _dataset(node: Node) -> Json:
    """A file by its path; an artifact, which has none, by its digest and the names of its variables.

    The last part of the name is what some readers show alone.
    """
    artifact = node.kind is NodeKind.ARTIFACT
    name = f"{node.sha256 or node.id}/{node.name}" if artifact else node.name
    version = _facet(_VERSION, {"datasetVersion": node.sha256 or node.id})
    return {"namespace": "nb2pipe" if artifact else "file", "name": name, "facets": {"version": version}}


def _facet(schema: str, content: Mapping[str, object]) -> Json:
    return {"_producer": PRODUCER, "_schemaURL": schema, **content}
