"""Texts of a bundle, whatever names, descriptions, defaults and files hold."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Flags

if TYPE_CHECKING:
    from pathlib import Path

    from nb2pipe.targets.model import Bundle

NAMES = [
    "x",
    "a b'c",
    'q"uote',
    "ünï",
    "back`tick",
    "$(touch evil)",
    "pipe|x",
    "{{ x }}",
    "{% raw %}",
    "<b>",
    "#",
    "\\",
]


def bundle(
    folder: Path, metadata: dict[str, object], *, name: str = "n.ipynb", include: tuple[str, ...] = ()
) -> Bundle:
    cells = [
        (["parameters"], "first = 'a|`\\n'\nlr = 0.5\nwords = [1, '</td>']"),
        (["step:one", "gate:size > 1 or size < 2", "retry:2", "timeout:90s", "secret:s:k:TOKEN"], "x = lr\nsize = 1"),
        (["pipeline-metrics"], "print(size)"),
        (["step:two"], "print(x, first, words)"),
    ]
    content = {
        "cells": [
            {"cell_type": "code", "id": f"c{place}", "metadata": {"tags": tags}, "source": text, "outputs": []}
            | {"execution_count": None}
            for place, (tags, text) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "x"}, "nb2pipe": metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / name).write_text(json.dumps(content), "utf-8")
    return emit(load(folder / name), Wishes(folder=folder / "made", flags=Flags(include=include)))


@pytest.mark.parametrize("name", NAMES)
def test_a_name_stays_what_it_is_in_every_text(tmp_path: Path, name: str) -> None:
    (tmp_path / f"file {name}.csv").write_text("1", "utf-8")
    metadata = {"name": name, "description": f"{name}\n\n{name}", "owner": name}
    made = bundle(tmp_path, metadata, name=f"{name}.ipynb", include=("*.csv",))
    tests = ast.parse(made.text("tests/test_steps.py"))
    assert [node.name for node in tests.body if isinstance(node, ast.ClassDef)] == ["TestSteps"]
    lines = [line.split(" ", 1) for line in made.text("Dockerfile").replace("\\\n", "").splitlines() if line.strip()]
    words = {word for word, *_ in lines if not word.startswith("#")}
    assert words == {"FROM", "ARG", "COPY", "RUN", "ENV", "USER", "WORKDIR", "ENTRYPOINT"}
    copied = [json.loads(rest[rest.index("[") :]) for word, rest in lines if word == "COPY" and "[" in rest]
    assert [f"/files/file {name}.csv"] == [to for _, to in copied if to.startswith("/files")]
    assert "<b>" not in re.sub(r"`[^`]*`", "", made.text("README.md"))


def test_examples_of_the_readme_are_commands(tmp_path: Path) -> None:
    text = bundle(tmp_path, {}).text("README.md")
    commands = [shlex.split(line[2:]) for line in text.splitlines() if line.startswith("$ ")]
    assert ["python", "-m", "n_pipeline", "--lr", "0.5"] in commands
    assert ["python", "-m", "n_pipeline.steps.two", "--inputs", "values", "--outputs", "values"] in commands
    assert [
        "papermill",
        "notebooks/one.ipynb",
        "out.ipynb",
        "-p",
        "lr",
        "0.5",
        "-p",
        "nb2pipe_outputs",
        "values",
    ] in commands


def test_the_readme_has_a_row_for_each_step_and_parameter(tmp_path: Path) -> None:
    metadata = {
        "owner": "team@example.com",
        "schedule": "0 6 * * 1",
        "timezone": "Europe/Berlin",
        "description": "Words.",
    }
    text = bundle(tmp_path, metadata).text("README.md")
    rows = {line.split(" | ")[0]: line for line in text.splitlines() if line.startswith("| ")}
    assert "`x`" in rows["| `one`"]
    assert "gate `size > 1 or size < 2`; reads the environment variable `TOKEN`" in rows["| `one`"]
    assert "again up to 2 times; may take 90 s" in rows["| `one`"]
    assert "runs if the gate of `one` holds" in rows["| `two`"]
    assert rows["| `lr`"] == "| `lr` | `float` | `0.5` |"
    assert all(line.count(" | ") in {1, 2, 4} for line in rows.values())
    assert "- Owner: team@example.com" in text
    assert "- Schedule: `0 6 * * 1` (Europe/Berlin)" in text
    assert "\nWords.\n" in text


def test_the_image_of_the_notebook_is_taken_and_another_one_wins(tmp_path: Path) -> None:
    metadata: dict[str, object] = {"defaults": ["image:example.com/base:1"]}
    assert "\nFROM example.com/base:1\n" in bundle(tmp_path, metadata).text("Dockerfile")
    other = emit(load(tmp_path / "n.ipynb"), Wishes(folder=tmp_path / "made", flags=Flags(image="other:2")))
    assert "\nFROM other:2\n" in other.text("Dockerfile")
    assert json.loads(other.text("bundle.json"))["flags"]["image"] == "other:2"


def test_an_image_that_installs_from_a_repository_has_git(tmp_path: Path, write_notebook: Any) -> None:
    cells = [(["imports"], "%pip install git+https://host/a.git@1.0"), (["step:a"], "x = 1")]
    made = emit(load(write_notebook(tmp_path / "n.ipynb", cells)), Wishes(folder=tmp_path / "made"))
    text = made.text("Dockerfile")
    assert text.index("install --yes --no-install-recommends git") < text.index("pip install")
    assert "apt-get" not in bundle(tmp_path, {}).text("Dockerfile")


def test_without_requirements_nothing_is_installed(tmp_path: Path) -> None:
    made = bundle(tmp_path, {})
    assert "pip install" not in made.text("Dockerfile")
    assert made.text("requirements.lock").count("\n") == 1


@pytest.mark.parametrize("length", [1, 40, 60, 70])
def test_all_files_are_as_formatters_write_them_however_long_names_are(
    tmp_path: Path, length: int, write_notebook: Any
) -> None:
    cells = [
        ([f"step:{'s' * length}"], "x = 1\ndef f():\n    return x\ny = f()"),
        (["step:t"], "print(f(), y)\n__a = 2"),
    ]
    notebook = write_notebook(tmp_path / f"{'n' * length}.ipynb", cells)
    write(emit(load(notebook), Wishes(folder=tmp_path / "made")), tmp_path / "made")
    ruff = [sys.executable, "-m", "ruff"]
    for words in (["format", "--check"], ["check", "--select", "E9,F", "--ignore", "F811,F841"]):
        command = [*ruff, *words, "--isolated", "--no-cache", "--exclude", "_vendor,notebooks", "made"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_commands_and_tests_hold_where_parameters_have_the_names_of_our_options(
    tmp_path: Path, write_notebook: Any
) -> None:
    cells = [(["parameters"], "inputs = 1\noutputs = 2"), (["step:a"], "x = inputs"), (["step:b"], "print(x, outputs)")]
    made = tmp_path / "made"
    bundle = emit(load(write_notebook(tmp_path / "n.ipynb", cells)), Wishes(folder=made))
    write(bundle, made)
    assert "$ python -m n_pipeline.steps.b --inputs values --nb2pipe-outputs values\n" in bundle.text("README.md")
    words = [sys.executable, "-m", "unittest", "discover", "tests"]
    done = subprocess.run(words, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_type_checker_is_content_with_what_is_ours(tmp_path: Path, write_notebook: Any) -> None:
    cells = [
        (["functions"], "def f():\n    return x + 1"),
        (["step:a"], "x = 1"),
        (["step:b"], "y = f()\n__z = 1"),
        (["step:c"], "g = lambda: y\nprint(g())"),
        (["step:d"], "print(g())"),
    ]
    made = tmp_path / "made"
    write(emit(load(write_notebook(tmp_path / "n.ipynb", cells)), Wishes(folder=made)), made)
    assert "disable-error-code" in (made / "n_pipeline/steps/b.py").read_text()
    assert (made / "n_pipeline/cells/c.py").exists()
    words = ["--follow-imports=skip", "--config-file=", f"--cache-dir={tmp_path / 'cache'}"]
    files = [str(path.relative_to(made)) for path in made.rglob("*.py") if "_vendor" not in path.parts]
    command = [sys.executable, "-m", "mypy", *words, *files]
    done = subprocess.run(command, cwd=made, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
