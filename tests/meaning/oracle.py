"""The oracle: the same notebook run straight and as a pipeline, compared cell by cell and value by value.

The straight run is made here with nbclient alone: it owes nothing to the code under test but the digests of values.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import jupytext
import nbformat
from nbclient import NotebookClient

import nb2pipe
from nb2pipe.digest import Digest
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, load
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXCLUDED = {"skip", "skip-execution", "active-ipynb"}
PREPARE = """
import random as _r, sys as _s
_r.seed({seed})
{heavy}
del _r, _s
"""
LOOK = """
def _nb2pipe_look():
    import json, types
    from nb2pipe.serializers.digests import digest
    found = {}
    for name, value in list(get_ipython().user_ns.items()):
        hidden = name in get_ipython().user_ns_hidden or name in ("In", "Out", "_nb2pipe_look", "_exit_code")
        if hidden or name.startswith("_i") or name in ("_outer",) or name.strip("_") == "" or name[1:].isdigit():
            continue
        if type(value).__module__.startswith(("matplotlib", "_io")):
            continue  # drawing changes a figure's caches; a closed file names the folder of its run
        try:
            found[name] = str(digest(value, namespace=globals()))
        except Exception as error:
            found[name] = "cannot: " + type(error).__name__
    return json.dumps(found)
