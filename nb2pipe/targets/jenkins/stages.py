"""The stages of a Jenkinsfile, and the functions that do their work."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

from nb2pipe.notebook.model import ImageTag
from nb2pipe.targets.features import kind_of_limit
from nb2pipe.targets.jenkins.text import block, comment, script, text
from nb2pipe.targets.model import Feature
from nb2pipe.targets.shell import install_script, place_of, step_command, word
from nb2pipe.targets.texts import image_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.notebook.model import SecretTag
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.jenkins.parameters import Given
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Material

_NAMES: Final = 3
"""How many names a stage of several shows."""
_UNITS: Final = {"": 1, "k": 1000, "M": 1000**2, "G": 1000**3, "T": 1000**4} | {
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
}
_USER: Final = ("-e HOME=/tmp", "-e USER=jenkins", "-e LOGNAME=jenkins")
"""In a container, the user of the agent has neither a name nor a home."""
_PYTHON: Final = ".venv/bin/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What a Jenkinsfile is made of.

    Attributes:
        target: The target's name.
        jobs: By name, in the notebook's order.
        given: Where parameters come from.
        credentials: The id of the credential for each secret that is asked for.
        webhook: The secret that the notice of a failure goes to.
    """

    target: str
    pipeline: Pipeline
    material: Material
    jobs: Mapping[str, Job]
    given: tuple[Given, ...]
    credentials: Mapping[SecretTag, str]
    webhook: SecretTag | None

    @property
    def image(self) -> str:
        """The pipeline's image."""
        return image_of(self.pipeline, self.material)

    @property
    def python(self) -> str:
        """What runs a step's module: a Python of its own where there is something to install."""
        return _PYTHON if self.material.requirements.lock else "python"

    def image_of(self, job: Job) -> str:
        """The image that a step runs in."""
        tags = self.pipeline.settings.step_defaults
        named = next((tag.reference for tag in tags if isinstance(tag, ImageTag)), None)
        own = job.step.resources.image
        return own if own is not None and own != named else self.image


def stages(file: File) -> Iterator[str]:
    """The stages: one for each step; those that do not need each other run side by side.

    Args:
        file: The Jenkinsfile.
    """
    yield block("stage('find the bundle')", ["agent any", block("steps", ["find_bundle()"])])
    for _, level in groupby(_by_level(file.jobs), key=lambda pair: pair[0]):
        jobs = [job for _, job in level]
        if len(jobs) == 1:
            yield _stage(jobs[0], file)
            continue
        names = [job.name for job in jobs]
        more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
        title = text(", ".join(names[:_NAMES]) + more)
        yield block(f"stage({title})", [block("parallel", [_stage(job, file) for job in jobs])])


def _by_level(jobs: Mapping[str, Job]) -> list[tuple[int, Job]]:
    """The steps with the length of the longest way to them, in its order."""
    levels: dict[str, int] = {}
    for job in jobs.values():
        levels[job.name] = 1 + max((levels[name] for name in job.needs), default=0)
    return sorted(((levels[job.name], job) for job in jobs.values()), key=lambda pair: pair[0])


def _stage(job: Job, file: File) -> str:
    docker = [f"image {text(file.image_of(job))}"]
    docker.append(f"args {text(' '.join([*_USER, *docker_options(job)]))}")
    lines = [block("agent", [block("docker", docker)])]
    if job.conditions:
        holds = " && ".join(f"env.{_gate(file.jobs[name])} == 'true'" for name in job.conditions)
        lines.append(block("when", ["beforeAgent true", f"expression {{ {holds} }}"]))
    if secrets := list(_secrets(job, file)):
        lines.append(block("environment", secrets))
    return block(f"stage({text(job.name)})", [*lines, block("steps", [f"{_function(job)}()"])])


def _secrets(job: Job, file: File) -> Iterator[str]:
    for tag in dict.fromkeys(job.step.resources.secrets):
        yield f"{tag.variable} = credentials({text(file.credentials[tag])})"
    for one in file.given:
        if one.credential and one.name in job.parameters:
            yield f"{one.variable} = credentials({text(one.credential)})"


def docker_options(job: Job) -> list[str]:
    """Processors, memory and GPUs as Docker takes them."""
    found = []
    for resource, quantity in job.step.resources.limits:
        match kind_of_limit(resource):
            case Feature.CPU:
                found.append(f"--cpus {_number(quantity):g}")
            case Feature.MEMORY:
                found.append(f"--memory {round(_number(quantity))}b")
            case Feature.GPU if resource.startswith("nvidia.com/") or "/" not in resource:
                found.append(f"--gpus {round(_number(quantity))}")
            case _:
                pass
    return found


def _number(quantity: str) -> float:
    """The number that a quantity means.

    >>> _number("1500m"), _number("2Ki")
    (1.5, 2048.0)
    """
    unit = re.sub(r"^[\d.]+", "", quantity)
    digits = float(quantity.removesuffix(unit)) if unit else float(quantity)
    return digits / 1000 if unit == "m" else digits * _UNITS.get(unit, 1)


