"""`pipeline.yaml`: what KFP's compiler makes of `pipeline.py`, byte for byte, made here without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from nb2pipe.targets.kfp.groups import EXIT, Wire, groups_of, wires_of
from nb2pipe.targets.kfp.model import GATE, METRICS, NOTEBOOK, STATE
from nb2pipe.targets.kfp.settings import RUN_LABEL, cores, gigabytes
from nb2pipe.targets.kfp.types import ARTIFACT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.notebook.model import SecretTag
    from nb2pipe.targets.kfp.groups import Group
    from nb2pipe.targets.kfp.model import Component
    from nb2pipe.targets.kfp.parameters import Given
    from nb2pipe.targets.kfp.settings import Definition, Settings

KFP = "2.17.0"
"""The version of KFP whose form this is."""

_TELL = "tell-failure"
_CREATED = "{{$.pipeline_job_create_time_utc}}"
_RUN_PROGRAM = (
    'program_path=$(mktemp -d)\n\nprintf "%s" "$0" > "$program_path/ephemeral_component.py"\n'
    "_KFP_RUNTIME=true python3 -m kfp.dsl.executor_main                         --component_module_path"
    '                         "$program_path/ephemeral_component.py"                         "$@"\n'
)
_IMPORTS = "\nimport kfp\nfrom kfp import dsl\nfrom kfp.dsl import *\nfrom typing import *"

Data = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """As KFP's, which writes protocol buffers: nothing in them is shared."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # as PyYAML names it
        return True


def pipeline_yaml(definition: Definition, sources: Mapping[str, str]) -> str:
    """The text of `pipeline.yaml`.

    Args:
        definition: What it says.
        sources: The source of each function of `pipeline.py`.
    """
    root = groups_of(definition)
    content: Data = {
        "components": {**_components(definition), **dict(_group_components(definition, root))},
        "deploymentSpec": {"executors": dict(_executors(definition, sources))},
        "pipelineInfo": {"name": definition.name},
        "root": {"dag": {"tasks": dict(_tasks(definition, root))}},
        "schemaVersion": "2.1.0",
        "sdkVersion": f"kfp-{KFP}",
    }
    if definition.title != definition.name:
        content["pipelineInfo"]["displayName"] = definition.title
    if definition.description:
        content["pipelineInfo"]["description"] = definition.description
    if definition.given:
        content["root"]["inputDefinitions"] = {"parameters": {one.name: _default(one) for one in definition.given}}
    documents = [content, {"platforms": {"kubernetes": {"deploymentSpec": {"executors": dict(_pods(definition))}}}}]
    return _head(definition) + yaml.dump_all(documents, Dumper=_Dumper, sort_keys=True)


def _head(definition: Definition) -> str:
    """The comment that KFP begins the file with."""
    rows = ["PIPELINE DEFINITION", f"Name: {definition.name}"]
    if definition.description:
        rows.append("Description: " + "\n#              ".join(definition.description.splitlines()))
    rows += ["Inputs:"] if definition.given else []
    for one in sorted(definition.given, key=lambda each: each.name):
        default = _floating(one.default)
        shown = f"'{default}'" if isinstance(default, str) else str(default)
        rows.append(f"   {one.name}: {one.annotation}" + ("" if one.is_required else f" [Default: {shown}]"))
    return "".join(f"# {row}\n" for row in rows)


def _default(one: Given) -> Data:
    if one.is_required:
        return {"parameterType": one.word}
    return {"defaultValue": _floating(one.default), "isOptional": True, "parameterType": one.word}


def _floating(value: object) -> Any:
    """A value as protocol buffers have it: all numbers are floating."""
    match value:
        case bool() | str():
            return value
        case int() | float():
            return float(value)
        case list():
            return [_floating(each) for each in value]
        case dict():
            return {key: _floating(each) for key, each in value.items()}
        case _:
            return value


# ------------------------------------------------------------------------------------------------ components