print(_nb2pipe_look())
"""
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")
KERNEL_FILE = re.compile(r"/\S*ipykernel_\d+/\d+\.py")
WARNED = re.compile(r"(\(cell\)|/\S*_pipeline/(steps|cells)/\S*\.py|/\S*_pipeline/definitions\.py):\d+:")
TIMES = re.compile(r"^(CPU times|Wall time).*$", re.MULTILINE)


@dataclass(frozen=True)
class Observed:
    """What a run showed: outputs by cell position, digests of values by name, the first error."""

    outputs: Mapping[int, list[dict[str, Any]]]
    values: Mapping[str, str]
    error: str | None = None


def heavy_imports(text: str, seed: int) -> str:
    """Seeds NumPy and torch before the first cell, where the notebook uses them at all."""
    lines = []
    if re.search(r"\b(numpy|sklearn|pandas|matplotlib|torch)\b", text):
        lines.append(f"import numpy as _n; _n.random.seed({seed}); del _n")
    if re.search(r"\btorch\b", text):
        lines.append(f"import torch as _t; _t.manual_seed({seed}); del _t")
    return "\n".join(lines)


def nested_cells(path: Path) -> list[Any]:
    """The cells of a nested notebook, as if they stood in the outer one, whose names its parameters take."""
    cells = []
    for cell in jupytext.read(path).cells:
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or tags & EXCLUDED:
            continue
        source = cell.source
        if tags & {"parameters", "pipeline-parameters"}:
            source = f"_outer = dict(globals())\n{source}\nglobals().update(_outer)"
        cells.append(nbformat.v4.new_code_cell(source))
    return cells


def parameter_text(parameters: Mapping[str, object]) -> str:
    return "\n".join(f"{name} = {value!r}" for name, value in parameters.items())


def straight(path: Path, folder: Path, parameters: Mapping[str, object], seed: int) -> Observed:
    """Runs the notebook's cells in order in one kernel."""
    source = jupytext.read(path)
    text = "\n".join(cell.source for cell in source.cells)
    run = nbformat.v4.new_notebook(metadata=source.metadata)
    code = nbformat.v4.new_code_cell
    prepare = code(PREPARE.format(seed=seed, heavy=heavy_imports(text, seed)))
    run.cells.append(prepare)
    for position, cell in enumerate(source.cells, 1):
        tags = set(cell.metadata.get("tags", []))
        if cell.cell_type != "code" or tags & EXCLUDED:
            continue
        if "notebook_path" in cell.metadata:
            run.cells += nested_cells(path.parent / cell.metadata["notebook_path"])
            continue
        run.cells.append(
            code(cell.source, metadata={"position": position, "tags": sorted(tags & {"raises-exception"})})
        )
        if tags & {"parameters", "pipeline-parameters"} and parameters:
            run.cells.append(code(parameter_text(parameters)))
    run.cells.append(code(LOOK))
    # A copy of the environment goes to the kernel, so that no other test sees these.
    environment = {**os.environ, "PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "passive"}
    client = NotebookClient(run, timeout=240, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute(env=environment)
    outputs = {c.metadata["position"]: normal(c.outputs) for c in run.cells if "position" in c.metadata}
    # A loaded kernel may send the text and its line end as two messages.
    looked = "".join(output["text"] for output in run.cells[-1].outputs if output.get("name") == "stdout")
    return Observed(outputs=outputs, values=json.loads(looked))


def pipeline(path: Path, home: Path, parameters: Mapping[str, object], seed: int, executor: str) -> Observed:
    """Runs the notebook, or a converted directory, as a pipeline, and reads its outputs and last values."""
    result = nb2pipe.run(path, parameters=dict(parameters), seed=seed, home=home, jobs=2, executor=executor)
    executed = nbformat.read(result.notebook, 4)
    outputs: dict[int, list[dict[str, Any]]] = {}
    position = 0
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            continue
        position += 1
        if cell.cell_type == "code":
            outputs[position] = normal(cell.outputs)
    return Observed(
        outputs=outputs, values=last_values(result, home), error=str(result.error) if result.error else None
    )


def last_values(result: nb2pipe.RunResult, home: Path) -> dict[str, str]:
    """The digest of the last version of each variable that any step passed on."""
    last = {name: group for step in result.steps for group in step.outputs for name in group.names}
    found = {}
    for name, group in last.items():
        namespace: dict[str, object] = {"__name__": "__main__"}
        loaded = load(
            Group(names=group.names, digest=Digest(str(group.digest))),
            store=LocalStore(home / "store"),
            namespace=namespace,
        )
        found[name] = str(digest(loaded[name], namespace=namespace))
    return found


def normal(outputs: list[Any]) -> list[dict[str, Any]]:
    """Outputs without what differs between any two runs: addresses, counts, kernel files, wall times."""
    found: list[dict[str, Any]] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream":
            if found and found[-1].get("name") == output["name"]:
                found[-1]["text"] += output["text"]
            else:
                found.append({"kind": kind, "name": output["name"], "text": output["text"]})
        elif kind == "error":
            found.append({"kind": kind, "ename": output["ename"], "evalue": output["evalue"]})
        else:
            found.append({"kind": kind, "data": {k: scrub(v) for k, v in output["data"].items()}})
    for item in found:
        if "text" in item:
            item["text"] = scrub(item["text"])
    return found


def scrub(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    return TIMES.sub("(time)", KERNEL_FILE.sub("(cell)", ADDRESS.sub("0x", text)))


def printed(observed: Observed) -> Observed:
    """What was printed alone: modules show no rich output, and the order between the two streams is nobody's."""
    outputs = {}
    for position, found in observed.outputs.items():
        texts: dict[str, str] = {}
        for each in found:
            if each["kind"] == "stream":
                texts[each["name"]] = texts.get(each["name"], "") + WARNED.sub("(cell):", each["text"])
        streams = [{"kind": "stream", "name": name, "text": text} for name, text in sorted(texts.items())]
        outputs[position] = [*streams, *(each for each in found if each["kind"] == "error")]
    return replace(observed, outputs=outputs)


def differences(one: Observed, two: Observed) -> list[str]:
    """What the pipeline run shows otherwise than the straight run; empty when they agree."""
    found = [f"error: {two.error}"] if two.error else []
    for position, outputs in one.outputs.items():
        other = two.outputs.get(position, [])
        if outputs != other:
            found.append(f"cell {position}: straight {outputs!r}, pipeline {other!r}")
    for name, value in two.values.items():
        if name in one.values and one.values[name] != value:
            found.append(f"value of {name}: straight {one.values[name][:12]}, pipeline {value[:12]}")
    return found
