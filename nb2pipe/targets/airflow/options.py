"""What a notebook asks for a step, as options of Airflow's operators."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.values import formatted, value_text
from nb2pipe.codegen.modules.words import one_line
from nb2pipe.targets.airflow.texts import plain
from nb2pipe.targets.checks.nb411_left_out_of_definition import left_out_of_definition
from nb2pipe.targets.features import CPU, GPU, MEMORY
from nb2pipe.targets.texts import prose, span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.airflow.tasks import Task

LONGEST_TAG = 100
FIELDS = frozenset({"host", "login", "password", "port", "schema"})
"""The fields of a connection of Airflow; any other key of a secret is one of its extra."""
_LABEL = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", re.ASCII)
_POWERS = {letter: 1000**place for place, letter in enumerate(("", "k", "M", "G", "T", "P", "E"))}
_POWERS |= {f"{letter}i": 1024**place for place, letter in enumerate(("", "K", "M", "G", "T", "P", "E")) if letter}
_PARTS = {"m": Decimal("1e-3"), "u": Decimal("1e-6"), "n": Decimal("1e-9")}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([A-Za-z]*)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the options of a step are made of.

    Attributes:
        operator: What runs it.
        parameters: The parameters that the DAG knows.
        hidden: Those that are secrets, and `place` where Airflow keeps them: the name of a connection, or of a secret
            of Kubernetes.
    """

    operator: str
    parameters: Collection[str]
    hidden: Collection[str] = ()
    place: str = ""

    def options(self, task: Task) -> dict[str, str]:
        """The options of a task, as Python."""
        found = dict(self._of_step(task)) | dict(self._of_airflow(task))
        return {name: formatted(text, before=9 + len(name)) if _is_data(text) else text for name, text in found.items()}

    def _of_step(self, task: Task) -> Iterator[tuple[str, str]]:
        resources = task.job.step.resources
        named = self.parameters if self.operator != "kubernetes" else {*self.parameters, *self.hidden}
        names = [name for name in task.job.parameters if name in named]
        if names:
            yield "parameters", value_text(names)
        if resources.environment:
            yield "environment", value_text({name: plain(self._said(text)) for name, text in resources.environment})
        if self.operator in {"docker", "kubernetes"} and resources.image:
            yield "image", value_text(plain(resources.image))
        if self.secrets_of(task):
            yield from self._secrets(task)
        if resources.limits:
            yield from self._limits(dict(resources.limits))
        if self.operator in {"docker", "kubernetes"}:
            yield from self._labels(task)

    def _said(self, text: str) -> str:
        """A text as it has to be said; Kubernetes fills in `$(NAME)`, and takes `$$` for `$`."""
        return text.replace("$", "$$") if self.operator == "kubernetes" else text

    def secrets_of(self, task: Task) -> dict[str, tuple[str, str]]:
        """For each variable or parameter of a task that is a secret, the place and the key in it."""
        own = {one.variable: (one.secret, one.key) for one in task.job.step.resources.secrets}
        return own | {name: (self.place, name) for name in task.job.parameters if name in self.hidden}

    def _secrets(self, task: Task) -> Iterator[tuple[str, str]]:
        known = self.secrets_of(task)
        hidden = {name: place for name, place in known.items() if name in self.hidden and place[0] == self.place}
        own = {name: place for name, place in known.items() if name not in hidden}
        if self.operator == "kubernetes":
            named = own | {variable_of(name): place for name, place in hidden.items()}
            calls = (f"Secret({', '.join(map(value_text, ('env', name, *place)))})" for name, place in named.items())
            yield "secrets", f"[{', '.join(calls)}]"
        else:
            more = f", {value_text(hidden)}" if hidden else ""
            yield "pre_execute", f"secrets({value_text(own)}{more})"

    def _limits(self, limits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        wanted = {("nvidia.com/gpu" if name == GPU else name): text for name, text in limits.items()}
        if self.operator == "kubernetes":
            yield "container_resources", f"k8s.V1ResourceRequirements(limits={value_text(wanted)})"
        elif self.operator == "docker":
            yield from _of_docker(limits)
        else:
            yield "executor_config", f"limits({value_text(wanted)})"

    def _labels(self, task: Task) -> Iterator[tuple[str, str]]:
        resources = task.job.step.resources
        labels = {name: plain(text) for name, text in resources.labels if self.takes(text)}
        if labels:
            yield "labels", value_text(labels)
        if resources.annotations and self.operator == "kubernetes":
            yield "annotations", value_text({name: plain(text) for name, text in resources.annotations})

    def takes(self, label: str) -> bool:
        """Whether a label may have a value."""
        return self.operator != "kubernetes" or bool(_LABEL.fullmatch(label))

    def _of_airflow(self, task: Task) -> Iterator[tuple[str, str]]:
        step = task.job.step
        if step.retry:
            yield "retries", value_text(step.retry)
            yield "retry_delay", _time(step.retry_delay)
        if step.timeout is not None:
            yield "execution_timeout", _time(step.timeout)
        if task.patient:
            yield "trigger_rule", value_text("none_failed")
        words = "\n\n".join(self._words(task))
        if words:
            yield "doc_md", value_text(words)

    def _words(self, task: Task) -> Iterator[str]:
        step = task.job.step
        if step.description:
            yield prose(step.description)
        if step.gate is not None:
            yield f"What comes after it runs if {span(step.gate.text)} holds."
        if self.operator != "kubernetes":
            yield from (f"{span(name)}: {span(one_line(text))}" for name, text in step.resources.annotations)


def labels_left_out(pipeline: Pipeline, target: str, asked: Asked, tasks: Collection[Task]) -> Iterator[Diagnostic]:
    """What is said of labels that the definition cannot hold."""
    for task in tasks:
        for name, text in task.job.step.resources.labels:
            if not asked.takes(text):
                reason = "Kubernetes takes letters, digits, `-`, `_` and `.`, at most 63"
            elif not in_container(asked.operator) and len(tag_of(name, text)) > LONGEST_TAG:
                reason = f"Airflow's tags have at most {LONGEST_TAG} characters"
            else:
                continue
            yield left_out_of_definition(pipeline, target, f"the label `{name}`", reason, task.job.name)


def variable_of(parameter: str) -> str:
    """The variable of a container that has the value of a parameter that is a secret."""
    return f"NB2PIPE_{parameter.upper()}"


def in_container(operator: str) -> bool:
    """Whether a step runs in a container of its own."""
    return operator in {"docker", "kubernetes"}


def tag_of(name: str, text: str) -> str:
    """A label as a tag of a DAG."""
    return one_line(f"{name}:{text}")


def _of_docker(limits: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in limits.items():
        if name == CPU:
            yield "cpus", value_text(float(_number(text)))
        elif name == MEMORY:
            yield "mem_limit", value_text(int(_number(text)))
        elif name.rpartition("/")[2] == GPU:
            yield "device_requests", f'[DeviceRequest(count={int(_number(text))}, capabilities=[["gpu"]])]'


def _number(quantity: str) -> Decimal:
    """A quantity of Kubernetes as a number.

    >>> _number("1500m"), _number("3Gi")
    (Decimal('1.500'), Decimal('3221225472'))
    """
    found = _QUANTITY.fullmatch(quantity)
    assert found is not None, "the tag was read as a quantity"
    unit = found[2]
    return Decimal(found[1]) * (_PARTS[unit] if unit in _PARTS else _POWERS[unit])


def _time(seconds: float) -> str:
    return f"timedelta(seconds={int(seconds) if seconds == int(seconds) else seconds!r})"


def _is_data(text: str) -> bool:
    return text[:1] in {"{", "["} and "(" not in text
