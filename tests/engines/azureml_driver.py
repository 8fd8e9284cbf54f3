"""A pipeline job of Azure ML on this machine: its bindings, its folders, and a shell for each command.

It does what the documentation says: a job gets a snapshot of its component's code, inputs and outputs as folders,
their paths in the place of `${{inputs.x}}` and `${{outputs.x}}` in the command, and inputs in variables whose names
begin with `AZUREML_PARAMETER_`.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLACE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TIME = "${{creation_context.trigger_time}}"


class AzureError(Exception):
    """Azure ML would not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of a pipeline job.

    Attributes:
        states: `Completed`, `Failed` or `Canceled`, by job.
        values: The folder that each job left.
    """

    states: Mapping[str, str]
    values: Mapping[str, Path]
    printed: str

    @property
    def completed(self) -> bool:
        """Whether all jobs did."""
        return set(self.states.values()) == {"Completed"}


def read(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return content


@dataclass(slots=True)
class AzureMl:
    """Runs pipeline jobs.

    Attributes:
        work: A folder for code, inputs and outputs.
        variables: Of all jobs, as an image has them.
    """

    work: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _printed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, folder: Path, given: Mapping[str, Any]) -> Finished:
        """Runs the pipeline job of a bundle, as its schedule does where it has one.

        Args:
            folder: The bundle's.
            given: Values of inputs, as `az ml job create --set` takes them.
        """
        content = read(folder / "pipeline.yml")
        declared = dict(content.get("inputs", {}))
        if not given.keys() <= declared.keys():
            raise AzureError(f"these are no inputs of the pipeline: {given.keys() - declared.keys()}")
        inputs = {**declared, **_of_schedule(folder), **given}
        jobs, states, values = content["jobs"], dict[str, str](), dict[str, Path]()
        waiting = dict(jobs)
        with ThreadPoolExecutor(max_workers=4) as pool:
            running: dict[str, Any] = {}
            while waiting or running:
                for name in [name for name, job in waiting.items() if _above(job) <= states.keys()]:
                    job = waiting.pop(name)
                    if all(states[each] == "Completed" for each in _above(job)):
                        values[name] = self.work / f"{next(self._numbers)}-{name}"
                        running[name] = pool.submit(self._job, folder, job, inputs, dict(values), values[name])
                    else:
                        states[name] = "Canceled"
                if waiting and not running and not any(_above(job) <= states.keys() for job in waiting.values()):
                    raise AzureError(f"these jobs wait for each other: {', '.join(waiting)}")
                for name in [name for name, each in running.items() if each.done()]:
                    states[name] = "Completed" if running.pop(name).result() == 0 else "Failed"
                time.sleep(0.005)
        left = {name: path / "outputs" for name, path in values.items()}
        return Finished(states=states, values=left, printed="".join(self._printed))

    def _job(
        self, folder: Path, job: Mapping[str, Any], inputs: Mapping[str, Any], values: Mapping[str, Path], place: Path
    ) -> int:
        file = (folder / job["component"]).resolve()
        component = read(file)
        bound = {name: _bound(text, inputs, values) for name, text in job.get("inputs", {}).items()}
        declared = component.get("inputs", {})
        if bound.keys() != declared.keys():
            raise AzureError(f"{job['component']} has the inputs {set(declared)}, and is given {set(bound)}")
        code = place / "code"
        _snapshot((file.parent / component["code"]).resolve(), code)
        known, variables = {"outputs.values": str(place / "outputs")}, dict[str, str]()
        (place / "outputs").mkdir()
        for name, value in bound.items():
            if isinstance(value, Path):
                shutil.copytree(value, place / "inputs" / name)
                known[f"inputs.{name}"] = str(place / "inputs" / name)
            else:
                text = _typed(value, declared[name]["type"])
                known[f"inputs.{name}"] = variables[f"AZUREML_PARAMETER_{name}"] = text
        command = _PLACE.sub(lambda found: known[found.group(1).strip()], component["command"])
        return self._shell(command, code, {**variables, **job.get("environment_variables", {})}, job.get("limits", {}))

    def _shell(self, command: str, code: Path, variables: Mapping[str, str], limits: Mapping[str, Any]) -> int:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "LANG": "C.UTF-8", "HOME": str(self.work), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=code,
                env={**own, "AZUREML_ROOT_RUN_ID": "jolly_sock_x7k2p", **self.variables, **variables},
                capture_output=True,
                timeout=limits.get("timeout"),
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 143
        with self._lock:
            self._printed += [done.stdout.decode(), done.stderr.decode()]
        return done.returncode


def _of_schedule(folder: Path) -> dict[str, str]:
    """The inputs that the schedule gives, at the time that it has."""
    if not (folder / "schedule.yml").exists():
        return {}
    created = read(folder / "schedule.yml")["create_job"]
    given = created.get("inputs", {}) if isinstance(created, dict) else {}
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return {name: now if text == _TIME else text for name, text in given.items()}


def _above(job: Mapping[str, Any]) -> set[str]:
    every = " ".join(map(str, job.get("inputs", {}).values()))
    return set(re.findall(r"\$\{\{parent\.jobs\.(\w+)\.outputs\.values\}\}", every))


def _bound(text: str, inputs: Mapping[str, Any], values: Mapping[str, Path]) -> Any:
    found = _PLACE.fullmatch(text)
    if found is None:
        raise AzureError(f"{text!r} is no binding")
    kind, name = found.group(1).split(".")[1:3]
    return inputs[name] if kind == "inputs" else values[name] / "outputs"


def _typed(value: Any, kind: str) -> str:
    """An input as its type takes it, and as a command gets it."""
    fits = {
        "integer": lambda: isinstance(value, int) and not isinstance(value, bool),
        "number": lambda: isinstance(value, int | float) and not isinstance(value, bool),
        "boolean": lambda: isinstance(value, bool),
        "string": lambda: isinstance(value, str),
    }
    if not fits[kind]():
        raise AzureError(f"{value!r} is no {kind}")
    return str(value)


def _snapshot(source: Path, target: Path) -> None:
    """The code, without what `.amlignore` names."""
    ignored = {line.removeprefix("/") for line in (source / ".amlignore").read_text().split()}

    def left_out(folder: str, names: list[str]) -> set[str]:
        inside = Path(folder).resolve().relative_to(source)
        return {name for name in names if (inside / name).as_posix() in ignored}

    shutil.copytree(source, target, ignore=left_out)
