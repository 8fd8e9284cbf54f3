"""A Workflow of Argo on this machine: its DAG, its substitution, its artifacts, and a process for each container.

It does what the documentation and the source of Argo 4.0 and Kubernetes say: double braces are replaced in the JSON of
a template, what is not known stays; `$(NAME)` in arguments and variables is expanded after that; a pod has empty
volumes, artifacts come and go as copies. Paths of containers are those of a folder for each pod.
"""

from __future__ import annotations

import itertools
import json
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
    from collections.abc import Callable, Iterator, Mapping

ROOTS = ("inputs", "item", "outputs", "pod", "retries", "steps", "tasks", "workflow")
_REPLACE = re.compile(r"replace\(([\w.-]+), '((?:[^'])*)', '((?:[^'])*)'\)")


class ArgoError(Exception):
    """Argo or Kubernetes would not take it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What became of a task."""

    phase: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    artifacts: Mapping[str, Path] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What became of a workflow."""

    phase: str
    nodes: Mapping[str, Node]
    order: tuple[str, ...]
    printed: str


# ------------------------------------------------------------------------------------------------ substitution


def substituted(content: Any, known: Mapping[str, str], *, final: bool = False) -> Any:
    """What Argo makes of a part of a workflow.

    Args:
        content: The part.
        known: What its variables stand for.
        final: Nothing may be left that begins with a root of Argo's.
    """
    text, parts, place = json.dumps(content, ensure_ascii=False), [], 0
    while (begin := text.find("{{", place)) >= 0:
        end = text.find("}}", begin)
        if end < 0:
            raise ArgoError(f"cannot find end tag in {text[begin : begin + 60]!r}")
        parts += [text[place:begin], _replaced(text[begin + 2 : end], known, final=final)]
        place = end + 2
    try:
        return json.loads("".join([*parts, text[place:]]))
    except ValueError as error:
        raise ArgoError(f"the result was invalid JSON: {error}") from None


def _replaced(tag: str, known: Mapping[str, str], *, final: bool) -> str:
    if tag.startswith("="):
        return _evaluated(tag, known, final=final)
    name = tag.strip()
    if name in known:
        return _quoted(known[name])
    if final and name.partition(".")[0] in ROOTS:
        raise ArgoError(f"failed to resolve {{{{{tag}}}}}")
    return "{{" + tag + "}}"


def _evaluated(tag: str, known: Mapping[str, str], *, final: bool) -> str:
    found = _REPLACE.fullmatch(tag.removeprefix("=").strip())
    if found is None:
        raise ArgoError(f"no expression that is known here: {tag}")
    name, old, new = found.groups()
    if name in known:
        return json.dumps(known[name].replace(old, new), ensure_ascii=False)[1:-1]
    if final:
        raise ArgoError(f"failed to evaluate {tag}")
    return "{{" + tag + "}}"


_GO = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    '"': '\\"',
    "\\": "\\\\",
}


def _quoted(text: str) -> str:
    """A text as Go's `strconv.Quote` writes it, which is not always JSON."""
    return "".join(_GO.get(each) or (each if each.isprintable() else _escaped(ord(each))) for each in text)


def _escaped(number: int) -> str:
    if number < 0x20 or number == 0x7F:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """What Kubernetes makes of a text: `$(NAME)` is a variable, if there is one, and `$$` a dollar."""

    def one(found: re.Match[str]) -> str:
        return "$" if found.group() == "$$" else variables.get(found.group(1), found.group())

    return re.sub(r"\$\$|\$\(([^)]*)\)", one, text)


