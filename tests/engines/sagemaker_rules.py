"""The rules of SageMaker that a definition is held to: botocore's shapes, with what botocore leaves unchecked."""

from __future__ import annotations

import functools
import re
from typing import Any

import botocore.session
from botocore.validate import ParamValidator

_EXECUTION = {"PipelineExecutionId", "PipelineName", "StartDateTime"}
_OUTPUT = re.compile(r"ProcessingOutputConfig\.Outputs\['([^']+)'\]\.S3Output\.S3Uri")
_OF_TRAINING = {"OutputDataConfig.S3OutputPath", "TrainingJobName", "ModelArtifacts.S3ModelArtifacts"}
_OPERATIONS = {
    "Processing": "CreateProcessingJob",
    "Training": "CreateTrainingJob",
    "RegisterModel": "CreateModelPackage",
}
_NAMED = {"Processing": "ProcessingJobName", "Training": "TrainingJobName"}
_STEP = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,256}")


@functools.cache
def service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def check(name: str, operation: str, arguments: dict[str, Any]) -> None:
    """The input of an operation is one that AWS takes."""
    shape = service(name).operation_model(operation).input_shape
    report = ParamValidator().validate(arguments, shape)
    assert not report.has_errors(), report.generate_report()
    _limits(arguments, shape, operation)


def _limits(value: Any, shape: Any, where: str) -> None:
    """Longest lengths, patterns and enumerations, which botocore leaves to the server."""
    size = len(value) if isinstance(value, (str, list, dict)) else value
    if "max" in shape.metadata and isinstance(size, (int, float)):
        assert size <= shape.metadata["max"], f"{where}: {value!r}"
    if shape.type_name == "string":
        _text(value, shape, where)
    for name, each, inner in _inside(value, shape):
        _limits(each, inner, f"{where}.{name}")


def _inside(value: Any, shape: Any) -> list[tuple[str, Any, Any]]:
    """What stands in a value: name, value and shape."""
    match shape.type_name:
        case "structure":
            return [(name, value[name], inner) for name, inner in shape.members.items() if name in value]
        case "list":
            return [("member", each, shape.member) for each in value]
        case "map":
            keys = [("key", name, shape.key) for name in value]
            return keys + [(name, each, shape.value) for name, each in value.items()]
        case _:
            return []


def _text(value: str, shape: Any, where: str) -> None:
    if shape.enum:
        assert value in shape.enum, f"{where}: {value!r}"
    pattern = shape.metadata.get("pattern")
    if pattern is not None:
        plain = pattern.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", " ")
        assert re.fullmatch(plain, value), f"{where}: {value!r} is not {pattern}"


# ------------------------------------------------------------------------------------------------ definitions


def check_definition(definition: dict[str, Any]) -> None:
    """Names are unique, and what is referred to is there: parameters, steps, outputs, property files."""
    assert definition["Version"] == "2020-12-01"
    parameters = {each["Name"]: each for each in definition["Parameters"]}
    assert len(parameters) == len(definition["Parameters"]) <= 200
    for name, each in parameters.items():
        assert _PARAMETER.fullmatch(name), name
        _check_default(each)
    steps = steps_of(definition)
    for step in steps.values():
        assert _STEP.fullmatch(step["Name"]), step["Name"]
        assert len(step.get("DisplayName", "")) <= 256
        assert len(step.get("Description", "")) <= 3072
        for reference in references(step):
            _check_reference(reference, parameters, steps)
    _check_order(steps)


def _check_default(parameter: dict[str, Any]) -> None:
    kinds = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
    assert set(parameter) <= {"Name", "Type", "DefaultValue"}
    if "DefaultValue" in parameter:
        assert type(parameter["DefaultValue"]) is kinds[parameter["Type"]]
        assert len(str(parameter["DefaultValue"])) <= 1024


def steps_of(definition: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All steps by name, those in conditions too; conditions do not stand in conditions."""
    found: dict[str, dict[str, Any]] = {}
    for step in definition["Steps"]:
        inner = step["Arguments"]["IfSteps"] if step["Type"] == "Condition" else []
        assert all(each["Type"] != "Condition" for each in inner)
        for each in (step, *inner):
            assert each["Name"] not in found, each["Name"]
            found[each["Name"]] = each
    return found


def references(content: Any) -> list[str]:
    """What `Get` names in a step, those in a condition's own steps left out."""
    match content:
        case {"Get": str(name)}:
            assert len(content) == 1
            return [name]
        case dict():
            return [one for key, each in content.items() if key != "IfSteps" for one in references(each)]
        case list():
            return [one for each in content for one in references(each)]
        case _:
            return []


def needed(step: dict[str, Any]) -> set[str]:
    """The steps that one waits for."""
    named = {name.split(".")[1] for name in references(step) if name.startswith("Steps.")}
    return named | set(step.get("DependsOn", ()))


def _check_reference(name: str, parameters: dict[str, Any], steps: dict[str, dict[str, Any]]) -> None:
    kind, _, rest = name.partition(".")
    match kind:
        case "Parameters":
            assert rest in parameters, name
        case "Execution":
            assert rest in _EXECUTION, name
        case _:
            assert kind == "Steps", name
            step, _, path = rest.partition(".")
            _check_property(steps[step], path)


def _check_property(step: dict[str, Any], path: str) -> None:
    if step["Type"] == "Training":
        assert path in _OF_TRAINING, path
        return
    assert step["Type"] == "Processing"
    outputs = {each["OutputName"] for each in step["Arguments"]["ProcessingOutputConfig"]["Outputs"]}
    found = _OUTPUT.fullmatch(path)
    if found:
        assert found[1] in outputs, path
        return
    kind, _, name = path.partition(".")
    assert kind == "PropertyFiles", path
    files = {each["PropertyFileName"]: each for each in step["PropertyFiles"]}
    assert files[name]["OutputName"] in outputs


def _check_order(steps: dict[str, dict[str, Any]]) -> None:
    """No step waits for itself."""
    done: set[str] = set()
    waiting = dict(steps)
    while waiting:
        ready = [name for name, step in waiting.items() if needed(step) <= done]
        assert ready, f"a circle: {sorted(waiting)}"
        done |= set(ready)
        waiting = {name: step for name, step in waiting.items() if name not in done}


def check_step(step: dict[str, Any], arguments: dict[str, Any]) -> None:
    """The arguments of a step, once all placeholders are filled in."""
    name = _NAMED.get(step["Type"])
    check("sagemaker", _OPERATIONS[step["Type"]], {**arguments, **({name: "job"} if name else {})})
