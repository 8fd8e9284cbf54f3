"""References in a workflow of Argo that lead nowhere: templates, tasks, inputs, outputs, parameters, volumes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_GLOBALS = {"workflow.name", "workflow.status", *(f"workflow.creationTimestamp.{each}" for each in "YmdHMS")}
_NAME = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}")
_PARAMETER = re.compile(r"[-a-zA-Z0-9_]+")
_OURS = ("inputs", "tasks", "workflow")


def dangling(manifest: Mapping[str, Any]) -> list[str]:
    """What leads nowhere, as sentences."""
    spec = manifest["spec"].get("workflowSpec", manifest["spec"])
    return list(_dangling(spec))


def _dangling(spec: Mapping[str, Any]) -> Iterator[str]:
    templates = {template["name"]: template for template in spec["templates"]}
    names = [one["name"] for one in spec["arguments"]["parameters"]]
    known = _GLOBALS | {f"workflow.parameters.{name}" for name in names}
    yield from (f"{name} is no name of a template" for name in templates if not _NAME.fullmatch(name))
    yield from (f"{name} is no name of a parameter" for name in names if not _PARAMETER.fullmatch(name))
    if len(templates) < len(spec["templates"]) or len(set(names)) < len(names):
        yield "a name is there twice"
    for used in (spec["entrypoint"], *([spec["onExit"]] if "onExit" in spec else [])):
        if used not in templates:
            yield f"there is no template {used}"
    yield from _unknown(spec["templateDefaults"], known)
    volumes = {volume["name"] for volume in spec["volumes"]}
    for template in templates.values():
        tasks = template.get("dag", {}).get("tasks", [])
        yield from _of_tasks(tasks, templates, known)
        if not tasks:
            inputs = [one["name"] for one in template.get("inputs", {}).get("parameters", [])]
            yield from _unknown(template, known | {f"inputs.parameters.{name}" for name in inputs})
        containers = [template["container"]] if "container" in template else []
        for container in [*containers, *template.get("initContainers", [])]:
            mounts = [mount["name"] for mount in container.get("volumeMounts", [])]
            yield from (f"there is no volume {name}" for name in mounts if name not in volumes)


def _of_tasks(tasks: Sequence[Mapping[str, Any]], templates: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    by_name = {task["name"]: task for task in tasks}
    for task in tasks:
        template = templates.get(task["template"])
        if template is None:
            yield f"{task['name']}: there is no template {task['template']}"
            continue
        before = _above(task["name"], by_name)
        yield from (f"{task['name']}: there is no task {name}" for name in before if name not in by_name)
        outputs = {
            f"tasks.{name}.outputs.{kind}.{one['name']}"
            for name in before & by_name.keys()
            for kind, many in templates[by_name[name]["template"]].get("outputs", {}).items()
            for one in many
        }
        yield from (f"{task['name']}: {each}" for each in _unknown(task, known | outputs))
        for kind in ("parameters", "artifacts"):
            given = {one["name"] for one in task.get("arguments", {}).get(kind, [])}
            asked = {one["name"] for one in template.get("inputs", {}).get(kind, [])}
            if given != asked:
                yield f"{task['name']}: {kind} {given} are given, and {asked} are asked for"


def _above(name: str, tasks: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        depends = tasks.get(waiting.pop(), {}).get("depends", "")
        new = set(re.findall(r"([\w-]+)\.Succeeded", depends)) - found
        found |= new
        waiting += new
    return found


def _unknown(content: Any, known: set[str]) -> Iterator[str]:
    """The variables of Argo's that are not known; others are texts."""
    for tag in re.findall(r"\{\{(.*?)\}\}", json.dumps(content, ensure_ascii=False)):
        named = re.findall(r"(?:inputs|tasks|workflow)\.[\w.-]+", tag) if tag.startswith("=") else [tag.strip()]
        for name in named:
            if name.partition(".")[0] in _OURS and name not in known:
                yield f"{{{{{tag}}}}} is not known"
