"""The forms of a lineage: for people, for programs, as a picture, for Amundsen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from openlineage.client.generated import parent_run
from openlineage.client.generated.base import EventType, InputDataset, Job, OutputDataset, Run, RunEvent, RunFacet
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.parent_run import ParentRunFacet
from openlineage.client.generated.source_code_location_job import SourceCodeLocationJobFacet
from openlineage.client.serde import Serde

from nb2pipe.lineage import openlineage, picture, text
from nb2pipe.lineage.model import to_json
from nb2pipe.records.events import StepStatus

if TYPE_CHECKING:
    from conftest import Past

HOSTILE = '/p/<b>"x"]\n.csv'
AMUNDSEN = Path(sys.prefix) / "amundsen"
"""Where `make test` puts Amundsen's databuilder, apart from what it would bring along."""


@pytest.fixture
def told(past: Past) -> Past:
    """Two steps from a file to a model."""
    load = past.step("load", ("a.csv", "own.py"), ("rows",), started=10.0, seconds=1.0)
    train = past.step("train", ("rows",), ("net.pt",), parts={"parameter lr": "x"}, started=12.0, seconds=2.0)
    past.run("10-a", load, train, name="best")
    return past


def test_text_ends_with_the_data_as_sha256sum_prints_it(told: Past) -> None:
    lines = text.to_text(told.back("net.pt"), lambda path: path.removeprefix("/p/")).splitlines()
    assert lines[:2] == ["net.pt (model)", f"  sha256  {told.digest('net.pt')}"]
    assert lines[3].startswith("run 10-a, best, 1970-01-01 ")
    assert lines[3].endswith(", ana on box, succeeded")
    assert "  commit    c0ffee on main, with changes: difference.patch in the run's folder" in lines
    assert lines.index("  step train  cells 3, ran") < lines.index("  step load  cells 3, ran")
    assert "    with  lr=0.5" in lines
    assert lines[-5:] == ["data:", f"{told.digest('a.csv')}  a.csv", "", "modules:", f"{told.digest('own.py')}  own.py"]


def test_text_forward_ends_with_all_that_was_made(told: Past) -> None:
    lines = text.to_text(told.forward("a.csv")).splitlines()
    place = lines.index("files made from it:")
    assert lines[place:] == [
        "files made from it:",
        f"{told.digest('net.pt')}  /p/net.pt",
        "",
        "artifacts made from it:",
        f"{told.digest('rows')}  rows (10-a)",
    ]


def test_text_says_so_where_nothing_made_or_used_it(told: Past) -> None:
    assert "no step made it" in text.to_text(told.back("a.csv"))
    assert "no step used it" in text.to_text(told.forward("net.pt"))


def test_json_has_the_fields_of_nodes_and_edges(told: Past) -> None:
    data: Any = json.loads(json.dumps(to_json(told.back("net.pt"))))
    assert (data["schema"], data["direction"], data["start"]) == (1, "back", [f"sha256:{told.digest('net.pt')}"])
    assert all({"id", "kind", "sha256", "run", "name"} <= node.keys() for node in data["nodes"])
    ids = {node["id"] for node in data["nodes"]}
    assert all(edge.keys() == {"source", "target", "kind"} for edge in data["edges"])
    assert all({edge["source"], edge["target"]} <= ids for edge in data["edges"])
    assert {edge["kind"] for edge in data["edges"]} == {"used", "made"}
    assert {"source": "step:10-a/train", "target": f"sha256:{told.digest('net.pt')}", "kind": "made"} in data["edges"]
    assert {"source": f"sha256:{told.digest('a.csv')}", "target": "step:10-a/load", "kind": "used"} in data["edges"]


def test_pictures_show_steps_and_content_and_escape_names(told: Past) -> None:
    load = told.step("load", (HOSTILE.removeprefix("/p/"),), ("end.txt",))
    told.run("11-b", load)
    svg = picture.to_svg(told.back("end.txt"))
    shown = "".join(ET.fromstring(svg).itertext())
    assert "load" in shown
    assert '<b>"x"]' in shown
    mermaid = picture.to_mermaid(told.back("end.txt")).splitlines()
    assert mermaid[0] == "flowchart TD"
    assert not any("<b>" in line or '"x"' in line for line in mermaid)
    lines = picture.to_mermaid(told.back("net.pt")).splitlines()
    assert sum("-->|made|" in line for line in lines) == 2
    assert sum("-->|used|" in line for line in lines) == 2


def test_content_that_comes_back_as_it_was_can_be_drawn(told: Past) -> None:
    told.run("11-b", told.step("add", ("one.txt",), ("two.txt",)), told.step("undo", ("two.txt",), ("one.txt",)))
    told.run("12-c", told.step("add", ("one.txt",), ("two.txt",)), told.step("end", ("two.txt",), ("end.txt",)))
    found = told.back("end.txt")
    assert "flowchart" in picture.to_mermaid(found)
    assert ET.fromstring(picture.to_svg(found)).tag.endswith("svg")


