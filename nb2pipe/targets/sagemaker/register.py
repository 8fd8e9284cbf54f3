"""A model that a step leaves, put into the model registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.targets.sagemaker.parameters import joined

if TYPE_CHECKING:
    from nb2pipe.targets.sagemaker.jobs import Planned
    from nb2pipe.targets.sagemaker.parameters import Parameters


def registration(parameters: Parameters, one: Planned, name: str) -> dict[str, Any]:
    """The step that registers the model of another.

    Args:
        parameters: Of the pipeline.
        one: The step that leaves the model.
        name: Of the new step.
    """
    arguments: dict[str, Any] = {
        "ModelPackageGroupName": one.group,
        "ModelApprovalStatus": parameters.get("approval"),
        "InferenceSpecification": {
            "Containers": [{"Image": parameters.get("inference"), "ModelDataUrl": _archive(one)}],
            "SupportedContentTypes": ["application/json"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    }
    if one.job is not None and one.job.step.metrics and not one.training:
        place = joined("/", _output(one, "metrics"), "metrics.json")
        arguments["ModelMetrics"] = {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": place}}
        }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments}


def _archive(one: Planned) -> dict[str, Any]:
    if one.training:
        return {"Get": f"Steps.{one.name}.ModelArtifacts.S3ModelArtifacts"}
    return joined("/", _output(one, "model"), "model.tar.gz")


def _output(one: Planned, name: str) -> dict[str, str]:
    return {"Get": f"Steps.{one.name}.ProcessingOutputConfig.Outputs['{name}'].S3Output.S3Uri"}
