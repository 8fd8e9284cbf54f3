"""What a job of Jenkins is given: parameters of its form, and credentials."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.records.values import secrets_to_give
from nb2pipe.targets.jenkins.text import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.targets.jobs import Job

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|TERM|LANG|LANGUAGE|TZ|CI|ENV|IFS|PPID|UID|HOSTNAME|DISPLAY|CLASSPATH"
    r"|TMP|TMPDIR|TEMP|BUNDLE|SCM|EXECUTOR_NUMBER|STAGE_NAME|RUN_DATE|MATPLOTLIBRC|TRIES"
    r"|(?:HUDSON|JENKINS|BUILD|JOB|NODE|WORKSPACE|BRANCH|CHANGE|TAG|GIT|SVN|LC|LD|PIP|JAVA|XDG|GATE|PARAMETER|NB2PIPE"
    r"|AWS|CUDA|OMP|MKL|RUN_DISPLAY|RUN_ARTIFACTS|RUN_CHANGES|RUN_TESTS|LIBRARY|HTTP|DOCKER)_.*"
    r"|PYTHON.*|.*_PROXY|WORKSPACE"
)
"""Variables that programs know. Jenkins makes a variable of each parameter, and one more in capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Where the value of a parameter comes from.

    Attributes:
        name: The parameter's name in the notebook.
        variable: The job's parameter, and the variable that steps see.
        credential: The credential that it is; empty where it is none.
        type: The parameter's; None where it is not known.
        default: What stands in the form; a truth for a box to tick; None where the field is empty.
        is_date: It is the date that the run is for, where nobody gives another.
    """

    name: str
    variable: str
    credential: str = ""
    type: str | None = None
    default: str | bool | None = None
    is_date: bool = False

    def declaration(self) -> str:
        """The line of `parameters`."""
        kind = "booleanParam" if isinstance(self.default, bool) else "string"
        default = text(self.default or "") if not isinstance(self.default, bool) else str(self.default).lower()
        return f"{kind}(name: {text(self.variable)}, defaultValue: {default}, description: {text(self._description())})"

    def _description(self) -> str:
        words = [] if self.name == self.variable else [self.name]
        words += [self.type] if self.type and self.type != "None" else []
        words += ["JSON"] if self.type in {"list", "dict"} else []
        if self.is_date:
            words = [*words[:-1], "YYYY-MM-DD; the day of the run if left empty"]
        elif self.default is None:
            words.append("as the notebook has it if left empty")
        return "; ".join(words)


def given_of(pipeline: Pipeline, jobs: Sequence[Job]) -> tuple[Given, ...]:
    """Where the values of a pipeline's parameters come from, in the notebook's order.

    Args:
        pipeline: Its secrets are masked.
        jobs: Its steps.
    """
    secrets = frozenset(secrets_to_give([(one.name, one.default, one.is_literal) for one in pipeline.parameters]))
    resources = [job.step.resources for job in jobs]
    used = {tag.variable.upper() for each in resources for tag in each.secrets}
    used |= {name.upper() for each in resources for name, _ in each.environment}
    variables = _distinct([_variable(one.name, used) for one in pipeline.parameters])
    return tuple(
        Given(
            name=one.name,
            variable=variable,
            credential=re.sub(r"\W+", "-", one.name, flags=re.ASCII) if one.name in secrets else "",
            type=one.type,
            default=None if one.name in {*secrets, pipeline.settings.run_date} else _default(one),
            is_date=one.name == pipeline.settings.run_date,
        )
        for one, variable in zip(pipeline.parameters, variables, strict=True)
    )


def _variable(name: str, used: Iterable[str]) -> str:
    if not _NAME.fullmatch(name):
        return "PARAMETER"
    return f"PARAMETER_{name}" if _TAKEN.fullmatch(name.upper()) or name.upper() in used else name


def _default(parameter: Parameter) -> str | bool | None:
    """A default as it stands in the form; None where it cannot: its fields have one line."""
    if not parameter.is_literal:
        return None
    match parameter.default:
        case bool(value):
            return value
        case int() | float() as number:
            found = repr(number)
        case str(value):
            found = value
        case list() | dict() as value:
            found = json.dumps(value, ensure_ascii=False)
        case _:
            return None
    return found if found.isprintable() else None


def credentials_of(pipeline: Pipeline, jobs: Iterable[Job]) -> Mapping[SecretTag, str]:
    """The id of the credential for each secret that steps, or the notice of a failure, ask for.

    Args:
        pipeline: The pipeline.
        jobs: Its steps.
    """
    tags = [tag for job in jobs for tag in job.step.resources.secrets]
    if (webhook := webhook_secret(pipeline)) is not None:
        tags.append(webhook)
    keys = list(dict.fromkeys((tag.secret, tag.key) for tag in tags))
    ids = dict(zip(keys, _distinct([f"{secret}-{key}" for secret, key in keys]), strict=True))
    return {tag: ids[tag.secret, tag.key] for tag in tags}


def webhook_secret(pipeline: Pipeline) -> SecretTag | None:
    """The secret that the notice of a failure goes to; None where it is none."""
    asked = pipeline.settings.on_failure or ""
    tag = parse_tag(asked) if asked.startswith("secret:") else None
    return tag if isinstance(tag, SecretTag) else None


def _distinct(names: Sequence[str]) -> Iterator[str]:
    """The names, with a number where one stands there already; capitals do not make a difference.

    >>> list(_distinct(["lr", "LR", "x"]))
    ['lr', 'LR_2', 'x']
    """
    taken: set[str] = set()
    for name in names:
        number, one = 1, name
        while one.lower() in taken:
            number += 1
            one = f"{name}_{number}"
        taken.add(one.lower())
        yield one