def functions(file: File) -> Iterator[str]:
    """The functions that the stages call, each with its comment.

    Args:
        file: The Jenkinsfile.
    """
    yield block("void find_bundle()", _finding(file))
    yield block("void prepare(List<String> above)", _preparing(file))
    for job in file.jobs.values():
        yield block(f"void {_function(job)}()", _running(job, file))
    if file.pipeline.settings.on_failure:
        yield block("void tell_failure()", _telling(file))


def _finding(file: File) -> Iterator[str]:
    package = word(f'"package": {json.dumps(file.material.plan.name)}')
    find = f"""\
find . -name bundle.json \\
  -exec grep -qF '"target": "{file.target}"' {{}} \\; \\
  -exec grep -qF {package} {{}} \\; -print | sed 's|/bundle.json$||'
"""
    yield comment("The bundle may be the whole repository, or any folder of it.")
    yield "deleteDir()"
    yield "checkout scm"
    yield f"env.BUNDLE = sh(returnStdout: true, script: {script(find)}).trim()"
    yield block("if (!env.BUNDLE || env.BUNDLE.contains('\\n'))", ["error 'one folder has to hold the bundle.json'"])
    if any(one.is_date for one in file.given):
        zone = file.pipeline.settings.timezone or "UTC"
        yield f"env.RUN_DATE = sh(returnStdout: true, script: {text(f'TZ={word(zone)} date +%Y-%m-%d')}).trim()"


def _preparing(file: File) -> Iterator[str]:
    yield comment("A clean workspace with the bundle, what earlier steps left, and a Python with all that steps need.")
    yield "deleteDir()"
    yield "checkout scm"
    lines = [block("for (name in above)", ["unstash name"])]
    if file.material.requirements.lock:
        install = f"""\
python -m venv --system-site-packages .venv
{install_script(_PYTHON)}"""
        lines.append(f"sh {script(install)}")
    yield block("dir(env.BUNDLE)", lines)


def _running(job: Job, file: File) -> Iterator[str]:
    place = place_of(job, file.jobs, file.material.flags.mode)
    above = ", ".join(text(file.jobs[name].slug) for name in job.needs)
    variables = {one.name: one.variable for one in file.given}
    lines = "".join(_prelude(job, file)) + step_command(job, place, variables, python=file.python)
    told = f"archiveArtifacts artifacts: {text(f'{place.values}/told/**')}, allowEmptyArchive: true"
    inside = [f"{block('try', [_tried(job, f'sh {script(lines)}')])} {block('finally', [told])}"]
    if job.step.metrics:
        inside.append(f"echo readFile({text(place.metrics)})")
    if job.step.gate is not None:
        inside.append(f"env.{_gate(job)} = readFile({text(place.gate)}).trim()")
    inside.append(f"stash name: {text(job.slug)}, includes: {text(f'{place.values}/**')}, useDefaultExcludes: false")
    yield f"prepare([{above}])"
    yield block("dir(env.BUNDLE)", inside)


def _prelude(job: Job, file: File) -> Iterator[str]:
    """What a script begins with: variables that the step asks for, and those that have no value yet."""
    for name, value in job.step.resources.environment:
        yield f"export {name}={word(value)}\n"
    for one in file.given:
        if one.is_date and one.name in job.parameters:
            yield f': "${{{one.variable}:=$RUN_DATE}}"\n'


def _tried(job: Job, work: str) -> str:
    """A step's script as often and as long as the notebook asks for."""
    step = job.step
    lines = [work]
    if step.timeout is not None:
        whole = step.timeout == round(step.timeout)
        time, unit = (round(step.timeout), "SECONDS") if whole else (round(step.timeout * 1000), "MILLISECONDS")
        lines = [block(f"timeout(time: {time}, unit: '{unit}')", lines)]
    if step.retry and step.retry_delay:
        lines.insert(0, f"if (tries++ > 0) {{ sleep(time: {round(step.retry_delay * 1000)}, unit: 'MILLISECONDS') }}")
    if step.retry:
        lines = [block(f"retry({step.retry + 1})", lines)]
    if step.retry and step.retry_delay:
        lines.insert(0, "int tries = 0")
    return "\n".join(lines)


def _telling(file: File) -> Iterator[str]:
    tell = block("dir(env.BUNDLE)", [f"sh 'python -m {file.material.plan.name} --nb2pipe-failed'"])
    if file.webhook is not None:
        binding = (
            f"string(credentialsId: {text(file.credentials[file.webhook])}, variable: {text(file.webhook.variable)})"
        )
        tell = block(f"withCredentials([{binding}])", [tell])
    inside = block(f"docker.image({text(file.image)}).inside", [tell])
    yield block("node", ["deleteDir()", "checkout scm", inside])


def _function(job: Job) -> str:
    return f"run_{job.slug.replace('-', '_')}"


def _gate(job: Job) -> str:
    return f"GATE_{job.slug.replace('-', '_')}"