def _components(definition: Definition) -> Data:
    found = {f"comp-{each.task}": _component(each) for each in definition.components}
    if definition.notice is not None:
        status = {"isOptional": True, "parameterType": "TASK_FINAL_STATUS"}
        found[f"comp-{_TELL}"] = {
            "executorLabel": f"exec-{_TELL}",
            "inputDefinitions": {"parameters": {"status": status}},
        }
    return found


def _component(component: Component) -> Data:
    parameters = {one.name: {"parameterType": one.word} for one in component.parameters}
    if component.created:
        parameters[component.created] = {"parameterType": "STRING"}
    taken = {name: channel.kind for name, channel in component.inputs.items()}
    left = {**component.kinds, STATE: ARTIFACT}
    left |= {METRICS: "Metrics"} if component.metrics else {}
    left |= {NOTEBOOK: ARTIFACT} if component.notebook else {}
    result = {GATE: {"parameterType": "BOOLEAN"}} if component.job.step.gate else {}
    return {
        "executorLabel": f"exec-{component.task}",
        **_some("inputDefinitions", artifacts=_artifacts(taken), parameters=parameters),
        **_some("outputDefinitions", artifacts=_artifacts(left), parameters=result),
    }


def _artifacts(kinds: Mapping[str, str]) -> Data:
    return {
        name: {"artifactType": {"schemaTitle": f"system.{kind}", "schemaVersion": "0.0.1"}}
        for name, kind in kinds.items()
    }


def _some(key: str, **parts: Data) -> Data:
    """A mapping with the parts that hold something; nothing at all where none does."""
    found = {name: part for name, part in parts.items() if part}
    return {key: found} if found else {}


# ------------------------------------------------------------------------------------------------ groups and tasks


def _group_components(definition: Definition, group: Group) -> Iterator[tuple[str, Data]]:
    for inner in group.groups:
        taken = inner.taken
        artifacts = _artifacts({each.name: each.kind for each in taken if each.task and not each.is_gate})
        words = {one.name: one.word for one in definition.given}
        parameters = {
            each.name: {"parameterType": words.get(each.output, "BOOLEAN") if not each.task else "BOOLEAN"}
            for each in taken
            if not each.task or each.is_gate
        }
        yield (
            f"comp-{inner.name}",
            {
                "dag": {"tasks": dict(_tasks(definition, inner))},
                **_some("inputDefinitions", artifacts=artifacts, parameters=parameters),
            },
        )
        yield from _group_components(definition, inner)


def _tasks(definition: Definition, group: Group) -> Iterator[tuple[str, Data]]:
    for each in group.components:
        yield each.task, _task(definition, each, group)
    for inner in group.groups:
        yield inner.name, _task_of_group(definition, inner, group)
        if inner.name == EXIT:
            yield _TELL, _TELLING


def _task(definition: Definition, component: Component, group: Group) -> Data:
    settings = definition.settings[component.task]
    wires = {one.name: Wire(task="", output=one.name) for one in component.parameters}
    parameters: Data = {name: group.reference(wire) for name, wire in wires.items()}
    if component.created:
        parameters[component.created] = {"runtimeValue": {"constant": _CREATED}}
    artifacts = {name: group.reference(Wire.of(channel)) for name, channel in component.inputs.items()}
    return {
        "cachingOptions": {"enableCache": True} if settings.caches else {},
        "componentRef": {"name": f"comp-{component.task}"},
        **_after(group, wires_of(component)),
        **_some("inputs", artifacts=artifacts, parameters=parameters),
        **({"retryPolicy": _retry(settings)} if settings.retries else {}),
        "taskInfo": {"name": settings.display_name or component.task},
    }


def _retry(settings: Settings) -> Data:
    return {
        "backoffDuration": f"{settings.delay}s",
        "backoffFactor": 1.0 if settings.delay else 2.0,
        "backoffMaxDuration": f"{settings.longest_delay}s",
        "maxRetryCount": settings.retries,
    }