def test_openlineage_has_a_complete_event_for_each_step(told: Past) -> None:
    events: Any = [json.loads(line) for line in openlineage.to_openlineage(told.back("net.pt")).splitlines()]
    assert [(event["job"]["name"], event["eventType"]) for event in events] == [
        ("digits.load", "COMPLETE"),
        ("digits.train", "COMPLETE"),
    ]
    assert [event["eventTime"] for event in events] == ["1970-01-01T00:00:11+00:00", "1970-01-01T00:00:14+00:00"]
    assert len({event["run"]["runId"] for event in events}) == 2
    data = events[0]["inputs"][0]
    assert (data["namespace"], data["name"]) == ("file", "/p/a.csv")
    assert data["facets"]["version"]["datasetVersion"] == told.digest("a.csv")
    assert events[1]["run"]["facets"]["nb2pipe"]["parameters"] == {"lr": 0.5}
    assert events[1]["job"]["facets"]["sourceCodeLocation"]["version"] == "c0ffee"


def test_many_files_of_a_folder_have_one_box(told: Past) -> None:
    many = tuple(f"{number}.png" for number in range(50))
    told.run("11-b", told.step("train", (*many, "one.csv"), ("many.pt",)))
    lines = picture.to_mermaid(told.back("many.pt")).splitlines()
    assert len(lines) == 6, "a folder, a step, a model, and what leads from one to another"
    assert sum("p#47;<br/>51 data files" in line for line in lines) == 1


def read_event(event: Any) -> RunEvent:
    """An event as the classes say it that OpenLineage makes of its JSON schema."""
    run, job = event["run"], event["job"]
    facets = {name: read_facet(RUN_FACETS[name], facet) for name, facet in run["facets"].items()}
    return RunEvent(
        eventType=EventType(event["eventType"]),
        eventTime=event["eventTime"],
        producer=event["producer"],
        run=Run(runId=run["runId"], facets=facets),
        job=Job(
            namespace=job["namespace"],
            name=job["name"],
            facets={name: read_facet(SourceCodeLocationJobFacet, facet) for name, facet in job["facets"].items()},
        ),
        inputs=[read_dataset(InputDataset, each) for each in event["inputs"]],
        outputs=[read_dataset(OutputDataset, each) for each in event["outputs"]],
    )


def read_dataset(kind: Any, dataset: Any) -> Any:
    facets = {name: read_facet(DatasetVersionDatasetFacet, facet) for name, facet in dataset["facets"].items()}
    return kind(namespace=dataset["namespace"], name=dataset["name"], facets=facets)


def read_facet(kind: Any, facet: Any) -> Any:
    known = {name: value for name, value in facet.items() if not name.startswith("_") and kind is not RunFacet}
    if kind is ParentRunFacet:
        known = {"run": parent_run.Run(**known["run"]), "job": parent_run.Job(**known["job"])}
    return kind(producer=facet["_producer"], **known)


RUN_FACETS = {"parent": ParentRunFacet, "nb2pipe": RunFacet}


def within(part: Any, whole: Any) -> bool:
    """Whether all that one JSON says stands in the other; what is empty says nothing."""
    if isinstance(part, dict):
        return all(within(value, whole.get(name)) for name, value in part.items() if value != {})
    if isinstance(part, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return bool(part == whole)


def test_events_are_what_the_classes_of_openlineage_make_of_them(told: Past) -> None:
    failed = told.step("train", ("rows",), ("last.pt",), status=StepStatus.FAILED, started=30.0, seconds=1.0)
    told.run("20-b", told.step("load", ("a b.csv",), ("rows",), started=20.5), failed, notebook="/p/50 % größer.ipynb")
    lines = [*openlineage.to_openlineage(told.back("net.pt")).splitlines()]
    lines += openlineage.to_openlineage(told.back("last.pt")).splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["eventType"] for event in events] == ["COMPLETE", "COMPLETE", "COMPLETE", "FAIL"]
    for event in events:
        assert within(json.loads(Serde.to_json(read_event(event))), event)


READ = """
import sys
sys.path.insert(0, sys.argv[1])
from pyhocon import ConfigFactory
from databuilder.extractor.openlineage_extractor import OpenLineageTableLineageExtractor
extractor = OpenLineageTableLineageExtractor()
extractor.init(ConfigFactory.from_dict({
    "table_lineage_file_location": sys.argv[2], "cluster_name": "here", "database_key": "namespace"}))
while (lineage := extractor.extract()) is not None:
    print(lineage.table_key, *lineage.downstream_deps)
"""


def test_the_extractor_of_amundsens_databuilder_reads_the_events(told: Past, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(openlineage.to_openlineage(told.back("net.pt")), "utf-8")
    words = [sys.executable, "-W", "ignore", "-c", READ, str(AMUNDSEN), str(events)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "file://here.file/a.csv nb2pipe://here.nb2pipe/rows",
        "file://here.file/own.py nb2pipe://here.nb2pipe/rows",
        "nb2pipe://here.nb2pipe/rows file://here.file/net.pt",
    ]
