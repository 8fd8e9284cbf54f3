"""The text of the target `github-actions`; what linters and its jobs' scripts make of it is in `tests/engines`."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import yaml

import nb2pipe
from nb2pipe.targets.github_actions.text import plain, workflow_text

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
flag = True
name = "${{ secrets.X }}"
workers = os.getpid()
db_password = "x"

# %% tags=["imports"]
import random
import pandas as pd

# %% tags=["step:load", "limit:memory:2Gi", "secret:db:password:DB_PASSWORD", "env:db_password:1"]
table = pd.read_csv("data/a b.csv")

# %% tags=["step:scale", "retry:2:5s", "timeout:90s", "cache:disabled", "gate:score > 0"]
scaled = table * rate
score = 1

# %% tags=["step:show", "cache:enabled"]
print(scaled, name, flag, workers, db_password)
"""


def emitted(folder: Path, text: str = NOTEBOOK, **options: Any) -> Bundle:
    (folder / "n.py").write_text(dedent(text))
    (folder / "data").mkdir(exist_ok=True)
    (folder / "data" / "a b.csv").write_text("x\n1\n")
    return nb2pipe.emit(nb2pipe.load(folder / "n.py"), target="github-actions", include=["data/*.csv"], **options)


def workflow(bundle: Bundle) -> dict[Any, Any]:
    (path,) = (path for path in bundle.paths if path.startswith(".github/workflows/"))
    content = yaml.safe_load(bundle.text(path))
    assert isinstance(content, dict)
    return content


def step(job: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (each for each in job["steps"] if each.get("name") == name)
    assert isinstance(found, dict)
    return found


def test_the_form_has_parameters_with_types_and_defaults(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    inputs = workflow(bundle)[True]["workflow_dispatch"]["inputs"]
    assert inputs["rate"] == {"description": "rate (float)", "type": "string", "default": "0.5"}
    assert inputs["flag"] == {"description": "flag (bool)", "type": "boolean", "default": True}
    assert inputs.keys() == {"rate", "flag", "name", "workers"}  # a secret is one of the repository
    assert all("default" not in inputs[name] for name in ("name", "workers"))
    told = {each.message.split("`")[1] for each in bundle.diagnostics if each.code == "NB410"}
    assert told == {"name", "workers", "db_password"}


def test_the_schedule_has_its_zone_and_sunday_is_zero(tmp_path: Path) -> None:
    starts = workflow(emitted(tmp_path, schedule="0 3 * * 7", timezone="Europe/Berlin"))[True]
    assert starts["schedule"] == [{"cron": "0 3 * * 0", "timezone": "Europe/Berlin"}]


def test_a_job_takes_from_those_above_and_looks_at_gates(tmp_path: Path) -> None:
    jobs = workflow(emitted(tmp_path))["jobs"]
    assert list(jobs) == ["find_bundle", "setup", "load", "scale", "show"]
    assert jobs["show"]["needs"] == ["find_bundle", "setup", "load", "scale"]
    assert jobs["show"]["if"] == "needs.scale.outputs.gate == 'true'"
    assert jobs["load"]["runs-on"] == "${{ vars.RUNNER_LOAD || 'ubuntu-latest' }}"
    assert step(jobs["show"], "Take what earlier steps left")["with"]["pattern"] == "{setup,load,scale}"
    assert step(jobs["load"], "Run load")["env"]["DB_PASSWORD"] == "${{ secrets.DB_PASSWORD }}"
    assert not any("actions/cache" in str(each.get("uses")) for each in jobs["scale"]["steps"])
    assert step(jobs["show"], "Run show")["env"] == {"PARAMETER_DB_PASSWORD_2": "${{ secrets.DB_PASSWORD_2 }}"}


def test_a_step_is_tried_again_and_stopped_by_its_script(tmp_path: Path) -> None:
    run = step(workflow(emitted(tmp_path))["jobs"]["scale"], "Run scale")
    assert run["timeout-minutes"] == 6  # three tries of 90 s with 5 s between them, and one to spare
    assert "timeout -k 30 90 \\\n    python -m n_pipeline.steps.scale \\\n" in run["run"]
    assert 'if [ "$tries" -eq 2 ]; then exit "$code"; fi\n' in run["run"]
    assert "  sleep 5\n" in run["run"]


def test_no_text_of_the_notebook_or_a_user_stands_in_a_script(tmp_path: Path) -> None:
    text = NOTEBOOK.replace('"env:db_password:1"', '"env:COLOR:${{ secrets.X }}"')
    jobs = workflow(emitted(tmp_path, text))["jobs"]
    scripts = [each["run"] for job in jobs.values() for each in job["steps"] if "run" in each]
    assert scripts
    assert not any("${{" in script for script in scripts)
    assert step(jobs["load"], "Run load")["env"]["COLOR"] == "${{ '${{' }} secrets.X }}"


def test_the_key_of_a_cache_changes_with_what_its_step_is_asked_for(tmp_path: Path) -> None:
    def keys(text: str, **options: Any) -> dict[str, str]:
        jobs = workflow(emitted(tmp_path, text, **options))["jobs"]
        found = {
            name: each["with"]["key"]
            for name, job in jobs.items()
            for each in job["steps"]
            if each.get("id") == "cache"
        }
        return {name: re.sub(r"\$.*", "", key) for name, key in found.items()}

    first = keys(NOTEBOOK)
    assert first.keys() == {"setup", "load", "show"}
    assert keys(NOTEBOOK) == first
    other = keys(NOTEBOOK.replace("env:db_password:1", "env:COLOR:2"))
    assert (other["load"] == first["load"], other["show"] == first["show"]) == (False, True)
    other = keys(NOTEBOOK, image="python:3.12")
    assert (other["load"] == first["load"], other["show"] == first["show"]) == (False, False)


LEFT_OUT = (
    "the environment variable `db_password` of the step `load` is left out of the definition of the target "
    "`github-actions`: another of its variables has the same letters, and GitHub does not tell them apart"
)


def test_what_github_cannot_express_is_told(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    told = [each.message for each in bundle.diagnostics if each.code in {"NB408", "NB411"}]
    assert told == [
        "the target `github-actions` cannot express the memory of `load`",
        LEFT_OUT,
    ]


def test_actions_are_pinned_by_commit_with_their_version_beside(tmp_path: Path) -> None:
    text = emitted(tmp_path).text(".github/workflows/n.yml")
    uses = [line.strip() for line in text.splitlines() if "uses:" in line]
    assert uses
    assert all(re.fullmatch(r"(- )?uses: actions/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line) for line in uses)


def test_titles_hold_no_expression_and_comments_no_line() -> None:
    assert plain("a\n${{ b }}") == "a $ {{ b }}"
    text = workflow_text(["a\nb: c"], {"name": "x: y\n", "on": {"push": None}, "jobs": {"a": {"n": "1"}, "b": {}}})
    assert yaml.safe_load(text) == {"name": "x: y\n", True: {"push": None}, "jobs": {"a": {"n": "1"}, "b": {}}}
    assert text.startswith("# a b: c\n")
