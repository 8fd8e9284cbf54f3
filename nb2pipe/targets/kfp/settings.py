"""What the notebook says of steps beside their work, as calls of the DSL; and the definition as a whole."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.features import kind_of_limit
from nb2pipe.targets.model import Feature

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.kfp.model import Component
    from nb2pipe.targets.kfp.parameters import Given

RUN_LABEL = "metadata.labels['pipeline/runid']"
"""Where a pod has the id of its run."""

_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KEY = re.compile(r"(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_SECRET = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_CPU = re.compile(r"([0-9]*[.])?[0-9]+m?")
_MEMORY = re.compile(r"([0-9]+)([EPTGMK]i?)?")
_GPU = "nvidia.com/gpu"
_LONGEST_DELAY = 3600
"""Seconds after which KFP tries again at the latest, unless it is told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a task is to have; each is there only where the notebook asks for it, and KFP takes it.

    Attributes:
        image: The image that it runs in; empty for the pipeline's.
        display_name: What pages show; empty where that is the task's name.
        caches: What an earlier run made may be taken.
        retries: How often it is tried again.
        delay: Whole seconds before it is.
        environment: Variables.
        cpu: A quantity.
        memory: A quantity.
        accelerator: The resource, and how many.
        labels: Of its pod.
        annotations: Of its pod.
        secrets: Variables that come from secrets of Kubernetes.
        timeout: Whole seconds.
    """

    image: str = ""
    display_name: str = ""
    caches: bool = True
    retries: int = 0
    delay: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    cpu: str = ""
    memory: str = ""
    accelerator: tuple[str, int] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[SecretTag, ...] = ()
    timeout: int = 0

    @property
    def longest_delay(self) -> int:
        """Seconds after which it is tried again at the latest."""
        return max(self.delay, _LONGEST_DELAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """All that `pipeline.py` and `pipeline.yaml` say.

    Attributes:
        name: As KFP takes it.
        title: As people read it.
        description: Of the pipeline; may be empty.
        package: The name of the package.
        image: What components run in.
        given: The parameters.
        components: In notebook order.
        settings: Of each task.
        titles: What pages call the group of a gate, by its task.
        notice: The pipeline tells when it has failed; the secrets that this needs. None where it tells nobody.
    """

    name: str
    title: str
    description: str
    package: str
    image: str
    given: tuple[Given, ...]
    components: tuple[Component, ...]
    settings: Mapping[str, Settings]
    titles: Mapping[str, str]
    notice: tuple[SecretTag, ...] | None = None

    def task(self, name: str) -> Component:
        """The component of a task."""
        return next(each for each in self.components if each.task == name)

    def groups_in(self, path: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """The paths of the groups that lie directly in one, in the order of their first tasks."""
        inner = (each.gates[: len(path) + 1] for each in self.components if len(each.gates) > len(path))
        return tuple(dict.fromkeys(each for each in inner if each[:-1] == path))


def settings_of(job: Job, task: str, default_image: str, *, caches: bool) -> Settings:
    """What a task is to have.

    Args:
        job: Its job.
        task: Its name.
        default_image: What the Dockerfile begins with: a step that asks for that runs in what was built.
        caches: It may be reused.
    """
    step, resources = job.step, job.step.resources
    limits = {kind_of_limit(name): (name, quantity) for name, quantity in resources.limits}
    return Settings(
        image=resources.image if resources.image and resources.image != default_image else "",
        display_name=job.name if job.name != task else "",
        caches=caches,
        retries=step.retry,
        delay=math.ceil(step.retry_delay) if step.retry else 0,
        environment=dict(resources.environment),
        cpu=_quantity(limits.get(Feature.CPU), _CPU),
        memory=_quantity(limits.get(Feature.MEMORY), _MEMORY),
        accelerator=_accelerator(limits.get(Feature.GPU)),
        labels={key: value for key, value in resources.labels if _KEY.fullmatch(key) and _LABEL.fullmatch(value)},
        annotations={key: value for key, value in resources.annotations if _KEY.fullmatch(key)},
        secrets=tuple(one for one in resources.secrets if _SECRET.fullmatch(one.secret)),
        timeout=math.ceil(step.timeout or 0),
    )


def notice_of(pipeline: Pipeline) -> tuple[SecretTag, ...] | None:
    """The secrets that the notice of a failure needs; None where nobody wants one."""
    if not pipeline.settings.on_failure:
        return None
    if not pipeline.settings.on_failure.startswith("secret:"):
        return ()
    tag = parse_tag(pipeline.settings.on_failure)
    return (tag,) if isinstance(tag, SecretTag) else ()


def left_out(pipeline: Pipeline, target: str, job: Job) -> Iterator[Diagnostic]:
    """What KFP or Kubernetes would refuse, and therefore is left out.

    Args:
        pipeline: The pipeline.
        target: The target's name.
        job: The job.
    """
    for what, reason in _refused(job):
        yield left_out_of_definition(pipeline, target, what, reason, job.name)


def _refused(job: Job) -> Iterator[tuple[str, str]]:
    resources = job.step.resources
    for key, value in resources.labels:
        if not (_KEY.fullmatch(key) and _LABEL.fullmatch(value)):
            yield f"the label `{key}`", f"Kubernetes takes no label {key!r} with the value {value!r}"
    for key in (key for key, _ in resources.annotations if not _KEY.fullmatch(key)):
        yield f"the annotation `{key}`", f"Kubernetes takes no annotation with the key {key!r}"
    for name in (one.secret for one in resources.secrets if not _SECRET.fullmatch(one.secret)):
        yield f"the secret `{name}`", f"Kubernetes takes no secret with the name {name!r}"
    for name, quantity in resources.limits:
        if not _is_taken(name, quantity):
            yield f"the limit `{name}`", f"KFP takes no quantity {quantity!r} of it"


def _is_taken(name: str, quantity: str) -> bool:
    match kind_of_limit(name):
        case Feature.CPU:
            return bool(_quantity((name, quantity), _CPU))
        case Feature.MEMORY:
            return bool(_quantity((name, quantity), _MEMORY))
        case Feature.GPU:
            return _accelerator((name, quantity)) is not None
        case _:
            return True  # told as a feature that the target lacks


def _quantity(limit: tuple[str, str] | None, form: re.Pattern[str]) -> str:
    return limit[1] if limit is not None and form.fullmatch(limit[1]) else ""


def _accelerator(limit: tuple[str, str] | None) -> tuple[str, int] | None:
    if limit is None or not re.fullmatch(r"[0-9]{1,4}", limit[1]):
        return None
    return (limit[0] if "/" in limit[0] else _GPU), int(limit[1])


def cores(quantity: str) -> float:
    """A quantity of processors as a number.

    >>> cores("500m"), cores("2")
    (0.5, 2.0)
    """
    return float(quantity[:-1]) / 1000 if quantity.endswith("m") else float(quantity)


def gigabytes(quantity: str) -> float:
    """A quantity of memory as a number of 10^9 bytes.

    >>> gigabytes("4Gi"), gigabytes("500M")
    (4.294967296, 0.5)
    """
    found = _MEMORY.fullmatch(quantity)
    assert found is not None
    unit = found[2] or ""
    base = 1024 if unit.endswith("i") else 1000
    scale: int = base ** (" KMGTPE".index(unit[0]) if unit else 0)
    return float(found[1]) * scale / 10**9
