"""The jobs of a workflow of GitHub: one that finds the bundle in the repository, and one for each step."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from nb2pipe import __version__
from nb2pipe.digest import Digest
from nb2pipe.notebook.model import ImageTag
from nb2pipe.targets.github_actions.text import action, literal
from nb2pipe.targets.shell import Place, install_script, place_of, quoted_words, step_script
from nb2pipe.targets.yaml_text import Script

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.notebook.model import SecretTag, Settings
    from nb2pipe.targets.github_actions.inputs import Input
    from nb2pipe.targets.jobs import Job
    from nb2pipe.targets.model import Material

FIND = "find_bundle"
"""Our own jobs; `_` is in no name of a step's job."""
_NOTICE = "tell_failure"
_FOLDER: Final = f"${{{{ needs.{FIND}.outputs.folder }}}}"
_RUNNER: Final = "ubuntu-latest"
_NEW: Final = "steps.cache.outputs.cache-hit != 'true'"
_LONGEST: Final = 330
"""Minutes; a job may take 360 where nothing else is said."""
_SPARE: Final = 30
_SEED: Final = "--nb2pipe-seed=0"
"""Of generators that nobody seeds: with the same in each run, what they make can be reused."""
_CHECKOUT: Final = {"uses": action("actions/checkout"), "with": {"persist-credentials": False}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """What the jobs of a workflow are made of.

    Attributes:
        target: The target's name.
        path: The workflow's, in the bundle.
        slug: Its name in keys of the cache.
        jobs: By name, in the notebook's order.
        inputs: Where parameters come from.
        secrets: The repository's secret for each that is asked for.
        webhook: The secret that the notice of a failure goes to.
        reusable: The steps that may be taken from an earlier run.
    """

    target: str
    path: str
    slug: str
    jobs: Mapping[str, Job]
    inputs: tuple[Input, ...]
    secrets: Mapping[SecretTag, str]
    webhook: SecretTag | None
    reusable: frozenset[str]
    material: Material
    settings: Settings

    @property
    def variables(self) -> dict[str, str]:
        """The variable that holds each parameter's value."""
        return {one.name: one.variable for one in self.inputs if one.id or one.secret}

    def image(self, job: Job) -> str | None:
        """The image that a step runs in: its own, else the pipeline's; None where no one asks for any."""
        named = next((tag.reference for tag in self.settings.step_defaults if isinstance(tag, ImageTag)), None)
        own = job.step.resources.image
        return own if own != named else self.material.flags.image or named

    def runner(self, job: Job) -> str:
        """The variable of the repository that may name another runner for a step; empty where it asks for none."""
        return f"RUNNER_{job.slug.replace('-', '_').upper()}" if job.step.resources.limits else ""

    def environment(self, job: Job) -> tuple[dict[str, str], list[str]]:
        """The variables of a step, and those that another one hides."""
        found = {tag.variable: f"${{{{ secrets.{self.secrets[tag]} }}}}" for tag in job.step.resources.secrets}
        for one in self.inputs:
            if one.secret and one.name in job.parameters:
                found[one.variable] = f"${{{{ secrets.{one.secret} }}}}"
        clashing: list[str] = []
        for name, value in job.step.resources.environment:
            if name not in found and name.lower() in {each.lower() for each in found}:
                clashing.append(name)
            else:
                found[name] = literal(value)
        return found, clashing


def variables_of_all() -> dict[str, str]:
    """The variables of all jobs; an empty one is as one that is not set, for pip and for ours."""
    named = ("NB2PIPE_STORE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL")
    return {"NB2PIPE_RUN": "${{ github.run_id }}"} | {name: f"${{{{ vars.{name} }}}}" for name in named}


def find_job(workflow: Workflow) -> dict[str, Any]:
    """The job that finds the bundle, wherever in the repository it lies, and says which day the run is for."""
    name = json.dumps(workflow.material.plan.name)
    dated = any(one.is_date for one in workflow.inputs)
    find = f"""\
git grep --files-with-matches --all-match --fixed-strings \\
  -e '"target": "{workflow.target}"' -e '"package": {name}' \\
  -- ':(glob)**/bundle.json' > "$RUNNER_TEMP/bundles" || true
if [ "$(wc -l < "$RUNNER_TEMP/bundles")" -ne 1 ]; then
  echo "::error::one folder has to hold the bundle.json of this pipeline; found: $(cat "$RUNNER_TEMP/bundles")"
  exit 1
fi
folder=$(dirname "$(cat "$RUNNER_TEMP/bundles")")
echo "folder=$folder" >> "$GITHUB_OUTPUT"
cmp --silent "$folder/{workflow.path}" {workflow.path} ||
  echo "::warning::this workflow is not the one in $folder; copy that one to {workflow.path} again"
"""
    steps: list[dict[str, Any]] = [
        _CHECKOUT,
        {"name": "Find the bundle in the repository", "id": "find", "run": Script(find)},
    ]
    outputs = {"folder": "${{ steps.find.outputs.folder }}"}
    if dated:
        zone = literal(workflow.settings.timezone or "UTC")
        script = Script('echo "date=$(TZ=$ZONE date +%Y-%m-%d)" >> "$GITHUB_OUTPUT"\n')
        steps.append({"name": "Tell the day that the run is for", "id": "day", "env": {"ZONE": zone}, "run": script})
        outputs["date"] = "${{ steps.day.outputs.date }}"
    return {"name": "find the bundle", "runs-on": _RUNNER, "outputs": outputs, "steps": steps}


def step_job(job: Job, workflow: Workflow) -> dict[str, Any]:
    """The job of a step.

    Args:
        job: The step.
        workflow: The workflow.
    """
    needs = [workflow.jobs[name] for name in job.needs]
    gates = [f"needs.{workflow.jobs[name].slug}.outputs.gate == 'true'" for name in job.conditions]
    image, runner = workflow.image(job), workflow.runner(job)
    place = place_of(job, workflow.jobs, workflow.material.flags.mode)
    place = place if job.needs else replace(place, more=(*place.more, _SEED))
    content: dict[str, Any] = {"name": job.name, "needs": [FIND, *(each.slug for each in needs)]}
    if gates:
        content["if"] = " && ".join(gates)
    content["runs-on"] = f"${{{{ vars.{runner} || '{_RUNNER}' }}}}" if runner else _RUNNER
    if image is not None:
        content["container"] = {"image": literal(image)}
    if (minutes := _minutes(job) or 0) > _LONGEST:
        content["timeout-minutes"] = minutes + _SPARE
    if values := _values(job, workflow):
        content["env"] = values
    content["defaults"] = {"run": {"working-directory": _FOLDER}}
    content["outputs"] = {
        name: f"${{{{ steps.left.outputs.{name} }}}}"
        for name in ("digest", *(["gate"] if job.step.gate is not None else []))
    }
    content["steps"] = list(_steps(job, workflow, place))
    return content


def _values(job: Job, workflow: Workflow) -> dict[str, str]:
    """The values of a step's parameters, as variables: what a user types is part of no script."""
    given = {one.name: one for one in workflow.inputs if one.id}
    dates = f" || needs.{FIND}.outputs.date"
    return {
        given[name].variable: f"${{{{ inputs.{given[name].id}{dates if given[name].is_date else ''} }}}}"
        for name in job.parameters
        if name in given
    }


def _steps(job: Job, workflow: Workflow, place: Place) -> Iterator[dict[str, Any]]:
    reusable = job.name in workflow.reusable
    key = _cache(job, workflow, place)
    yield _CHECKOUT
    if reusable:
        yield _key_step(job, workflow)
        yield {
            "name": "Look for it in the cache",
            "id": "cache",
            "uses": action("actions/cache/restore"),
            "with": key,
        }
    for step in _run_steps(job, workflow, place):
        yield {"name": step["name"], **({"if": _NEW} if reusable else {}), **step}
    yield _left_step(job, place, reusable=reusable)
    if reusable:
        forced = "" if job.step.cache else " && steps.left.outputs.repeatable == 'true'"
        yield {
            "name": "Keep it in the cache",
            "if": f"{_NEW}{forced}",
            "uses": action("actions/cache/save"),
            "with": key,
        }
    yield _upload("Hand on what it left", job.slug, place.values, {"if-no-files-found": "error"})
    if place.notebook:
        kept = _upload(
            "Keep the executed notebook", f"{job.slug}.ipynb", place.notebook, {"if-no-files-found": "ignore"}
        )
        yield {"name": kept["name"], "if": "always()", **kept}


def _key_step(job: Job, workflow: Workflow) -> dict[str, Any]:
    """The step that digests what the pipeline's step depends on, but for what its key says already."""
    data = sorted({*job.data, *(copy.path for copy in workflow.material.copies if not copy.module)})
    lock = ["requirements.lock"] if workflow.material.requirements.lock else []
    values = [f'"${name}"' for name in _values(job, workflow)]
    lines = [f"sha256sum -- {quoted_words((*lock, *job.sources, *data))}"]
    lines += [f"printf '%s\\0' {' '.join(values)}"] if values else []
    above = [f"${{{{ needs.{workflow.jobs[name].slug}.outputs.digest }}}}" for name in job.needs]
    lines += ['echo "$ABOVE"'] if above else []
    body = "".join(f"  {line}\n" for line in lines)
    script = f"{{\n{body}}} | sha256sum | sed 's/ .*//; s/^/digest=/' >> \"$GITHUB_OUTPUT\"\n"
    variables = {"env": {"ABOVE": " ".join(above)}} if above else {}
    return {"name": "Digest what the step depends on", "id": "key", **variables, "run": Script(script)}


def _cache(job: Job, workflow: Workflow, place: Place) -> dict[str, str]:
    """Where a step's folder lies, and its key: what the bundle says of the step now, and the digest of the rest."""
    step = job.step
    facts = [
        __version__,
        step_script(job, place, workflow.variables),
        step.gate.text if step.gate is not None else None,
        list(step.metrics),
        [[port.name, port.kind] for port in (*step.inputs, *step.outputs)],
        [list(pair) for pair in step.resources.environment],
        workflow.image(job) or workflow.material.requirements.python,
    ]
    known = f"{workflow.slug}-{job.slug}-{Digest.of('key of a cache', facts).hex[:12]}"
    machine = "${{ runner.os }}-${{ runner.arch }}"
    return {
        "path": f"{_FOLDER}/{place.values}",
        "key": f"{known}-{machine}-${{{{ steps.key.outputs.digest }}}}",
    }


def _run_steps(job: Job, workflow: Workflow, place: Place) -> Iterator[dict[str, Any]]:
    """The steps that are left out where the cache has what they would make."""
    if job.needs:
        names = [workflow.jobs[name].slug for name in job.needs]
        what = {"pattern": f"{{{','.join(names)}}}", "path": f"{_FOLDER}/values"}
        if len(names) == 1:
            what = {"name": names[0], "path": f"{_FOLDER}/{place.above[0]}"}
        yield {"name": "Take what earlier steps left", "uses": action("actions/download-artifact"), "with": what}
    yield from _python_steps(workflow, in_image=workflow.image(job) is not None)
    variables, _ = workflow.environment(job)
    secrets = [tag for tag in job.step.resources.secrets if variables.get(tag.variable, "").startswith("${{ secrets.")]
    checks = "".join(
        f': "${{{tag.variable}:?the repository has no secret {workflow.secrets[tag]}}}"\n' for tag in secrets
    )
    minutes = _minutes(job)
    yield {
        "name": f"Run {job.name}",
        **({"timeout-minutes": minutes} if minutes is not None else {}),
        **({"env": variables} if variables else {}),
        "run": Script(checks + step_script(job, place, workflow.variables)),
    }


def _python_steps(workflow: Workflow, *, in_image: bool) -> Iterator[dict[str, Any]]:
    """What gives a job Python, where no image does, and all that steps need."""
    needed = bool(workflow.material.requirements.lock)
    if not in_image:
        cached = {"cache": "pip", "cache-dependency-path": f"{_FOLDER}/requirements.lock"} if needed else {}
        version = {"python-version": workflow.material.requirements.python, **cached}
        yield {"name": "Set up Python", "uses": action("actions/setup-python"), "with": version}
    if needed:
        yield {"name": "Install requirements", "run": Script(install_script())}


def _minutes(job: Job) -> int | None:
    """How long a step may take with all its tries, in whole minutes; `timeout` in its script has the seconds."""
    if job.step.timeout is None:
        return None
    tries = job.step.retry + 1
    return math.ceil((job.step.timeout * tries + job.step.retry_delay * job.step.retry) / 60) + 1


def _left_step(job: Job, place: Place, *, reusable: bool) -> dict[str, Any]:
    """The step that tells other jobs, and people, what the pipeline's step left."""
    record = f"{place.values}/{job.file}.json"
    lines = [f'echo "digest=$(grep -v \'^ "run": \' {record} | sha256sum | cut -d \' \' -f 1)" >> "$GITHUB_OUTPUT"']
    if job.step.gate is not None:
        lines.append(f'echo "gate=$(cat {place.gate})" >> "$GITHUB_OUTPUT"')
    if reusable and not job.step.cache:
        lines.append(f'sed -n \'s/^ "repeatable": \\([a-z]*\\).*/repeatable=\\1/p\' {record} >> "$GITHUB_OUTPUT"')
    rows = "'s/|/\\\\|/g; s/^ \"\\(.*\\)\": \\(.*[^,]\\),\\{0,1\\}$/| `` \\1 `` | \\2 |/p'"
    lines += [f"rows=$(sed -n {rows} {place.metrics})", "{", f"  echo '### {job.name}'"]
    if reusable:
        lines.append("  if [ \"$REUSED\" = true ]; then printf '\\nTaken from the cache.\\n'; fi")
    lines.append(
        '  if [ -n "$rows" ]; then printf \'\\n| metric | value |\\n|---|---|\\n%s\\n\' "$rows"; fi',
    )
    lines.append('} >> "$GITHUB_STEP_SUMMARY"')
    told = {"env": {"REUSED": "${{ steps.cache.outputs.cache-hit }}"}} if reusable else {}
    return {"name": "Tell what it left", "id": "left", **told, "run": Script("\n".join(lines) + "\n")}


def _upload(title: str, name: str, path: str, more: Mapping[str, str]) -> dict[str, Any]:
    kept = {"name": name, "path": f"{_FOLDER}/{path}", "overwrite": True, **more}
    return {"name": title, "uses": action("actions/upload-artifact"), "with": kept}


def notice_job(workflow: Workflow) -> dict[str, Any]:
    """The job that tells of a failure, where the notebook asks for that."""
    if not workflow.settings.on_failure:
        return {}
    secret = workflow.secrets[workflow.webhook] if workflow.webhook is not None else ""
    variables = {workflow.webhook.variable: f"${{{{ secrets.{secret} }}}}"} if workflow.webhook is not None else {}
    version = {"python-version": workflow.material.requirements.python}
    tell = {
        "name": "Tell of the failure",
        **({"env": variables} if variables else {}),
        "run": Script(f"python -m {workflow.material.plan.name} --nb2pipe-failed\n"),
    }
    job = {
        "name": "tell of the failure",
        "needs": [FIND, *(each.slug for each in workflow.jobs.values())],
        "if": "failure()",
        "runs-on": _RUNNER,
        "defaults": {"run": {"working-directory": _FOLDER}},
        "steps": [
            _CHECKOUT,
            {"name": "Set up Python", "uses": action("actions/setup-python"), "with": version},
            tell,
        ],
    }
    return {_NOTICE: job}
