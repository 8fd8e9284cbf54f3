"""Back to what content came from, and forward to what was made from it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from nb2pipe.lineage.model import NodeKind
from nb2pipe.lineage.text import to_text
from nb2pipe.records.events import StepStatus
from nb2pipe.records.files import read_run
from nb2pipe.records.links import EMPTY
from nb2pipe.records.model import Checkpoint, DataFile, StepRecord, StepTrace, WrittenFile
from nb2pipe.runtime.observing.seen import Seen

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Past

    from nb2pipe.lineage.model import Lineage


def edges(lineage: Lineage) -> set[str]:
    """The flows of content, as texts."""
    names = {
        node.id: str(node.facts["step"]) if node.kind is NodeKind.STEP else node.name.removeprefix("/p/")
        for node in lineage.nodes.values()
    }
    kinds = {NodeKind.STEP, NodeKind.ARTIFACT, NodeKind.DATA, NodeKind.FILE, NodeKind.MODEL, NodeKind.STATE}
    return {
        f"{names[edge.source]} > {names[edge.target]}"
        for edge in lineage.edges
        if {lineage.nodes[edge.source].kind, lineage.nodes[edge.target].kind} <= kinds
    }


def names(lineage: Lineage, *kinds: NodeKind) -> list[str]:
    return sorted(node.name for node in lineage.of_kind(*kinds))


def test_a_model_leads_back_through_steps_to_the_data(past: Past) -> None:
    load, train = past.step("load", ("a.csv", "own.py"), ("rows",)), past.step("train", ("rows",), ("net.pt", "losses"))
    past.run("1-a", load, past.step("other", ("b.csv",), ("b",)), train)
    found = past.back("net.pt")
    assert edges(found) == {"a.csv > load", "load > rows", "rows > train", "train > net.pt", "train > losses"}
    assert found.nodes[f"sha256:{past.digest('net.pt')}"].kind is NodeKind.MODEL
    assert [(node.name, node.sha256, node.run) for node in found.of_kind(NodeKind.DATA)] == [
        ("/p/a.csv", past.digest("a.csv"), None)
    ]
    assert names(found, NodeKind.MODULE) == ["/p/own.py"]


def test_code_parameters_commit_difference_and_environment_are_used_by_the_step(past: Past) -> None:
    past.run("1-a", past.step("train", ("a.csv",), ("net.pt",), parts={"parameter lr": "x", "code 1": "y"}))
    found = past.back("net.pt")
    used = {edge.source for edge in found.edges if edge.target == "step:1-a/train"}
    cells = found.of_kind(NodeKind.CELL)
    assert [(cell.name, cell.sha256) for cell in cells] == [
        ("cell 2", past.digest("imports")),
        ("cell 3", past.digest("train")),
    ]
    (parameter,) = found.of_kind(NodeKind.PARAMETER)
    assert (parameter.name, parameter.facts["value"]) == ("lr", 0.5)
    (commit,) = found.of_kind(NodeKind.COMMIT)
    assert commit.facts == {"commit": "c0ffee", "dirty": True}
    (difference,) = found.of_kind(NodeKind.DIFFERENCE)
    assert difference.sha256 == hashlib.sha256(b"changes").hexdigest()
    (environment,) = found.of_kind(NodeKind.ENVIRONMENT)
    assert environment.facts["packages"] == {"torch": "2.13"}
    assert {*(cell.id for cell in cells), parameter.id, commit.id, difference.id, environment.id} < used
    (node,) = found.of_kind(NodeKind.STEP)
    assert (node.facts["user"], node.facts["host"], node.facts["cells"]) == ("ana", "box", [3])


def test_a_step_that_runs_elsewhere_has_its_own_user_and_host(past: Past) -> None:
    past.run("1-a", past.step("train", ("a.csv",), ("net.pt",), user="bot", host="node7"))
    (node,) = past.back("net.pt").of_kind(NodeKind.STEP)
    assert (node.facts["user"], node.facts["host"]) == ("bot", "node7")


def test_a_file_of_an_earlier_run_leads_into_that_run(past: Past) -> None:
    past.run("1-a", past.step("clean", ("raw.csv",), ("a.csv",)))
    past.run("2-b", past.step("train", ("a.csv",), ("net.pt",)))
    past.run("3-c", past.step("clean", ("late.csv",), ("a.csv",)))
    assert names(past.back("net.pt"), NodeKind.DATA) == ["/p/raw.csv"], "the later run did not make what was used"
    assert {run.run for run in past.back("net.pt").runs.values()} == {"1-a", "2-b"}
    assert names(past.forward("raw.csv"), NodeKind.FILE, NodeKind.MODEL) == ["/p/a.csv", "/p/net.pt"]


def test_the_last_version_before_the_step_is_what_it_used(past: Past) -> None:
    first, second = past.step("first", ("a.csv",), ("x",)), past.step("second", ("b.csv",), ("x",))
    past.run("1-a", first, second, past.step("end", ("x",), ("end.txt",)), past.step("later", ("c.csv",), ("x",)))
    assert names(past.back("end.txt"), NodeKind.DATA) == ["/p/b.csv"]
    assert "end > end.txt" in edges(past.forward("b.csv"))
    assert "end > end.txt" not in edges(past.forward("a.csv"))
    assert "end > end.txt" not in edges(past.forward("c.csv"))


def test_runs_that_only_make_equal_variables_have_nothing_to_do_with_each_other(past: Past) -> None:
    past.run("1-a", past.step("one", ("a.csv",), ("n",)), past.step("use", ("n",), ("a.txt",)))
    past.run("2-b", past.step("one", ("b.csv",), ("n",)), past.step("use", ("n",), ("b.txt",)))
    assert names(past.forward("a.csv"), NodeKind.FILE) == ["/p/a.txt"]
    assert names(past.back("b.txt"), NodeKind.DATA) == ["/p/b.csv"]


def test_variables_of_a_run_that_was_split_are_found(past: Past) -> None:
    past.run("1-a", past.step("one", ("a.csv",), ("n",), started=1.5))
    past.run("2-b", past.step("two", ("b.csv",), ("m",), started=2.5))
    past.run("1-c", past.step("use", ("n", "m"), ("c.txt",), started=3.5))
    assert names(past.back("c.txt"), NodeKind.DATA) == ["/p/a.csv", "/p/b.csv"]
    assert names(past.forward("a.csv"), NodeKind.FILE) == ["/p/c.txt"]


def test_empty_files_of_other_runs_are_no_origin(past: Past) -> None:
    nothing = {"/p/empty": WrittenFile(sha256=EMPTY, size=0, kept=True)}
    past.run("1-a", StepRecord(name="touch", trace=StepTrace(writes=nothing)))
    reads = StepTrace(reads={"/q/__init__": EMPTY}, writes={"/p/x": WrittenFile(sha256="1" * 64, size=1, kept=True)})
    past.run("2-b", StepRecord(name="use", trace=reads))
    assert edges(past.forward("x")) == set()
    with_empty = {node.run for node in past.back("x").nodes.values()}
    assert "1-a" not in with_empty


def test_reused_steps_lead_back_within_their_run_and_forward_into_it(past: Past) -> None:
    load, train = past.step("load", ("a.csv",), ("rows",)), past.step("train", ("rows",), ("net.pt",))
    past.run("1-a", load, train)
    again = {"status": StepStatus.REUSED, "source": "1-a"}
    past.run("2-b", past.step("load", ("a.csv",), ("rows",), **again), past.step("test", ("rows",), ("report.txt",)))
    assert names(past.back("report.txt"), NodeKind.DATA) == ["/p/a.csv"]
    assert names(past.forward("a.csv"), NodeKind.FILE, NodeKind.MODEL) == ["/p/net.pt", "/p/report.txt"]


def test_steps_of_nested_notebooks_stand_for_the_step_that_holds_them(past: Past) -> None:
    inner = past.step("outer/load", ("a.csv",), ("rows",))
    past.run("1-a", inner, past.step("outer", (), ("rows",)), past.step("train", ("rows",), ("net.pt",)))
    assert names(past.back("net.pt"), NodeKind.DATA) == ["/p/a.csv"]
    assert "train > net.pt" in edges(past.forward("a.csv"))


def test_content_that_no_step_made_came_from_outside(past: Past) -> None:
    past.run("1-a", past.step("load", ("a.csv",), ("rows",)))
    found = past.back("a.csv")
    assert [node.kind for node in found.nodes.values()] == [NodeKind.DATA]
    assert not found.runs


def test_a_run_that_was_deleted_in_between_is_left_out(past: Past) -> None:
    past.run("1-a", past.step("clean", ("raw.csv",), ("a.csv",)))
    past.run("2-b", past.step("train", ("a.csv",), ("net.pt",)))
    past.back("net.pt")
    (past.home / "runs" / "1-a" / "steps" / "clean.json").write_text("damaged")
    assert names(past.back("net.pt"), NodeKind.DATA, NodeKind.FILE) == ["/p/a.csv"]


def test_only_the_runs_of_the_lineage_are_read(past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1, 60):
        past.run(f"{number}-x", past.step("load", (f"{number}.csv",), (f"{number}.txt",)))
    past.back("7.txt")
    read: list[str] = []

    def counted(folder: object) -> object:
        read.append(str(folder))
        return read_run(folder)  # type: ignore[arg-type]  # what it was given

    monkeypatch.setattr("nb2pipe.lineage.walk.read_run", counted)
    assert names(past.back("7.txt"), NodeKind.DATA) == ["/p/7.csv"]
    assert len(read) == 1


def test_what_a_step_copied_leads_to_where_it_came_from_and_through_no_other_run(past: Past) -> None:
    for number in (1, 2, 3):
        copied = StepRecord(
            name="copy",
            trace=StepTrace(
                reads={"/p/raw.csv": past.digest("x")},
                writes={"/p/copy.csv": WrittenFile(sha256=past.digest("x"), size=1, kept=True)},
            ),
        )
        reads = StepTrace(
            reads={"/p/copy.csv": past.digest("x")},
            writes={"/p/net.pt": WrittenFile(sha256=past.digest(f"net{number}"), size=1, kept=True)},
        )
        past.run(f"{number}-a", copied, StepRecord(name="train", trace=reads))
    found = past.back("net3")
    assert set(found.runs) == {"3-a"}
    (data,) = found.of_kind(NodeKind.DATA)
    assert {data.name, *data.facts["names"]} == {"/p/raw.csv", "/p/copy.csv"}  # type: ignore[misc]  # it is a list
    other = StepTrace(
        reads={"/p/copy.csv": past.digest("x")},
        writes={"/q/end": WrittenFile(sha256=past.digest("end"), size=1, kept=True)},
    )
    past.run("4-b", StepRecord(name="other", started=4.5, trace=other))
    assert set(past.back("end").runs) == {"4-b", "3-a"}, "the file that it read is the one that the last copy left"
    assert {node.name for node in past.forward("x").of_kind(NodeKind.FILE)} >= {"/p/copy.csv", "/q/end"}


def test_data_sets_have_names_and_checkpoints_their_step_and_epoch(past: Past) -> None:
    data = (DataFile(path="/p/a.csv", sha256=past.digest("a.csv"), name="rows of May"),)
    saved = (Checkpoint(path="/p/net.pt", sha256=past.digest("net.pt"), step=120, epoch=3),)
    past.run("1-a", past.step("train", ("a.csv",), ("net.pt",), data=data, checkpoints=saved))
    found = past.back("net.pt")
    assert found.nodes[f"sha256:{past.digest('a.csv')}"].facts["data_sets"] == ["rows of May"]
    checkpoint = found.nodes[f"sha256:{past.digest('net.pt')}"]
    assert (checkpoint.facts["training_step"], checkpoint.facts["epoch"]) == (120, 3)
    assert to_text(found).startswith("/p/net.pt (checkpoint, step 120, epoch 3)\n")
    assert "    used  /p/a.csv (rows of May)" in to_text(found).splitlines()


def test_declared_data_that_an_earlier_step_made_is_its_file(past: Past) -> None:
    data = (DataFile(path="/p/clean.csv", sha256=past.digest("clean.csv"), name="clean"),)
    past.run("1-a", past.step("clean", ("a.csv",), ("clean.csv",)), past.step("train", (), ("net.pt",), data=data))
    found = past.back("net.pt")
    assert names(found, NodeKind.FILE) == ["/p/clean.csv"]
    assert names(found, NodeKind.DATA) == ["/p/a.csv"]


def test_what_a_step_could_not_be_seen_to_do_is_told(past: Past) -> None:
    past.run("1-a", StepRecord(name="fetch", trace=StepTrace(reasons=("it runs the command `wget`",))))
    trace = StepTrace(
        reasons=("it talks to the network (`host`)",),
        writes={"/p/x": WrittenFile(sha256=past.digest("x"), size=1, kept=True)},
    )
    past.run("2-b", StepRecord(name="ask", trace=trace))
    assert "    note  it talks to the network (`host`)" in to_text(past.back("x")).splitlines()


@pytest.mark.parametrize("status", [StepStatus.RUNNING, StepStatus.INTERRUPTED])
def test_a_step_that_has_no_end_is_known_by_what_its_processes_left(
    past: Past, tmp_path: Path, status: StepStatus
) -> None:
    saved = (Checkpoint(path="/p/net.pt", sha256=past.digest("net.pt"), step=1, epoch=1),)
    past.run("1-a", StepRecord(name="outer/train", status=status, checkpoints=saved))
    place = past.home / "runs" / "1-a" / "steps" / "outer" / ".step-train-abc_1234"
    place.mkdir(parents=True)
    (place.with_name(".step-train-2-abc_1234")).mkdir()
    seen = Seen(file=str(place / "seen-1.jsonl"))
    for name in ("same.csv", "changed.csv"):
        (tmp_path / name).write_text(name)
        state = (tmp_path / name).stat()
        seen.note("reads", str(tmp_path / name), (state.st_size, state.st_mtime_ns, state.st_ino))
    (tmp_path / "changed.csv").write_text("other content")
    found = past.back("net.pt")
    assert [(node.name, node.sha256) for node in found.of_kind(NodeKind.DATA)] == [
        (str(tmp_path / "same.csv"), hashlib.sha256(b"same.csv").hexdigest())
    ]
