"""The target `airflow`: a DAG file that imports nothing of the notebook's; each task runs a step in its own place."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.indent import INDENT
from nb2pipe.codegen.modules.lines import DICT, LIST, bracketed
from nb2pipe.codegen.modules.values import value_text
from nb2pipe.codegen.modules.words import docstring, one_line
from nb2pipe.codegen.templates import Code, render
from nb2pipe.notebook.model import SecretTag
from nb2pipe.notebook.tags import parse_tag
from nb2pipe.targets.airflow.options import (
    FIELDS,
    LONGEST_TAG,
    Asked,
    in_container,
    labels_left_out,
    tag_of,
    variable_of,
)
from nb2pipe.targets.airflow.params import params_of
from nb2pipe.targets.airflow.tasks import Call, body, tasks_of
from nb2pipe.targets.airflow.texts import airflow_imports, copying, ignored, plain
from nb2pipe.targets.base import Platform, base_bundle
from nb2pipe.targets.checks.nb410_parameter_not_in_definition import parameter_not_in_definition
from nb2pipe.targets.jobs import jobs_of
from nb2pipe.targets.model import Feature, Level, Mode
from nb2pipe.targets.texts import image_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.airflow.params import Params
    from nb2pipe.targets.airflow.tasks import Task
    from nb2pipe.targets.model import Bundle, Material

_OPERATORS = ("external-python", "python", "bash", "docker", "kubernetes")
_SUPPORTS = dict.fromkeys(
    (
        Feature.PARAMETERS,
        Feature.RUN_DATE,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.PARALLEL,
        Feature.ORDER,
        Feature.GATE,
        Feature.NESTED,
        Feature.RETRY,
        Feature.RETRY_DELAY,
        Feature.TIMEOUT,
        Feature.ENVIRONMENT,
        Feature.SECRETS,
        Feature.STATE,
        Feature.FILES,
        Feature.MODULES,
        Feature.DATA,
        Feature.METRICS,
        Feature.RECORDS,
        Feature.NOTEBOOKS,
        Feature.NOTICE,
        Feature.OWNER,
        Feature.LABELS,
    ),
    Level.RUNS,
) | dict.fromkeys(
    (Feature.CPU, Feature.MEMORY, Feature.GPU, Feature.LIMITS, Feature.IMAGE, Feature.ANNOTATIONS), Level.EMITTED
)
_IN_CONTAINERS = {Feature.STEP_IMAGES: Level.EMITTED}
_START = 'pendulum.datetime(2024, 1, 1, tz="UTC")'
_LATE_NOT = '    LATE = {"run_immediately": timedelta()}  # else a moment that has just passed is made up for\n'
_LATE_UNKNOWN = "\n    LATE = {}"
"""Airflow 2.10 asks for a start; where Airflow 3 has one, it makes up for the last run that should have been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AirflowTarget:
    """Airflow 3, and 2.10, run it; the default operator keeps the notebook's libraries out of Airflow's workers."""

    name: str = "airflow"
    supports: Mapping[Feature, Level] = field(default_factory=lambda: _SUPPORTS)
    operators: tuple[str, ...] = _OPERATORS

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        dag = _Dag.of(pipeline, material, self)
        definition = (
            EmittedFile(path=dag.path, text=render("airflow/dag.py.jinja", material.templates, **dag.values())),
            EmittedFile(path=".airflowignore", text=ignored(material)),
        )
        platform = Platform(
            definition=definition,
            guide=render("airflow/guide.md.jinja", material.templates, **dag.words()),
            diagnostics=(
                *(parameter_not_in_definition(pipeline, self.name, one, dag.path) for one in dag.params.unwritten),
                *labels_left_out(pipeline, self.name, dag.asked, dag.tasks),
            ),
            command=f"airflow dags test {dag.id}",
        )
        known = replace(self, supports=_supports(dag.asked.operator))
        return base_bundle(pipeline, material, known, platform)


