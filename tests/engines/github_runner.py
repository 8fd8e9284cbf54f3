"""Runs a workflow as GitHub does, as far as ours go: jobs by `needs`, each in a folder of its own, their real scripts.

What a workflow may say is read strictly: an unknown key, action, input of an action, function or context is an error.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ACTIONS = {
    "actions/checkout": {"persist-credentials"},
    "actions/setup-python": {"python-version", "cache", "cache-dependency-path"},
    "actions/cache/restore": {"path", "key"},
    "actions/cache/save": {"path", "key"},
    "actions/upload-artifact": {"name", "path", "overwrite", "if-no-files-found"},
    "actions/download-artifact": {"name", "pattern", "path"},
}
_WORKFLOW = {"name", "on", "permissions", "concurrency", "env", "jobs"}
_JOB = {
    "name",
    "needs",
    "if",
    "runs-on",
    "container",
    "timeout-minutes",
    "env",
    "defaults",
    "outputs",
    "steps",
}
_STEP = {"name", "id", "if", "uses", "with", "env", "run", "timeout-minutes"}


def load_workflow(path: Path) -> dict[str, Any]:
    """A workflow, read as YAML 1.2."""
    content = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    assert isinstance(content, dict)
    return content


# ------------------------------------------------------------------------------------------------ expressions

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.-]*)|(\d+)|(==|!=|&&|\|\||!|\(|\)))")


def evaluate(text: str, contexts: Mapping[str, Any]) -> Any:
    """The value of an expression, without `${{ }}`."""
    tokens = []
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        assert found, f"no expression: {text!r}"
        tokens.append(found)
        place = found.end()
    value = _Expression(tokens, contexts).all()
    assert not isinstance(value, dict | list), text
    return value


class _Expression:
    """Reads tokens from left to right; `||` binds the least, then `&&`, comparisons and `!`."""

    def __init__(self, tokens: list[re.Match[str]], contexts: Mapping[str, Any]) -> None:
        self.tokens = tokens
        self.contexts = contexts

    def all(self) -> Any:
        value = self.either()
        assert not self.tokens, "something follows the expression"
        return value

    def either(self) -> Any:
        value = self.both()
        while self.taken("||"):
            other = self.both()
            value = value if _is_true(value) else other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self.taken("&&"):
            other = self.compared()
            value = other if _is_true(value) else value
        return value

    def compared(self) -> Any:
        value = self.single()
        for operator in ("==", "!="):
            if self.taken(operator):
                return (_text(value) == _text(self.single())) is (operator == "==")
        return value

    def single(self) -> Any:
        if self.taken("!"):
            return not _is_true(self.single())
        if self.taken("("):
            value = self.either()
            assert self.taken(")")
            return value
        literal, name, number, _ = self.tokens.pop(0).groups()
        if literal:
            return literal[1:-1].replace("''", "'")
        if number:
            return int(number)
        assert name
        if self.taken("("):
            assert self.taken(")")
            return self.contexts["functions"][name]
        return _found(name, self.contexts)

    def taken(self, symbol: str) -> bool:
        if self.tokens and self.tokens[0][4] == symbol:
            self.tokens.pop(0)
            return True
        return False


def _found(name: str, contexts: Mapping[str, Any]) -> Any:
    first, *rest = name.split(".")
    value: Any = contexts[first]  # an unknown context is an error, an unknown name in it is empty
    for part in rest:
        value = {key.lower(): each for key, each in value.items()}.get(part.lower(), {} if part != rest[-1] else None)
    return value


def _is_true(value: Any) -> bool:
    return value not in {None, "", False}


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def interpolate(text: Any, contexts: Mapping[str, Any]) -> Any:
    """A value of a workflow with its expressions replaced; texts in `'...'` may hold braces."""
    if not isinstance(text, str):
        return text
    return re.sub(
        r"\$\{\{((?:'(?:[^']|'')*'|[^'])*?)\}\}", lambda found: _text(evaluate(found[1].strip(), contexts)), text
    )


# ------------------------------------------------------------------------------------------------ jobs


@dataclass
class JobRun:
    """What came of a job: `success`, `failure` or `skipped`; and what each of its steps printed."""

    result: str
    outputs: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    reused: bool = False


@dataclass
class WorkflowRun:
    """What came of a run."""

    jobs: dict[str, JobRun]
    artifacts: Path
    summaries: str

    @property
    def succeeded(self) -> bool:
        return all(job.result != "failure" for job in self.jobs.values())

    @property
    def printed(self) -> str:
        return "\n".join(job.printed for job in self.jobs.values())


@dataclass
class Runner:
    """A repository of GitHub with its cache.

    Attributes:
        repository: A git repository.
        place: For what jobs leave; the cache stays from run to run.
        secrets: Of the repository.
        variables: Of the repository.
        environment: Of the runners' processes.
    """

    repository: Path
    place: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    runs: int = 0

    def run(self, file: str, inputs: Mapping[str, Any] | None = None, event: str = "workflow_dispatch") -> WorkflowRun:
        """Runs a workflow.

        Args:
            file: Its name.
            inputs: What is typed into the form; the rest keeps its defaults.
            event: What starts it.
        """
        self.runs += 1
        workflow = load_workflow(self.repository / ".github" / "workflows" / file)
        assert workflow.keys() <= _WORKFLOW, workflow.keys() - _WORKFLOW
        assert event in workflow["on"]
        given = _inputs(workflow["on"]["workflow_dispatch"], inputs or {}) if event == "workflow_dispatch" else {}
        folder = self.place / f"run-{self.runs}"
        (folder / "artifacts").mkdir(parents=True)
        github = {
            "workflow": workflow["name"],
            "run_id": str(1000 + self.runs),
            "ref": "refs/heads/main",
            "event_name": event,
        }
        contexts = {"github": github, "inputs": given, "vars": dict(self.variables), "secrets": dict(self.secrets)}
        assert interpolate(workflow["concurrency"]["group"], contexts)
        done = self._jobs(workflow, contexts, folder)
        summaries = "".join(path.read_text("utf-8") for path in sorted(folder.glob("*/summary.md")))
        return WorkflowRun(done, folder / "artifacts", summaries)

    def _jobs(self, workflow: dict[str, Any], contexts: dict[str, Any], folder: Path) -> dict[str, JobRun]:
        futures: dict[str, Future[JobRun]] = {name: Future() for name in workflow["jobs"]}

        def work(name: str, job: dict[str, Any]) -> None:
            try:
                above = {each: futures[each].result() for each in job.get("needs", ())}
                futures[name].set_result(_Job(self, workflow, name, job, folder, contexts).run(above))
            except BaseException as error:  # noqa: BLE001  # whoever waits for the job has to see it
                futures[name].set_exception(error)

        with ThreadPoolExecutor(len(futures)) as pool:
            for name, job in workflow["jobs"].items():
                pool.submit(work, name, job)
        return {name: future.result() for name, future in futures.items()}


def _inputs(form: Mapping[str, Any] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    known = dict((form or {}).get("inputs", {}))
    assert given.keys() <= known.keys(), given.keys() - known.keys()
    assert len(known) <= 25
    for name, one in known.items():
        assert one.keys() <= {"description", "type", "default"}
        assert isinstance(one.get("default", ""), {"string": str, "boolean": bool}[one["type"]]), name
    return {name: given.get(name, one.get("default", "")) for name, one in known.items()}


class _Job:
    """One job, in a folder of its own."""

    def __init__(
        self,
        runner: Runner,
        workflow: dict[str, Any],
        name: str,
        job: dict[str, Any],
        folder: Path,
        contexts: dict[str, Any],
    ) -> None:
        assert job.keys() <= _JOB, job.keys() - _JOB
        self.runner, self.workflow, self.job = runner, workflow, job
        self.shared = folder / "artifacts"
        self.folder = folder / name
        self.workspace = self.folder / "work"
        self.contexts = dict(contexts)
        self.printed = ""
        self.failed = False
        self.reused = False

    def run(self, above: Mapping[str, JobRun]) -> JobRun:
        self.contexts["needs"] = {
            name: {"result": each.result, "outputs": dict(each.outputs)} for name, each in above.items()
        }
        results = {each.result for each in above.values()}
        functions = {"success": results <= {"success"}, "failure": "failure" in results, "always": True}
        condition = str(self.job.get("if", "success()"))
        if not self._holds(condition, functions):
            return JobRun("skipped")
        self.workspace.mkdir(parents=True)
        (self.folder / "tmp").mkdir()
        self.contexts["runner"] = {"os": "Linux", "arch": "X64"}
        self.contexts["steps"] = {}
        runs_on = interpolate(self.job["runs-on"], self.contexts)
        assert runs_on == "ubuntu-latest" or runs_on in self.runner.variables.values()
        for step in self.job["steps"]:
            self._step(step)
        outputs = {name: interpolate(text, self.contexts) for name, text in self.job.get("outputs", {}).items()}
        return JobRun("failure" if self.failed else "success", outputs, self.printed, self.reused)

    def _holds(self, condition: str, functions: Mapping[str, bool]) -> bool:
        contexts = {**self.contexts, "functions": functions}
        own = any(f"{name}()" in condition for name in functions)
        return _is_true(evaluate(condition, contexts)) and (own or functions["success"])

    def _step(self, step: dict[str, Any]) -> None:
        assert step.keys() <= _STEP, step.keys() - _STEP
        functions = {"success": not self.failed, "failure": self.failed, "always": True}
        if not self._holds(str(step.get("if", "success()")), functions):
            return
        outputs: dict[str, str] = {}
        if "uses" in step:
            name, _, commit = step["uses"].partition("@")
            assert re.fullmatch("[0-9a-f]{40}", commit)
            given = {key: interpolate(value, self.contexts) for key, value in step.get("with", {}).items()}
            assert given.keys() <= _ACTIONS[name], (name, given)
            outputs = getattr(self, name.replace("actions/", "_").replace("/", "_").replace("-", "_"))(given)
        else:
            outputs = self._script(step)
        if "id" in step:
            self.contexts["steps"][step["id"]] = {"outputs": outputs}

    def _script(self, step: dict[str, Any]) -> dict[str, str]:
        assert "${{" not in step["run"], "no expression stands in a script"
        output, summary = self.folder / "tmp" / "output", self.folder / "summary.md"
        output.write_text("")
        script = self.folder / "tmp" / "script.sh"
        script.write_text(step["run"], "utf-8")
        place = interpolate(self.job.get("defaults", {}).get("run", {}).get("working-directory", "."), self.contexts)
        declared = {
            key: _text(interpolate(value, self.contexts))
            for each in (self.workflow, self.job, step)
            for key, value in each.get("env", {}).items()
        }
        variables = {
            "PATH": f"{self._programs()}:/usr/bin:/bin",
            "HOME": str(self.folder / "tmp"),
            **self.runner.environment,
            "RUNNER_TEMP": str(self.folder / "tmp"),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            **declared,
        }
        shell = "sh" if "container" in self.job else "bash"
        minutes = step.get("timeout-minutes", 10)
        assert isinstance(minutes, int)
        done = subprocess.run(
            [shell, "-e", str(script)],
            cwd=self.workspace / place,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60 * minutes,
        )
        self.printed += done.stdout
        self.failed = self.failed or done.returncode != 0
        return dict(line.split("=", 1) for line in output.read_text("utf-8").splitlines() if line)

    def _programs(self) -> Path:
        """A folder with a `python` that installs nothing: the tests' own has what the steps need."""
        folder = self.folder / "tmp" / "bin"
        if not folder.exists():
            folder.mkdir()
            program = folder / "python"
            install = 'if [ "$1 $2 $3" = "-m pip install" ]; then for last; do :; done; exec test -f "$last"; fi'
            program.write_text(f'#!/bin/sh\n{install}\nexec {sys.executable} "$@"\n')
            program.chmod(0o755)
        return folder

    # actions

    def _checkout(self, given: Mapping[str, Any]) -> dict[str, str]:
        assert given == {"persist-credentials": False}
        command = ["git", "clone", "--quiet", "--shared", str(self.runner.repository), str(self.workspace)]
        subprocess.run(command, check=True)
        return {}

    def _setup_python(self, given: Mapping[str, Any]) -> dict[str, str]:
        assert re.fullmatch(r"3\.\d+", given["python-version"])
        assert "container" not in self.job
        if "cache" in given:
            assert (self.workspace / given["cache-dependency-path"]).is_file()
        return {}

    def _cache(self, key: str) -> Path:
        assert "," not in key
        assert len(key) <= 512
        return self.runner.place / "cache" / key

    def _cache_restore(self, given: Mapping[str, Any]) -> dict[str, str]:
        kept = self._cache(given["key"])
        if not kept.exists():
            return {"cache-hit": "false"}
        self.reused = True
        shutil.copytree(kept, self.workspace / given["path"])
        return {"cache-hit": "true"}

    def _cache_save(self, given: Mapping[str, Any]) -> dict[str, str]:
        kept = self._cache(given["key"])
        if not kept.exists():  # what is kept under a key never changes
            shutil.copytree(self.workspace / given["path"], kept)
        return {}

    def _upload_artifact(self, given: Mapping[str, Any]) -> dict[str, str]:
        assert not set('":<>|*?\r\n\\/') & set(given["name"])
        source, target = self.workspace / given["path"], self.shared / given["name"]
        files = [path for path in _files(source) if not _is_hidden(path.relative_to(source))]
        if not files:
            assert given["if-no-files-found"] == "ignore", f"nothing at {source}"
            return {}
        assert not target.exists()
        for path in files:
            inside = path.relative_to(source) if source.is_dir() else Path(path.name)
            (target / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target / inside)  # neither permissions nor empty folders travel
        return {}

    def _download_artifact(self, given: Mapping[str, Any]) -> dict[str, str]:
        assert ("name" in given) != ("pattern" in given)
        path = self.workspace / given["path"]
        if "name" in given:
            shutil.copytree(self.shared / given["name"], path, dirs_exist_ok=True)
            return {}
        found = re.fullmatch(r"\{([^{}]+,[^{}]+)\}", given["pattern"])
        assert found, given
        for name in found[1].split(","):
            shutil.copytree(self.shared / name, path / name, dirs_exist_ok=True)
        return {}


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for each in sorted(path.rglob("*")) if path.is_dir() else ():
        if each.is_file():
            yield each


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def repository_of(bundle: Path, folder: Path, inside: str = "") -> Path:
    """A git repository that holds a bundle, in a folder of it or at its top."""
    shutil.copytree(bundle, folder / inside, dirs_exist_ok=True)
    if inside and (bundle / ".github").exists():
        (folder / ".github" / "workflows").mkdir(parents=True)
        for file in (bundle / ".github" / "workflows").iterdir():
            shutil.copy(file, folder / ".github" / "workflows")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(folder)]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    subprocess.run([*git, "add", "--all", "--force"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--message", "x"], check=True)
    return folder


def records_of(run: WorkflowRun) -> dict[str, dict[str, Any]]:
    """What steps left, by name."""
    read = [json.loads(file.read_text("utf-8")) for file in sorted(run.artifacts.glob("*/*.json"))]
    return {one["step"]: one for one in read}