def merged(defaults: Any, own: Any) -> Any:
    """A template over the defaults: lists of things with names, or of mounts, are joined by these."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        return {key: merged(defaults.get(key), own.get(key)) for key in [*defaults, *own]}
    if isinstance(defaults, list) and isinstance(own, list) and all(isinstance(each, dict) for each in defaults + own):
        key = "mountPath" if any("mountPath" in each for each in defaults + own) else "name"
        names = [each[key] for each in own]
        if len(names) != len(set(names)):
            raise ArgoError(f"{names} names something twice")
        return list(({each[key]: each for each in defaults} | {each[key]: each for each in own}).values())
    return defaults if own is None else own


# ------------------------------------------------------------------------------------------------ a workflow


@dataclass(slots=True)
class Argo:
    """Runs workflows.

    Attributes:
        work: A folder for pods and artifacts.
        secrets: What the secrets of the namespace hold, by secret and key.
        variables: Of all containers, as an image has them.
    """

    work: Path
    secrets: Mapping[tuple[str, str], str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    _bundle: Path = Path()
    _spec: dict[str, Any] = field(default_factory=dict)
    _nodes: dict[str, Node] = field(default_factory=dict)
    _order: list[str] = field(default_factory=list)
    _printed: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _images: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, folder: Path, given: Mapping[str, str]) -> Finished:
        """Runs the workflow of a bundle.

        Args:
            folder: The bundle's.
            given: Values of parameters, as `argo submit -p` takes them.
        """
        self._bundle, self._nodes, self._order, self._printed = folder, {}, [], []
        content = yaml.safe_load((folder / "workflow.yaml").read_text("utf-8"))
        spec = content["spec"]["workflowSpec"] if content["kind"] == "CronWorkflow" else content["spec"]
        known = _globals(spec, given, content["metadata"].get("name") or f"{content['metadata']['generateName']}x7k2p")
        self._images = known["workflow.parameters.pipeline-image"]
        self._spec = substituted(spec, known)
        self._dag(self._template(spec["entrypoint"]), known)
        failed = any(node.phase in {"Failed", "Error"} for node in self._nodes.values())
        phase = "Failed" if failed else "Succeeded"
        if "onExit" in spec:
            self._exit(self._template(spec["onExit"]), {**known, "workflow.status": phase})
        return Finished(phase=phase, nodes=self._nodes, order=tuple(self._order), printed="".join(self._printed))

    def _template(self, name: str) -> dict[str, Any]:
        (found,) = (each for each in self._spec["templates"] if each["name"] == name)
        kinds = {"container", "dag", "steps"} & found.keys()
        defaults = {key: value for key, value in self._spec.get("templateDefaults", {}).items() if key in kinds}
        return dict(merged(defaults, found))

    def _dag(self, template: Mapping[str, Any], known: Mapping[str, str]) -> None:
        """Runs the tasks of a DAG, each as soon as all that it depends on has ended."""
        waiting = {task["name"]: task for task in substituted(template["dag"]["tasks"], known)}
        with ThreadPoolExecutor(max_workers=4) as pool:
            running: dict[str, Any] = {}
            while waiting or running:
                for name in [name for name in waiting if _names(waiting[name]) <= self._nodes.keys()]:
                    running[name] = pool.submit(self._task, waiting.pop(name), known)
                if not running:
                    raise ArgoError(f"these tasks wait for each other: {', '.join(waiting)}")
                for name in [name for name, each in running.items() if each.done()]:
                    self._nodes[name] = running.pop(name).result()
                time.sleep(0.005)

    def _task(self, task: Mapping[str, Any], known: Mapping[str, str]) -> Node:
        if not _holds(task.get("depends", ""), self._nodes):
            return Node(phase="Omitted")
        outputs = {
            f"tasks.{name}.outputs.parameters.{key}": value
            for name, node in self._nodes.items()
            for key, value in node.parameters.items()
        }
        artifacts = {
            f"{{{{tasks.{name}.outputs.artifacts.{key}}}}}": path
            for name, node in self._nodes.items()
            for key, path in node.artifacts.items()
        }
        when = substituted(task.get("when", "true == true"), {**known, **outputs}, final=True)
        if not all(left == right for left, right in (part.split(" == ") for part in when.split(" && "))):
            return Node(phase="Skipped")
        given = task.get("arguments", {})
        parameters = substituted(given.get("parameters", []), {**known, **outputs}, final=True)
        with self._lock:
            self._order.append(task["name"])
        return self._leaf(
            self._template(task["template"]),
            known,
            {one["name"]: one["value"] for one in parameters},
            {one["name"]: artifacts[one["from"]] for one in given.get("artifacts", [])},
        )

    def _exit(self, template: Mapping[str, Any], known: Mapping[str, str]) -> None:
        for step in itertools.chain.from_iterable(template["steps"]):
            left, right = substituted(step["when"], known, final=True).split(" != ")
            if left != right:
                self._nodes["exit"] = self._leaf(self._template(step["template"]), known, {}, {})

    def _leaf(
        self,
        template: dict[str, Any],
        known: Mapping[str, str],
        parameters: Mapping[str, str],
        artifacts: Mapping[str, Path],
    ) -> Node:
        inputs = {f"inputs.parameters.{name}": value for name, value in parameters.items()}
        asked = {one["name"] for one in template.get("inputs", {}).get("parameters", [])}
        if asked != parameters.keys():
            raise ArgoError(f"the template {template['name']} asks for {asked}, and is given {set(parameters)}")
        ready = substituted(substituted(template, {**known, **inputs}), known, final=True)
        tries = int(ready.get("retryStrategy", {}).get("limit", "0")) + 1
        for number in range(tries):
            if number:
                time.sleep(float(ready["retryStrategy"].get("backoff", {}).get("duration", "0s").removesuffix("s")))
            pod = self.work / f"pod-{next(self._numbers)}-{ready['name']}"
            code = self._pod(pod, ready, artifacts)
            if code == 0 or number == tries - 1:
                phase = "Succeeded" if code == 0 else "Failed"
                return Node(phase=phase, inputs=dict(parameters), **_outputs(pod, ready, failed=code != 0))
        raise AssertionError

    # -------------------------------------------------------------------------------------------- a pod

    def _pod(self, pod: Path, template: Mapping[str, Any], artifacts: Mapping[str, Path]) -> int:
        volumes = {each["name"]: pod / "volumes" / each["name"] for each in self._spec.get("volumes", [])}
        for path in volumes.values():
            path.mkdir(parents=True)
        for one in template.get("inputs", {}).get("artifacts", []):
            place = pod / "root" / one["path"].lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(artifacts[one["name"]], place)
        for first in template.get("initContainers", []):
            if self._container(pod, first, volumes, None):
                return 1
        return self._container(pod, template["container"], volumes, template.get("activeDeadlineSeconds"))

    def _container(
        self, pod: Path, container: Mapping[str, Any], volumes: Mapping[str, Path], seconds: float | None
    ) -> int:
        """Runs a container; its paths are those of its mounts, else of its image, else of the pod's root."""
        mounts = {each["mountPath"]: volumes[each["name"]] for each in container.get("volumeMounts", [])}
        ours = container["image"] == self._images
        image = {"/app": self._bundle, "/files": self._data()} if ours else {}
        places = {**image, **mounts}

        def placed(path: str) -> str:
            for place, real in sorted(places.items(), reverse=True):
                if path == place or path.startswith(f"{place}/"):
                    return f"{real}{path[len(place) :]}"
            return str(pod / "root") + path

        variables: dict[str, str] = {}
        for each in container.get("env", []):
            variables[each["name"]] = self._value(each, variables)
        words = [expanded(word, variables) for word in (*container["command"], *container.get("args", []))]
        words = [_real(word, placed) for word in words]
        home = {"PYTHONPATH": "/app", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/tmp"} if ours else {}
        own = {name: placed(text) if name in _PATHS else text for name, text in {**home, **variables}.items()}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        try:
            done = subprocess.run(
                words,
                cwd=placed(container["workingDir"]) if "workingDir" in container else pod,
                env={"PATH": path, "LANG": "C.UTF-8", **self.variables, **own},
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 143
        with self._lock:
            self._printed += [done.stdout.decode(), done.stderr.decode()]
        return done.returncode

    def _value(self, variable: Mapping[str, Any], before: Mapping[str, str]) -> str:
        if "value" in variable:
            return expanded(variable["value"], before)
        reference = variable["valueFrom"]["secretKeyRef"]
        return self.secrets[(reference["name"], reference["key"])]

    def _data(self) -> Path:
        """What the image has in `/files`, as its Dockerfile says."""
        place = self.work / "image-files"
        place.mkdir(exist_ok=True)
        dockerfile = (self._bundle / "Dockerfile").read_text()
        for words in re.findall(r"^COPY --chown=\S+ (\[.*\])$", dockerfile, re.MULTILINE):
            source, target = json.loads(words)
            real = place / target.removeprefix("/files/")
            if not real.exists():
                (shutil.copytree if (self._bundle / source).is_dir() else shutil.copy)(self._bundle / source, real)
        return place


_PATHS = {"PYTHONPATH", "HOME"}


def _real(word: str, placed: Callable[[str], str]) -> str:
    """A word of a command whose paths are real: those of our options, and those of `cp`."""
    option, equals, path = word.partition("=")
    if word.startswith("--nb2pipe-") and equals:
        return f"{option}={placed(path)}"
    return placed(word) if word.startswith("/") else word


def _globals(spec: Mapping[str, Any], given: Mapping[str, str], name: str) -> dict[str, str]:
    declared = {one["name"]: one.get("value") for one in spec["arguments"]["parameters"]}
    if not given.keys() <= declared.keys():
        raise ArgoError(f"these are no parameters of the workflow: {given.keys() - declared.keys()}")
    values = {**declared, **given}
    lacking = [each for each, value in values.items() if value is None]
    if lacking:
        raise ArgoError(f"a value is required for {lacking}")
    now = time.gmtime()
    made = {f"workflow.creationTimestamp.{each}": time.strftime(f"%{each}", now) for each in "YmdHMS"}
    known = {"workflow.name": name, **made}
    every = substituted({f"workflow.parameters.{each}": value for each, value in values.items()}, known)
    return {**known, **every}


def _names(task: Mapping[str, Any]) -> set[str]:
    return {each.partition(".")[0] for each in re.findall(r"[\w.-]+", task.get("depends", ""))}


def _holds(depends: str, nodes: Mapping[str, Node]) -> bool:
    conditions = depends.split(" && ") if depends else []
    return all(nodes[name].phase == phase for name, _, phase in (each.partition(".") for each in conditions))


def _outputs(pod: Path, template: Mapping[str, Any], *, failed: bool) -> dict[str, Any]:
    """What comes out of a pod; of one that failed, what is there."""

    def real(path: str) -> Path:
        assert path.startswith("/tmp/")
        return pod / "volumes" / "tmp" / path.removeprefix("/tmp/")

    outputs = template.get("outputs", {})
    parameters = {one["name"]: real(one["valueFrom"]["path"]) for one in outputs.get("parameters", [])}
    artifacts = {one["name"]: real(one["path"]) for one in outputs.get("artifacts", [])}
    missing = [str(path) for path in (*parameters.values(), *artifacts.values()) if not path.exists()]
    if missing and not failed:
        raise ArgoError(f"{template['name']} did not leave {missing}")
    return {
        "parameters": {name: path.read_text().removesuffix("\n") for name, path in parameters.items() if path.exists()},
        "artifacts": {name: path for name, path in artifacts.items() if path.exists()},
    }
