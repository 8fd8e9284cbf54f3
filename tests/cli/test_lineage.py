"""`nb2pipe lineage` after runs for real."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from nb2pipe.cli.app import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELLS = [
    (["imports"], "import json\nimport helpers"),
    (["parameters"], "lr = 0.5"),
    (["step:load"], "rows = [int(line) for line in open('data/train.csv')]"),
    (["step:train"], "net = {'w': helpers.double(sum(rows)) * lr}\njson.dump(net, open('net.pt', 'w'))"),
    (["step:score"], "score = json.load(open('net.pt'))['w'] / 3"),
]  # fmt: skip


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def project(folder: Path, write: Callable[[str, list[tuple[list[str], str]]], Path]) -> Path:
    """A repository with a notebook, data and a module."""
    (folder / "data").mkdir()
    (folder / "data" / "train.csv").write_text("1\n2\n3\n")
    (folder / "helpers.py").write_text("def double(x):\n    return 2 * x\n")
    write("small.ipynb", CELLS)
    for words in (("init", "-q"), ("add", "-A"), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def sha256sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_renamed_model_leads_back_to_the_data_and_the_commit(project: Path) -> None:
    ran = invoke("run", "small.ipynb", "--executor", "subprocess", "-p", "lr", "0.25", "--json")
    assert ran.exit_code == 0, ran.stderr
    run = json.loads(ran.stdout)["run"]
    (project / "elsewhere").mkdir()
    shutil.move(project / "net.pt", project / "elsewhere" / "renamed.bin")
    told = invoke("lineage", "elsewhere/renamed.bin")
    assert told.exit_code == 0, told.stderr
    lines = told.stdout.splitlines()
    assert f"{sha256sum(project / 'data' / 'train.csv')}  data/train.csv" in lines
    assert f"{sha256sum(project / 'helpers.py')}  helpers.py" in lines
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=project, check=True, capture_output=True, text=True)
    assert any(line.startswith(f"  commit    {commit.stdout.strip()} on ") for line in lines)
    assert "  step train  cells 4, ran" in lines
    assert "    with  lr=0.25" in lines
    assert not any("score" in line for line in lines)

    shown = json.loads(invoke("runs", "show", run, "--json").stdout)
    assert [(file["path"], file["sha256"]) for file in shown["data"]] == [
        (str(project / "data" / "train.csv"), sha256sum(project / "data" / "train.csv"))
    ]
    assert shown["git"]["commit"] == commit.stdout.strip()

    verbose = invoke("lineage", "elsewhere/renamed.bin", "-v").stdout.splitlines()
    place = verbose.index("    cell 4:")
    assert verbose[place + 1 : place + 3] == [f"      {line}" for line in CELLS[3][1].splitlines()]

    text = invoke("runs", "show", run).stdout
    assert f"  data/train.csv  {sha256sum(project / 'data' / 'train.csv')[:12]}" in text.splitlines()

    data = json.loads(invoke("lineage", "--forward", "data/train.csv", "--format", "json").stdout)
    made = {node["name"]: node["kind"] for node in data["nodes"] if node["kind"] in {"file", "model", "artifact"}}
    assert made == {str(project / "net.pt"): "model", "net": "artifact", "rows": "artifact", "score": "artifact"}
    assert {node["run"] for node in data["nodes"] if node["kind"] == "step"} == {run}


def test_a_run_that_reuses_steps_has_its_lineage_too(project: Path) -> None:
    words = ("run", "small.ipynb", "--executor", "subprocess", "--json")
    first = json.loads(invoke(*words).stdout)["run"]
    second = json.loads(invoke(*words).stdout)
    assert {step["status"] for step in second["steps"]} == {"reused"}
    found = json.loads(invoke("lineage", "net.pt", "--json").stdout)
    assert {node["run"] for node in found["nodes"] if node["kind"] == "step"} == {first}, "where it was made"
    forward = json.loads(invoke("lineage", "data/train.csv", "--forward", "--json").stdout)
    steps = {(node["run"], node["step"]) for node in forward["nodes"] if node["kind"] == "step"}
    assert steps == {(run, step) for run in (first, second["run"]) for step in ("load", "train", "score")}
    assert (project / "net.pt").exists()


def test_pictures_and_events_are_written_by_the_ending(project: Path) -> None:
    assert invoke("run", "small.ipynb", "--executor", "subprocess", "-q").exit_code == 0
    assert invoke("lineage", "net.pt", "-o", "net.svg").stdout == "wrote net.svg\n"
    assert ET.parse(project / "net.svg").getroot().tag.endswith("svg")
    assert invoke("lineage", "net.pt", "-o", "net.jsonl").exit_code == 0
    events = [json.loads(line) for line in (project / "net.jsonl").read_text().splitlines()]
    assert [event["job"]["name"] for event in events] == ["small.load", "small.train"]
    assert invoke("lineage", "net.pt", "--format", "mermaid").stdout.startswith("flowchart TD\n")
    wrong = invoke("lineage", "net.pt", "-o", "net.doc")
    assert (wrong.exit_code, ".svg" in wrong.stderr) == (2, True)


def test_what_no_run_knows_is_told(project: Path) -> None:
    told = invoke("lineage", "data/train.csv")
    assert (told.exit_code, "no run knows the content" in told.stderr) == (8, True)
    assert invoke("lineage", "nothing").exit_code == 2
    assert project.is_dir()


def test_the_records_of_a_store_tell_on_another_machine(project: Path) -> None:
    place = project / "place"
    place.mkdir()
    ran = invoke("run", "small.ipynb", "--executor", "subprocess", "--store", place, "-q")
    assert ran.exit_code == 0, ran.stderr
    for home in (project / "other", project / "other"):
        told = invoke("lineage", "net.pt", "--store", place, "--home", home)
        assert f"{sha256sum(project / 'data' / 'train.csv')}  data/train.csv" in told.stdout.splitlines(), told.stderr
        home.mkdir(exist_ok=True)
