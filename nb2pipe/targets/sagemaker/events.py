"""What starts a pipeline of SageMaker at its times, and what tells that it failed: both are EventBridge's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.notebook.model import Settings
    from nb2pipe.targets.sagemaker.parameters import Parameters

PLACE_OF_ROLE: Final = "SCHEDULER_ROLE_ARN"
"""What stands in the schedule for the role, which is of the account that it is made in."""

_DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIELDS: Final = ((0, 59, ()), (0, 23, ()), (1, 31, ()), (1, 12, _MONTHS), (0, 7, _DAYS))
_ANY: Final = "*"
_LONGEST_AGE: Final = 3_600
"""Seconds after which a start that could not be made is given up: nothing is caught up on."""
_ONCE: Final = "schedule-<aws.scheduler.execution-id>-<aws.scheduler.execution-id>"
"""The API wants 32 characters at least, and an id has 16."""
_SCHEDULED: Final = "<aws.scheduler.scheduled-time>"
_PIPELINES: Final = "arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/"
_HTTPS: Final = re.compile(
    r"https://[-()_.!~*'a-z0-9A-Z]+(?::[0-9]+)?(?:[-()_.!~*';/?:@&=+$,A-Za-z0-9]|%[0-9a-fA-F]{2})*", re.ASCII
)


def schedules(name: str, settings: Settings, parameters: Parameters) -> Iterator[dict[str, Any]]:
    """The inputs of `aws scheduler create-schedule`, one for each expression that the schedule needs.

    Cron runs on days that fit the day of the month or that of the week; EventBridge has one of both in an expression.

    Args:
        name: The pipeline's.
        settings: With a schedule.
        parameters: The pipeline's.
    """
    expressions = cron_of(settings.schedule or "")
    given: dict[str, Any] = {
        "PipelineName": name,
        "PipelineParameters": _to_give(settings, parameters),
        "ClientRequestToken": _ONCE,
    }
    for number, expression in enumerate(expressions, start=1):
        yield {
            "Name": f"{name}{f'-{number}' if len(expressions) > 1 else ''}"[:64],
            "ScheduleExpression": expression,
            "ScheduleExpressionTimezone": settings.timezone or "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution",
                "RoleArn": PLACE_OF_ROLE,
                "Input": json.dumps(given),
                "RetryPolicy": {"MaximumEventAgeInSeconds": _LONGEST_AGE, "MaximumRetryAttempts": 3},
            },
        }


def _to_give(settings: Settings, parameters: Parameters) -> list[dict[str, str]]:
    """The parameters that have no default; the guide says how their values get there. A run's date is given, too."""
    needed = [{"Name": row["Name"], "Value": place_of(row["Name"])} for row in _open(parameters)]
    date = parameters.names.get(f"notebook {settings.run_date}") if settings.run_date else None
    return needed + ([{"Name": date, "Value": _SCHEDULED}] if date else [])


def _open(parameters: Parameters) -> Iterator[Mapping[str, Any]]:
    return (row for row in parameters.declared if "DefaultValue" not in row)


def place_of(name: str) -> str:
    """What stands for the value of a parameter that has to be given.

    >>> place_of("ImageUri")
    'GIVE_ImageUri'
    """
    return f"GIVE_{name}"


def cron_of(text: str) -> tuple[str, ...]:
    """Five fields of cron as expressions of EventBridge.

    Args:
        text: Checked.

    >>> cron_of("30 3 * * 1-5")
    ('cron(30 3 ? * MON,TUE,WED,THU,FRI *)',)
    >>> cron_of("*/20 0 1,15 * 0")
    ('cron(0,20,40 0 1,15 * ? *)', 'cron(0,20,40 0 ? * SUN *)')
    """
    minute, hour, day, month, weekday = (
        _field(part, *limits) for part, limits in zip(text.split(), _FIELDS, strict=True)
    )
    days = [(day, "?")] if weekday == _ANY else [("?", weekday)]
    if _ANY not in {day, weekday}:
        days = [(day, "?"), ("?", weekday)]
    return tuple(f"cron({minute} {hour} {one} {month} {other} *)" for one, other in days)