def _task_of_group(definition: Definition, inner: Group, group: Group) -> Data:
    artifacts = {each.name: group.reference(each) for each in inner.taken if each.task and not each.is_gate}
    parameters = {each.name: group.reference(each) for each in inner.taken if not each.task or each.is_gate}
    title = definition.titles[inner.gate] if inner.gate else definition.name
    gate = Wire(task=inner.gate, output=GATE).name
    condition = {"condition": f"inputs.parameter_values['{gate}'] == true"}
    return {
        "componentRef": {"name": f"comp-{inner.name}"},
        **_after(group, inner.wires),
        **_some("inputs", artifacts=artifacts, parameters=parameters),
        "taskInfo": {"name": title},
        **({"triggerPolicy": condition} if inner.gate else {}),
    }


def _after(group: Group, wires: Iterable[Wire]) -> Data:
    """The tasks beside a task or group from which something reaches it."""
    own = {each.task for each in group.components}
    found = sorted({wire.task for wire in wires if wire.task in own})
    return {"dependentTasks": found} if found else {}


_TELLING: Data = {
    "cachingOptions": {},
    "componentRef": {"name": f"comp-{_TELL}"},
    "dependentTasks": [EXIT],
    "inputs": {"parameters": {"status": {"taskFinalStatus": {"producerTask": EXIT}}}},
    "taskInfo": {"name": _TELL},
    "triggerPolicy": {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"},
}


# ------------------------------------------------------------------------------------------------ containers


def _executors(definition: Definition, sources: Mapping[str, str]) -> Iterator[tuple[str, Data]]:
    for each in definition.components:
        settings = definition.settings[each.task]
        text = f"{_IMPORTS}\n\n{sources['run_step']}\n\n{sources[each.function]}\n"
        container = _container(each.function, text, settings.image or definition.image)
        environment = [{"name": name, "value": value} for name, value in settings.environment.items()]
        more = {"env": environment} if environment else {}
        yield f"exec-{each.task}", {"container": {**container, **more, **_resources(settings)}}
    if definition.notice is not None:
        function = _TELL.replace("-", "_")
        text = f"{_IMPORTS}\n\n{sources[function]}\n"
        yield f"exec-{_TELL}", {"container": _container(function, text, definition.image)}


def _container(function: str, text: str, image: str) -> Data:
    return {
        "args": ["--executor_input", "{{$}}", "--function_to_execute", function],
        "command": ["sh", "-ec", _RUN_PROGRAM, text],
        "image": image,
    }


def _resources(settings: Settings) -> Data:
    found: Data = {}
    if settings.cpu:
        found |= {"cpuLimit": cores(settings.cpu), "resourceCpuLimit": settings.cpu}
    if settings.memory:
        found |= {"memoryLimit": gigabytes(settings.memory), "resourceMemoryLimit": settings.memory}
    if settings.accelerator:
        kind, count = settings.accelerator[0], str(settings.accelerator[1])
        number = {"count": count} if int(count) else {}
        found["accelerator"] = {**number, "resourceCount": count, "resourceType": kind, "type": kind}
    return {"resources": found} if found else {}


def _pods(definition: Definition) -> Iterator[tuple[str, Data]]:
    """What Kubernetes is told of the pods of tasks."""
    for each in definition.components:
        settings = definition.settings[each.task]
        metadata = _some("podMetadata", annotations=dict(settings.annotations), labels=dict(settings.labels))
        yield (
            f"exec-{each.task}",
            {
                "fieldPathAsEnv": [{"fieldPath": RUN_LABEL, "name": "NB2PIPE_RUN"}],
                **({"secretAsEnv": _secrets(settings.secrets)} if settings.secrets else {}),
                **metadata,
                **({"activeDeadlineSeconds": str(settings.timeout)} if settings.timeout else {}),
            },
        )
    if definition.notice:
        yield f"exec-{_TELL}", {"secretAsEnv": _secrets(definition.notice)}


def _secrets(secrets: Sequence[SecretTag]) -> list[Data]:
    return [
        {
            "keyToEnv": [{"envVar": one.variable, "secretKey": one.key}],
            "optional": False,
            "secretName": one.secret,
            "secretNameParameter": {"runtimeValue": {"constant": one.secret}},
        }
        for one in secrets
    ]
