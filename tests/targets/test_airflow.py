"""The text of the target `airflow`; what a real Airflow makes of it is in `tests/engines`."""

from __future__ import annotations

import ast
import itertools
import json
import random
import re
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import jinja2.sandbox
import pytest

import nb2pipe
from nb2pipe.pipeline.model import Step
from nb2pipe.targets.airflow.tasks import Task, tasks_of
from nb2pipe.targets.airflow.texts import plain
from nb2pipe.targets.jobs import Job

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

OPERATORS = ("external-python", "python", "bash", "docker", "kubernetes")
NOTEBOOK = """
# %% tags=["parameters"]
import os
rate = 0.5
count = 3
title = "{{ rate }} {% raw %} 'x'"
text = "a\\nb"
names = ["a"]
sizes = [1, 2.5]
mixed = [1, "a"]
table = {"a": [1]}
nothing = None
workers = os.getpid()
pair = (1, 2)
day = "2026-01-01"
api_token = "geheim-geheim"

# %% tags=["imports"]
import helpers

# %% tags=["step:load", "label:team:vision", "annotation:example.com/a:b{{ c }}", "env:SHADE:{{ red }}.sh"]
rows = helpers.rows(count), open("data/{{ a }} b.csv").read()

# %% tags=["step:data", "retry:2:30s", "timeout:15m", "limit:cpu:500m", "limit:memory:1Gi", "limit:gpu:1"]
kept = [rows, rate, title, text, names, sizes, mixed, table, nothing, workers, pair, day]

# %% tags=["step:check-it", "gate:score > 0.5", "secret:db:password:DB_PASSWORD", "image:team/check:1"]
score = len(kept) * rate
token = api_token

# %% tags=["pipeline-metrics"]
print(score)

# %% tags=["step:publish"]
print(score, token)
"""
SETTINGS = {
    "nb2pipe": {
        "schedule": "0 3 * * *",
        "timezone": "Europe/Berlin",
        "owner": "it's {{ me }}",
        "run_date": "day",
        "on_failure": "secret:hook:url:HOOK_URL",
        "description": 'Three "quotes": """ and {{ braces }}\\ of /etc/passwd.md',
    }
}


def written(folder: Path, text: str, settings: Mapping[str, object] | None = None, name: str = "n") -> Path:
    head = "# ---\n# jupyter:\n#   " + json.dumps(settings)[1:-1] + "\n# ---\n" if settings else ""
    (folder / f"{name}.py").write_text(head + dedent(text))
    return folder / f"{name}.py"


def emitted(folder: Path, operator: str = "external-python") -> Bundle:
    (folder / "helpers.py").write_text("def rows(x):\n    return x\n")
    (folder / "data").mkdir()
    (folder / "data" / "{{ a }} b.csv").write_text("x\n1\n")
    pipeline = nb2pipe.load(written(folder, NOTEBOOK, SETTINGS))
    return nb2pipe.emit(pipeline, target="airflow", include=["data/*.csv"], operator=operator)


def calls(text: str, name: str) -> list[ast.Call]:
    """The calls of a name in a text."""
    nodes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return [node for node in nodes if isinstance(node.func, ast.Name) and node.func.id == name]


def options(call: ast.Call) -> dict[str, str]:
    """The keywords of a call, as text."""
    return {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}


def steps(text: str) -> dict[str, dict[str, str]]:
    """The options of each step's call, by its name."""
    return {ast.literal_eval(call.args[0]): options(call) for call in calls(text, "step")}


def rendered(text: str) -> str:
    """What Airflow makes of a template."""
    return jinja2.sandbox.SandboxedEnvironment().from_string(text).render()


