"""The wheel: built, installed into an empty environment, and used there as a new user would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], check=True, capture_output=True
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_package_and_its_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    data = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "nb2pipe").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    templates = (path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates").rglob("*.jinja"))
    assert {*data, *(f"nb2pipe/_templates/{name}" for name in templates)} <= set(names)
    assert not [name for name in names if name.startswith(("tests", "docs"))]


@pytest.mark.slow
def test_an_installed_wheel_runs_an_example(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    tools = tmp_path / "empty" / "bin"
    install = [
        tools / "python",
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--constraint",
        ROOT / "constraints.txt",
    ]
    subprocess.run([*install, wheel], check=True)
    notebook = tmp_path / "project" / "tour.ipynb"
    notebook.parent.mkdir()
    for example in (ROOT / "example_notebooks").glob("tour*.ipynb"):
        (notebook.parent / example.name).write_bytes(example.read_bytes())
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    ran = subprocess.run(
        [tools / "nb2pipe", "run", notebook.name, "--json"],
        cwd=notebook.parent,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    last = json.loads(ran.stdout.splitlines()[-1])
    assert last["status"] == "succeeded"
    assert (notebook.parent / last["notebook"]).is_file()
    for words, folder in (
        ([tools / "nb2pipe", "convert", notebook.name], notebook.parent),
        ([tools / "python", "-m", "tour_pipeline"], notebook.parent / "tour_pipeline"),
    ):
        done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