def _supports(operator: str) -> Mapping[Feature, Level]:
    """What the target can express with an operator."""
    if operator == "docker":
        return {each: level for each, level in (_SUPPORTS | _IN_CONTAINERS).items() if each is not Feature.LIMITS}
    return _SUPPORTS | _IN_CONTAINERS if operator == "kubernetes" else _SUPPORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dag:
    """What the DAG file is made of."""

    pipeline: Pipeline
    material: Material
    tasks: tuple[Task, ...]
    params: Params
    asked: Asked

    @classmethod
    def of(cls, pipeline: Pipeline, material: Material, target: AirflowTarget) -> _Dag:
        """The DAG of a pipeline."""
        params = params_of(pipeline)
        operator = material.flags.operator or target.operators[0]
        return cls(
            pipeline=pipeline,
            material=material,
            tasks=tasks_of(jobs_of(pipeline, material)),
            params=params,
            asked=Asked(
                operator=operator,
                parameters=frozenset(name for name, _ in _given(params, operator)),
                hidden=frozenset(params.hidden),
                place=_place(material, operator),
            ),
        )

    @property
    def package(self) -> str:
        """The package's name."""
        return self.material.plan.name

    @property
    def id(self) -> str:
        """What Airflow calls it."""
        return self.package.removesuffix("_pipeline")

    @property
    def path(self) -> str:
        """The path of the file: Airflow lets the programs that it starts find modules in its folder, too."""
        hides = self.id in {*sys.stdlib_module_names, *self.material.requirements.modules, "airflow", "nb2pipe"}
        return f"dags/{self.id}_dag.py" if hides else f"dags/{self.id}.py"

    @property
    def zone(self) -> str:
        """The zone of the schedule."""
        return self.pipeline.settings.timezone or "UTC"

    @property
    def data(self) -> tuple[str, ...]:
        """The files of the bundle that steps may read."""
        return tuple(copy.path for copy in self.material.copies if not copy.module)

    def values(self) -> dict[str, object]:
        """What the template prints."""
        operator = self.asked.operator
        first, optional = self._imports()
        return {
            "docstring": Code(self._docstring()),
            "imports": Code(first),
            "optional": Code(optional),
            "operator": operator,
            "in_container": in_container(operator),
            "as_notebook": self.material.flags.mode is Mode.NOTEBOOK,
            "package": self.package,
            "image": image_name(self.material.plan.title),
            "first": self.material.plan.steps[0].module,
            "options": self._options(),
            "hidden": bool(self.params.hidden),
            "words": Code(", *given" if self._options() else ""),
            "told": f"--nb2pipe-told={'-' if operator == 'docker' else '/airflow/xcom/return.json'}",
            "given": Code("given(parameters)" if self.params.known else '""'),
            "data": Code(self._data()),
            "files": Code("DATA" if self.data else "()"),
            "copy": Code(value_text(copying(self.data))) if self.data else "",
            "run_date": self.params.run_date,
            "timezone": self.zone,
            "notice": self._notice_secret(),
            "fields": tuple(sorted(FIELDS)),
            "parts": list(self._parts()),
            "dag": Code(self._dag()),
        }

    def words(self) -> dict[str, object]:
        """What the template of the README's chapter prints."""
        flags, operator, image = self.material.flags, self.asked.operator, image_name(self.material.plan.title)
        return {
            "id": Code(self.id),
            "package": self.package,
            "path": self.path,
            "operator": operator,
            "in_container": in_container(operator),
            "as_notebook": flags.mode is Mode.NOTEBOOK,
            "image": image,
            "secret_commands": [Code(command) for command in self._secret_commands()],
            "conf": Code(self._conf()),
            "schedule": bool(self.pipeline.settings.schedule),
            "gates": any(task.gate for task in self.tasks),
            "limits": self._has("limits"),
            "step_images": self._has("image"),
            "notice": bool(self.pipeline.settings.on_failure),
        }

    def _secret_commands(self) -> Iterator[str]:
        """What makes the secrets; their names are letters, digits, `-`, `_` and `.`."""
        pairs = {pair for task in self.tasks for pair in self.asked.secrets_of(task).values()}
        notice = self._notice_secret()
        told = {(notice.secret, notice.key)} if notice is not None else set()
        if self.asked.operator == "kubernetes":
            for place, keys in _by_place(pairs).items():
                words = " ".join(f"--from-literal={key}=..." for key in keys)
                yield f"kubectl create secret generic {place} {words}"
            pairs = set()
        for place, keys in _by_place(pairs | told).items():
            own = [f"--conn-{key} ..." for key in keys if key in FIELDS]
            extra = {key: "..." for key in keys if key not in FIELDS}
            more = [f"--conn-extra '{json.dumps(extra)}'"] if extra else []
            yield " ".join([f"airflow connections add {place} --conn-type generic", *own, *more])

    def _conf(self) -> str:
        """How a run by hand is given another value."""
        left = {one.name for one in self.params.unwritten}
        known = (one for one in self.params.known if one.name not in left and one.name.isascii())
        example = next((one for one in known if isinstance(one.default, int | float)), None)
        return f" --conf '{json.dumps({example.name: example.default})}'" if example is not None else ""

    # -------------------------------------------------------------------------------------------- parts of the file

    def _docstring(self) -> str:
        plan = self.material.plan
        more = (
            f"Made by nb2pipe from the notebook `{one_line(plan.notebook)}`: change that, and convert it again. "
            "README.md says how it is deployed."
        )
        return docstring(plan.description or one_line(plan.title), more=more)

    def _data(self) -> str:
        items = [value_text(plain(path)) for path in self.data]
        return bracketed("DATA = ", items, "", brackets=LIST).removeprefix("DATA = ") if items else ""

    def _notice_secret(self) -> SecretTag | None:
        asked = self.pipeline.settings.on_failure or ""
        tag = parse_tag(asked) if asked.startswith("secret:") else None
        return tag if isinstance(tag, SecretTag) else None

    def _has(self, what: str) -> bool:
        return any(getattr(task.job.step.resources, what) for task in self.tasks)

    def _parts(self) -> Iterator[str]:
        """The functions that the file needs, as names of templates."""
        operator = self.asked.operator
        outside = in_container(operator)
        has_secrets = self._has_secrets() and operator != "kubernetes"
        wanted = {
            "run_date": self.params.run_date,
            "values": self.params.known and not outside,
            "secret": has_secrets or self._notice_secret(),
            "secrets": has_secrets,
            "notice": self.pipeline.settings.on_failure,
            "limits": self._has("limits") and not outside,
            "run_step": operator.endswith("python"),
            operator: True,
            "gate": any(task.gate for task in self.tasks),
        }
        yield from (name for name, is_needed in wanted.items() if is_needed)

    def _has_secrets(self) -> bool:
        return any(self.asked.secrets_of(task) for task in self.tasks)

    def _options(self) -> list[tuple[str, str]]:
        """The words that give a step in a container the values of parameters; Kubernetes fills in variables."""
        if self.asked.operator != "kubernetes":
            return list(self.params.words())
        hidden = [(name, f"--{name}=$({variable_of(name)})") for name in self.params.hidden]
        return [*self.params.words(" | replace('$', '$$')"), *hidden]

    def _imports(self) -> tuple[str, str]:
        """What is always imported, and what depends on versions, or may be missing."""
        parts = set(self._parts())
        always, new, old = airflow_imports(self.asked.operator, self._airflow_names(parts))
        plain_ones = ["import json"] * bool(
            parts & {"values", "gate", "bash", *(["secrets"] if self.params.hidden else [])}
        ) + ["import os"]
        plain_ones += ["import subprocess", "import sys"] * ("notice" in parts)
        scheduled = bool(self.pipeline.settings.schedule)
        times = scheduled or any(task.job.step.retry or task.job.step.timeout is not None for task in self.tasks)
        plain_ones += ["from datetime import timedelta"] * times + ["from pathlib import Path"]
        plain_ones += ["from zoneinfo import ZoneInfo"] * ("run_date" in parts)
        others = [*always.splitlines(), *self._of_containers()]
        if scheduled:
            others.append("from airflow.timetables.trigger import CronTriggerTimetable")
        block = f"try:\n{new}\n\n    START = None\n{_LATE_NOT if scheduled else ''}"
        block += "except ImportError:  # Airflow 2.10, which wants to know when the schedule began\n"
        block += f"    import pendulum\n{old}\n\n    START = {_START}{_LATE_UNKNOWN if scheduled else ''}"
        if "limits" in parts:
            block += "\n\ntry:\n    from kubernetes.client import models as k8s"
            block += "\nexcept ImportError:  # only the KubernetesExecutor needs it\n    k8s = None"
        return "\n".join([*plain_ones, *([""] if others else []), *sorted(others)]), block

    def _airflow_names(self, parts: set[str]) -> Iterator[str]:
        yield from ["Param"] * bool(self.params.known)
        yield from ["TaskGroup"] * any("/" in task.job.name for task in self.tasks)
        yield from ["ShortCircuitOperator"] * ("gate" in parts)
        yield from ["BaseHook", "mask_secret"] * ("secret" in parts)

    def _of_containers(self) -> Iterator[str]:
        operator = self.asked.operator
        if operator == "kubernetes" and self._has_secrets():
            yield "from airflow.providers.cncf.kubernetes.secret import Secret"
        if operator == "kubernetes" and self._has("limits"):
            yield "from kubernetes.client import models as k8s"
        if operator == "docker" and any(
            "DeviceRequest" in text for call in self._calls() for text in call.options.values()
        ):
            yield "from docker.types import DeviceRequest"

    def _calls(self) -> list[Call]:
        prefix = f"{self.package}.steps."
        return [
            Call(task=task, module=task.job.module.removeprefix(prefix), options=self.asked.options(task))
            for task in self.tasks
        ]

    def _dag(self) -> str:
        """`with DAG(...)` and its tasks."""
        head = "\n".join(f"    {name + '=' if name else ''}{text}," for name, text in self._arguments())
        return f"with DAG(\n{head}\n):\n{body(self._calls())}"

    def _arguments(self) -> Iterator[tuple[str, str]]:
        settings, title = self.pipeline.settings, one_line(self.material.plan.title)
        yield "dag_id", value_text(self.id)
        if title != self.id:
            yield "dag_display_name", value_text(title)
        description = one_line(self.material.plan.description.partition("\n\n")[0])
        if description:
            yield "description", value_text(description)
        yield "doc_md", "__doc__"
        zone = value_text(self.zone)
        cron = value_text(settings.schedule) if settings.schedule else ""
        yield "schedule", f"CronTriggerTimetable({cron}, timezone={zone}, **LATE)" if cron else "None"
        yield "start_date", "START"
        yield "catchup", "False"
        if settings.owner:
            yield "default_args", value_text({"owner": one_line(settings.owner)})
        yield "tags", value_text(["nb2pipe", *self._tags()])
        if self.params.known:
            yield "params", "\n        ".join(["{", *self.params.rows()]) + "\n    }"
        macros = bracketed("user_defined_macros=", list(self._macros()), "", indent=INDENT, brackets=DICT)
        yield "user_defined_macros", macros.strip().removeprefix("user_defined_macros=")
        if settings.on_failure:
            yield "on_failure_callback", "send_notice"

    def _tags(self) -> Iterator[str]:
        if not in_container(self.asked.operator):
            pairs = {pair for task in self.tasks for pair in task.job.step.resources.labels}
            yield from sorted(tag for tag in {tag_of(*pair) for pair in pairs} if len(tag) <= LONGEST_TAG)

    def _macros(self) -> Iterator[str]:
        if not in_container(self.asked.operator):
            yield '"bundle": str(BUNDLE)'
            if self.asked.operator != "python":
                yield '"python": str(BUNDLE / ".venv" / "bin" / "python")'
        yield '"store": STORE'
        if "values" in set(self._parts()):
            yield '"values": values'
        elif self.params.run_date:
            yield '"run_date": run_date'


def _by_place(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The keys of each place with secrets, sorted."""
    found: dict[str, list[str]] = {}
    for place, key in sorted(pairs):
        found.setdefault(place, []).append(key)
    return found


def _place(material: Material, operator: str) -> str:
    """Where Airflow keeps what is secret among the parameters."""
    package = material.plan.name
    return package if operator != "kubernetes" else f"{image_name(material.plan.title)}-parameters"


def _given(params: Params, operator: str) -> list[tuple[str, str]]:
    """The parameters whose values steps are given: words of a command line cannot leave one to the notebook."""
    return list(params.words()) if in_container(operator) else [(name, "") for name in params.names]