def test_a_step_is_a_task_with_what_was_asked_for_it(tmp_path: Path) -> None:
    found = steps(emitted(tmp_path).text("dags/n.py"))
    assert list(found) == ["setup", "load", "data", "check-it", "publish"]
    assert found["data"] == {
        "parameters": "['rate', 'title', 'text', 'names', 'sizes', 'mixed', 'table', 'nothing', 'pair', 'day']",
        "executor_config": "limits({'cpu': '500m', 'nvidia.com/gpu': '1', 'memory': '1Gi'})",
        "retries": "2",
        "retry_delay": "timedelta(seconds=30)",
        "execution_timeout": "timedelta(seconds=900)",
    }
    places = "{'DB_PASSWORD': ('db', 'password')}, {'api_token': ('n_pipeline', 'api_token')}"
    assert found["check-it"]["pre_execute"] == f"secrets({places})"
    assert rendered(ast.literal_eval(found["load"]["environment"])["SHADE"]) == "{{ red }}.sh"
    assert "b{{ c }}" in ast.literal_eval(found["load"]["doc_md"])


def test_parameters_are_params_with_a_schema_and_others_are_told(tmp_path: Path) -> None:
    bundle = emitted(tmp_path)
    (dag,) = calls(bundle.text("dags/n.py"), "DAG")
    (params,) = [word.value for word in dag.keywords if word.arg == "params"]
    assert isinstance(params, ast.Dict)
    found = {
        ast.literal_eval(key): (ast.literal_eval(value.args[0]), options(value))
        for key, value in zip(params.keys, params.values, strict=True)
        if key is not None and isinstance(value, ast.Call)
    }
    assert found["rate"] == (0.5, {"type": "'number'"})
    assert found["count"] == (3, {"type": "'integer'"})
    assert found["title"] == ("{{ rate }} {% raw %} 'x'", {"type": "'string'"})
    assert found["text"] == ("a\nb", {"type": "'string'", "format": "'multiline'"})
    assert found["names"] == (["a"], {"type": "'array'"})
    assert found["sizes"] == ([1, 2.5], {"type": "'array'", "items": "{'type': 'number'}"})
    assert "string" in found["mixed"][1]["items"]
    assert found["table"] == ({"a": [1]}, {"type": "'object'"})
    assert found["nothing"][0] is None
    assert found["day"][0] is None
    assert found["day"][1]["format"] == "'date'"
    assert "`os.getpid()`" in found["workers"][1]["description"]
    assert "`(1, 2)`" in found["pair"][1]["description"]
    assert "api_token" not in found
    told = [each.message for each in bundle.diagnostics if each.code == "NB410"]
    assert [re.findall("`(.*?)`", message)[0] for message in told] == ["workers", "pair", "api_token"]
    assert "geheim" not in "".join(file.text for file in bundle.files if "/_vendor/" not in file.path)


