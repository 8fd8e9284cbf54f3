"""What a workflow of GitHub is given: inputs of a form for parameters, and the repository's secrets."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.records.values import secrets_to_give

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.targets.jobs import Job

_MOST = 25
"""GitHub takes no more inputs."""
_LONGEST = 1000
"""The values of all inputs together may have 65,535 characters."""
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """Where the value of a parameter comes from.

    Attributes:
        name: The parameter's.
        id: The input's; empty where there is none.
        secret: The repository's secret that it is; empty where it is none.
        type: The parameter's; None where it is not known.
        default: The text that stands in the form; a truth for a box to tick; None where the field is empty.
        is_date: It is the date that the run is for, where nobody gives another.
    """

    name: str
    id: str = ""
    secret: str = ""
    type: str | None = None
    default: str | bool | None = None
    is_date: bool = False

    @property
    def variable(self) -> str:
        """The variable of the environment that holds the value."""
        return f"PARAMETER_{self.id or self.secret}"

    def form(self) -> dict[str, Any]:
        """The input as `workflow_dispatch` has it."""
        kind = "boolean" if isinstance(self.default, bool) else "string"
        default = {} if self.default is None else {"default": self.default}
        return {"description": self._description(), "type": kind, **default}

    def _description(self) -> str:
        """What the form shows in place of the name."""
        if self.is_date:
            return f"{self.name} (YYYY-MM-DD; the day of the run if left empty)"
        words = [self.type] if self.type and self.type != "None" else []
        words += ["JSON"] if self.type in {"list", "dict"} else []
        words += ["as the notebook has it if left empty"] if self.default is None else []
        return f"{self.name} ({'; '.join(words)})" if words else self.name


def inputs_of(pipeline: Pipeline, taken: Collection[str] = ()) -> tuple[Input, ...]:
    """Where the values of a pipeline's parameters come from, in the notebook's order.

    Args:
        pipeline: Its secrets are masked.
        taken: Secrets of the repository that are something else.
    """
    known = [(one.name, one.default, one.is_literal) for one in pipeline.parameters]
    secrets = frozenset(secrets_to_give(known))
    plain = [one for one in pipeline.parameters if one.name not in secrets]
    ids = _distinct([one.name if _ID.fullmatch(one.name) else "parameter" for one in plain])
    own = [one.name for one in pipeline.parameters if one.name in secrets]
    of_repository = dict(zip(own, _distinct([_secret_name(name) for name in own], taken), strict=True))
    named = {one.name: one_id for one, one_id in zip(plain[:_MOST], ids, strict=False)}
    return tuple(
        Input(name=one.name, secret=of_repository[one.name])
        if one.name in secrets
        else Input(
            name=one.name,
            id=named.get(one.name, ""),
            type=one.type,
            default=None if one.name == pipeline.settings.run_date else _default(one),
            is_date=one.name == pipeline.settings.run_date,
        )
        for one in pipeline.parameters
    )


def _default(parameter: Parameter) -> str | bool | None:
    """A default as it stands in the form; None where it cannot: GitHub reads `${{` there, and forms have one line."""
    if not parameter.is_literal:
        return None
    match parameter.default:
        case bool(value):
            return value
        case int() | float() as number:
            text = repr(number)
        case str(text):
            pass
        case list() | dict() as value:
            text = json.dumps(value, ensure_ascii=False)
        case _:
            return None
    return text if text.isprintable() and "${{" not in text and len(text) <= _LONGEST else None


def secret_names(pipeline: Pipeline, jobs: Iterable[Job]) -> Mapping[SecretTag, str]:
    """The repository's secret for each secret that steps, or the notice of a failure, ask for.

    Args:
        pipeline: The pipeline.
        jobs: Its steps.
    """
    tags = [tag for job in jobs for tag in job.step.resources.secrets]
    if (webhook := webhook_secret(pipeline)) is not None:
        tags.append(webhook)
    keys = list(dict.fromkeys((tag.secret, tag.key) for tag in tags))
    names = dict(zip(keys, _distinct([_secret_name(f"{secret}_{key}") for secret, key in keys]), strict=True))
    return {tag: names[tag.secret, tag.key] for tag in tags}


def webhook_secret(pipeline: Pipeline) -> SecretTag | None:
    """The secret that the notice of a failure goes to; None where it is none."""
    asked = pipeline.settings.on_failure or ""
    tag = parse_tag(asked) if asked.startswith("secret:") else None
    return tag if isinstance(tag, SecretTag) else None


def _secret_name(text: str) -> str:
    """A name that GitHub takes for a secret.

    >>> _secret_name("db_pass.word"), _secret_name("github_token")
    ('DB_PASS_WORD', 'SECRET_GITHUB_TOKEN')
    """
    name = re.sub(r"[^A-Z0-9]+", "_", text.upper())
    return f"SECRET_{name}" if name.startswith("GITHUB_") or not name[:1].isalpha() else name


def _distinct(names: Sequence[str], others: Iterable[str] = ()) -> Iterator[str]:
    """The names, with a number where one stands there already; GitHub does not tell capitals from small letters.

    >>> list(_distinct(["lr", "LR", "x"], ["X"]))
    ['lr', 'LR_2', 'x_2']
    """
    taken = {name.lower() for name in others}
    for name in names:
        number, one = 1, name
        while one.lower() in taken:
            number += 1
            one = f"{name}_{number}"
        taken.add(one.lower())
        yield one