def _field(text: str, lowest: int, highest: int, names: tuple[str, ...]) -> str:
    """A field as a list of numbers or names."""
    found = sorted({number for part in text.split(",") for number in _numbers(part, lowest, highest, names)})
    if len(found) == highest - lowest + 1:
        return _ANY
    if names == _DAYS:
        found = sorted({number % len(_DAYS) for number in found})
        return _ANY if len(found) == len(_DAYS) else ",".join(_DAYS[number] for number in found)
    return ",".join(str(number) for number in found)


def _numbers(part: str, lowest: int, highest: int, names: tuple[str, ...]) -> range:
    span, _, step = part.partition("/")
    first, _, last = span.partition("-")
    if first == _ANY:
        return range(lowest, highest + 1, int(step or 1))
    begin = _number(first, lowest, names)
    end = _number(last, lowest, names) if last else (highest if step else begin)
    return range(begin, end + 1, int(step or 1))


def _number(text: str, lowest: int, names: tuple[str, ...]) -> int:
    return names.index(text.upper()) + lowest if text.upper() in names else int(text)


# ------------------------------------------------------------------------------------------------ failures


def is_address(text: str) -> bool:
    """Whether EventBridge posts to an address.

    >>> is_address("https://example.com/hook?a=1"), is_address("http://example.com/hook")
    (True, False)
    """
    return len(text) <= 2048 and _HTTPS.fullmatch(text) is not None  # noqa: PLR2004  # as its API says


def notice(name: str, title: str, settings: Settings, address: str) -> dict[str, Any]:
    """A template of CloudFormation: when an execution fails, EventBridge posts JSON to a webhook.

    Args:
        name: The pipeline's, at SageMaker.
        title: The pipeline's, in the notebook.
        settings: What the notebook says.
        address: The webhook's, or what CloudFormation resolves to it.
    """
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Tells a webhook that an execution of the pipeline {name} failed.",
        "Resources": {
            "Webhook": {
                "Type": "AWS::Events::ApiDestination",
                "Properties": {
                    "ConnectionArn": {"Fn::GetAtt": ["Connection", "Arn"]},
                    "HttpMethod": "POST",
                    "InvocationEndpoint": address,
                    "InvocationRateLimitPerSecond": 1,
                },
            },
            "Connection": {
                "Type": "AWS::Events::Connection",
                "Properties": {
                    "AuthorizationType": "API_KEY",
                    "AuthParameters": {"ApiKeyAuthParameters": {"ApiKeyName": "X-Pipeline", "ApiKeyValue": name}},
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": _policy(
                        "sts:AssumeRole", {"Principal": {"Service": "events.amazonaws.com"}}
                    ),
                    "Policies": [
                        {
                            "PolicyName": "post",
                            "PolicyDocument": _policy(
                                "events:InvokeApiDestination", {"Resource": {"Fn::GetAtt": ["Webhook", "Arn"]}}
                            ),
                        }
                    ],
                },
            },
            "Rule": {"Type": "AWS::Events::Rule", "Properties": _rule(name, _told(title, settings.owner))},
        },
    }


def _told(title: str, owner: str | None) -> str:
    """What is posted; EventBridge puts the execution's ARN in the place of `<run>`, and of nothing else."""
    text = _plain(f"the pipeline {title} failed" + (f", owner {owner}" if owner else ""))
    return f'{{"text": {text[:-1]}, run <run>", "pipeline": {_plain(title)}, "owner": {_plain(owner)}, "run": "<run>"}}'


def _plain(text: str | None) -> str:
    r"""A text as JSON in which nobody sees a placeholder.

    >>> print(_plain("<run> {{x}}"))
    "\u003crun> \u007b\u007bx}}"
    """
    return json.dumps(text).replace("<", "\\u003c").replace("{", "\\u007b")


def _rule(name: str, template: str) -> dict[str, Any]:
    return {
        "EventPattern": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {
                "currentPipelineExecutionStatus": ["Failed"],
                "pipelineArn": [{"Fn::Sub": f"{_PIPELINES}{name}"}],
            },
        },
        "State": "ENABLED",
        "Targets": [
            {
                "Id": "webhook",
                "Arn": {"Fn::GetAtt": ["Webhook", "Arn"]},
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "InputTransformer": {
                    "InputPathsMap": {"run": "$.detail.pipelineExecutionArn"},
                    "InputTemplate": template,
                },
            }
        ],
    }


def _policy(action: str, more: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, **more}]}