def test_the_dag_says_schedule_owner_and_who_is_told(tmp_path: Path) -> None:
    text = emitted(tmp_path).text("dags/n.py")
    (dag,) = calls(text, "DAG")
    found = options(dag)
    assert found["schedule"] == "CronTriggerTimetable('0 3 * * *', timezone='Europe/Berlin', **LATE)"
    assert found["catchup"] == "False"
    assert ast.literal_eval(found["default_args"]) == {"owner": "it's {{ me }}"}
    assert found["on_failure_callback"] == "send_notice"
    assert "secret('hook', 'url')" in text.replace('"', "'")
    docstring = ast.get_docstring(ast.parse(text), clean=False)
    assert docstring is not None
    assert not docstring.endswith(".md")  # Airflow would open a file of that name
    assert "{{ braces }}" in docstring


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_gives_python_that_imports_nothing_of_the_notebook(operator: str, tmp_path: Path) -> None:
    bundle = emitted(tmp_path, operator)
    tree = ast.parse(bundle.text("dags/n.py"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    }
    heavy = imported - {"airflow", "pendulum", "kubernetes", "docker"}
    assert heavy <= {
        "__future__",
        "datetime",
        "json",
        "os",
        "pathlib",
        "shutil",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "zoneinfo",
    }
    lacking = [each.message for each in bundle.diagnostics if each.code == "NB408"]
    contained = operator in {"docker", "kubernetes"}
    assert any("step images" in message for message in lacking) is not contained


def test_files_of_the_bundle_have_their_own_names_in_the_shell_too(tmp_path: Path) -> None:
    text = emitted(tmp_path, "bash").text("dags/n.py")
    (line,) = [
        node.value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and "cp" in str(node.value) and "BUNDLE" in str(node.value)
    ]
    assert rendered(str(line)) == """(cd "$BUNDLE" && cp --parents -- 'data/{{ a }} b.csv' "$OLDPWD/work")"""


def test_labels_limits_and_secrets_are_in_the_words_of_kubernetes(tmp_path: Path) -> None:
    pods = steps(emitted(tmp_path, "kubernetes").text("dags/n.py"))
    assert pods["load"]["labels"] == "{'team': 'vision'}"
    assert pods["check-it"]["image"] == "'team/check:1'"
    assert pods["check-it"]["secrets"] == (
        "[Secret('env', 'DB_PASSWORD', 'db', 'password'), "
        "Secret('env', 'NB2PIPE_API_TOKEN', 'n-parameters', 'api_token')]"
    )
    assert "api_token" in pods["check-it"]["parameters"]


def test_kubernetes_fills_in_nothing_but_secrets(tmp_path: Path) -> None:
    text = emitted(tmp_path, "kubernetes").text("dags/n.py")
    (words,) = [
        ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONS"
    ]
    template = jinja2.sandbox.SandboxedEnvironment().from_string(words["title"])
    assert template.render(params={"title": "$(HOME) $$ {{ x }}"}) == "--title=$$(HOME) $$$$ {{ x }}"
    assert words["api_token"] == "--api_token=$(NB2PIPE_API_TOKEN)"


def test_labels_and_limits_of_docker(tmp_path: Path) -> None:
    containers = steps(emitted(tmp_path, "docker").text("dags/n.py"))
    assert containers["data"]["cpus"] == "0.5"
    assert containers["data"]["mem_limit"] == str(2**30)
    assert containers["data"]["device_requests"] == "[DeviceRequest(count=1, capabilities=[['gpu']])]"


def test_a_label_that_the_platform_does_not_take_is_told(tmp_path: Path) -> None:
    long = "x" * 100
    notebook = written(tmp_path, f'# %% tags=["step:a", "label:team:{long}"]\nx = 1\n')
    for operator in ("external-python", "kubernetes"):
        bundle = nb2pipe.emit(nb2pipe.load(notebook), target="airflow", operator=operator)
        assert [each.code for each in bundle.diagnostics if "label" in each.message] == ["NB411"]
        assert long not in bundle.text("dags/n.py")


@pytest.mark.parametrize("name", ["random", "airflow"])
def test_a_dag_file_hides_no_module(name: str, tmp_path: Path) -> None:
    notebook = written(tmp_path, '# %% tags=["step:a"]\nimport numpy\nx = numpy.ones(2)\n', name=name)
    assert f"dags/{name}_dag.py" in nb2pipe.emit(nb2pipe.load(notebook), target="airflow").paths


@pytest.mark.parametrize(
    ("operator", "commands"),
    [
        (
            "bash",
            [
                "airflow connections add db --conn-type generic --conn-password ...",
                'airflow connections add hook --conn-type generic --conn-extra \'{"url": "..."}\'',
                'airflow connections add n_pipeline --conn-type generic --conn-extra \'{"api_token": "..."}\'',
            ],
        ),
        (
            "kubernetes",
            [
                "kubectl create secret generic db --from-literal=password=...",
                "kubectl create secret generic n-parameters --from-literal=api_token=...",
                'airflow connections add hook --conn-type generic --conn-extra \'{"url": "..."}\'',
            ],
        ),
    ],
)
def test_the_readme_says_how_secrets_are_made(operator: str, commands: list[str], tmp_path: Path) -> None:
    text = emitted(tmp_path, operator).text("README.md")
    lines = re.findall(r"^\$ ((?:airflow connections|kubectl) .*)$", text, re.MULTILINE)
    assert lines == commands


def test_conversion_gives_the_same_bytes_and_small_differences(tmp_path: Path) -> None:
    notebook = written(tmp_path, '# %% tags=["step:a"]\nx = 1\n# %% tags=["step:b"]\ny = x\n')
    first = nb2pipe.emit(nb2pipe.load(notebook), target="airflow").text("dags/n.py")
    assert first == nb2pipe.emit(nb2pipe.load(notebook), target="airflow").text("dags/n.py")
    notebook = written(tmp_path, '# %% tags=["step:a", "retry:1"]\nx = 1\n# %% tags=["step:b"]\ny = x\n')
    second = nb2pipe.emit(nb2pipe.load(notebook), target="airflow").text("dags/n.py")
    changed = set(second.splitlines()) ^ set(first.splitlines())
    assert changed == {
        "from datetime import timedelta",
        '    a = step("a")',
        '    a = step("a", retries=1, retry_delay=timedelta(seconds=0))',
    }


HOSTILE = (
    "{{ x }}",
    "{% raw %}",
    "{# x",
    "}}",
    "%}",
    "a\\",
    '"',
    "'",
    "\n",
    "é\U0001f600",
    "${{ x }}",
    "run.sh",
    "#}",
    "",
)


def test_texts_stay_what_they_are_where_templates_are_filled_in() -> None:
    generator = random.Random(1)
    for _ in range(500):
        text = "".join(generator.choices(HOSTILE, k=3))
        if text.endswith("\n") and plain(text) == text:  # Jinja drops the last line break of a template
            continue
        assert rendered(plain(text)) == text
        assert not plain(text).endswith((".sh", ".json"))


# ------------------------------------------------------------------------------------------------ order and gates


def job(name: str, needs: list[str], gates: list[str], *, gated: bool) -> Job:
    step: Any = object.__new__(Step)
    for field, value in {"name": name, "gate": "x > 0" if gated else None}.items():
        object.__setattr__(step, field, value)
    return Job(name=name, slug=name, module=f"p.steps.{name}", needs=tuple(needs), gates=tuple(gates), step=step)


def pipeline_of(generator: random.Random) -> list[Job]:
    """Jobs that need some of those before them; a gate acts through some of the edges."""
    jobs: dict[str, Job] = {}
    for place in range(7):
        direct = [name for name in jobs if generator.random() < 0.4]
        through = [name for name in direct if generator.random() < 0.7]
        above = {*direct, *itertools.chain.from_iterable(jobs[each].needs for each in direct)}
        gates = {each for each in through if jobs[each].step.gate is not None}
        gates |= set(itertools.chain.from_iterable(jobs[each].gates for each in through))
        order = list(jobs)
        jobs[f"j{place}"] = job(
            f"j{place}",
            sorted(above, key=order.index),
            sorted(gates, key=order.index),
            gated=generator.random() < 0.4,
        )
    return list(jobs.values())


def ran(tasks: tuple[Task, ...], is_open: Mapping[str, bool]) -> list[str]:
    """The jobs that Airflow runs, with all its rules about skipped tasks, in the order of the file."""
    skipped: set[str] = set()
    for task in tasks:
        explicit = any(each in closed(tasks, is_open, skipped) for each in task.above)
        if explicit or (not task.patient and any(each in skipped for each in task.above)):
            skipped.add(task.variable)
        if task.gate and task.variable in skipped:
            skipped.add(task.gate)
    return [task.job.name for task in tasks if task.variable not in skipped]


def closed(tasks: tuple[Task, ...], is_open: Mapping[str, bool], skipped: set[str]) -> set[str]:
    """The tasks that skip what is right below them."""
    return {task.gate for task in tasks if task.gate and task.variable not in skipped and not is_open[task.job.name]}


def test_what_airflow_skips_is_what_closed_gates_keep_from_running() -> None:
    generator = random.Random(2)
    for _ in range(400):
        jobs = pipeline_of(generator)
        is_open = {each.name: generator.random() < 0.5 for each in jobs}
        tasks = tasks_of(jobs)
        wanted: list[str] = []
        for each in jobs:
            if all(gate in wanted and is_open[gate] for gate in each.gates):
                wanted.append(each.name)
        assert ran(tasks, is_open) == wanted
        assert_order_is_kept(jobs, tasks)


def assert_order_is_kept(jobs: list[Job], tasks: tuple[Task, ...]) -> None:
    """Each task comes after the tasks of all jobs that it needs."""
    behind: dict[str, set[str]] = {}
    for task in tasks:
        behind[task.variable] = set(task.above).union(*(behind[each] for each in task.above))
        if task.gate:
            behind[task.gate] = {task.variable, *behind[task.variable]}
    for each in jobs:
        assert set(each.needs) <= behind[each.name]
