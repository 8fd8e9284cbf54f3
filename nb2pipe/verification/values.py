"""What the pipeline run left in the store, read by a process in the Python of the notebook's kernel."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from nb2pipe.errors import StoreError
from nb2pipe.executors.interpreter import interpreter_of
from nb2pipe.runtime.spec import BOOTSTRAP
from nb2pipe.verification.model import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nb2pipe.execution.prepare import Prepared
    from nb2pipe.serializers.groups import Group

Key = tuple[str, str]

_PROGRAM = """\
import runpy, sys
runpy.run_path(sys.argv[1])["bring"]()
from nb2pipe.verification import inside
getattr(inside, sys.argv[2])(sys.argv[3])
"""


class Unlike(NamedTuple):
    """The place where two values of a variable differ, and what each has there."""

    path: str
    straight: str
    pipeline: str


def values_in(path: Path) -> dict[Key, Value]:
    """The values that `inside` wrote down, by step and name; none where it wrote nothing."""
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {
        (row["step"], row["name"]): Value(
            digest=row.get("digest"),
            problem=row.get("problem", ""),
            shown=row.get("shown", ""),
            copy=row.get("copy"),
        )
        for row in rows
    }


def read_stored(
    groups: Mapping[str, Sequence[Group]],
    wanted: frozenset[Key],
    *,
    store: Path,
    prepared: Prepared,
    shown: frozenset[Key] = frozenset(),
) -> dict[Key, Value]:
    """Values in the store.

    Args:
        groups: By step, what it left.
        wanted: The variables to look at, by step and name.
        store: The store's folder.
        prepared: Kernel, folder and variables of the run.
        shown: Those whose texts are wanted too.

    Raises:
        StoreError: The process that reads them failed.
    """
    rows = [
        {
            "step": step,
            "names": list(group.names),
            "digest": str(group.digest),
            "wanted": [name for name in group.names if (step, name) in wanted],
            "shown": [name for name in group.names if (step, name) in shown],
        }
        for step, found in groups.items()
        for group in found
    ]
    rows = [row for row in rows if row["wanted"]]
    with tempfile.TemporaryDirectory(prefix="nb2pipe-values-") as place:
        spec, result = Path(place) / "spec.json", Path(place) / "values.jsonl"
        spec.write_text(json.dumps({"store": str(store), "result": str(result), "groups": rows}), encoding="utf-8")
        if rows:
            _run("read", spec, prepared)
        return values_in(result)


def unlike(
    name: str, copy: tuple[Path, Group], left: tuple[Path, Group], prepared: Prepared
) -> Unlike | Literal["alike"] | None:
    """Where two values of a variable differ.

    Args:
        name: The variable.
        copy: A store's folder, and the group of the straight run's value.
        left: Those of what the pipeline left.
        prepared: Kernel, folder and variables of the run.

    Returns:
        The place and both values there; None where the two cannot be compared part by part. Two that differ in nothing
        are `alike`: functions and classes are known by other names once their own has been bound again.
    """
    sides = [
        {"store": str(store), "names": list(group.names), "digest": str(group.digest)} for store, group in (copy, left)
    ]
    with tempfile.TemporaryDirectory(prefix="nb2pipe-values-") as place:
        spec, result = Path(place) / "spec.json", Path(place) / "place.json"
        spec.write_text(json.dumps({"name": name, "result": str(result), "sides": sides}), encoding="utf-8")
        try:
            _run("tell", spec, prepared)
        except StoreError:  # the two values are told as wholes
            return None
        found = json.loads(result.read_text(encoding="utf-8"))
        return Unlike(*found) if found is not None else "alike"


def _run(what: str, spec: Path, prepared: Prepared) -> None:
    interpreter = interpreter_of(prepared.kernel)
    done = subprocess.run(  # noqa: S603  # the kernel's Python
        [*interpreter.command, "-c", _PROGRAM, str(BOOTSTRAP), what, str(spec)],
        cwd=prepared.folder,
        env={**os.environ, **interpreter.variables, **prepared.variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        message = f"what the run left cannot be read: {''.join(last) or f'the process ended with {done.returncode}'}"
        raise StoreError(message, hint="look whether the kernel's Python can import what the notebook imports")
