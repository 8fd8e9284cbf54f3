from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import threading
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nb2pipe.records.model import Checkpoint
from nb2pipe.records.series import CHECKPOINTS
from nb2pipe.runtime.observing.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from conftest import Seen

    Recording = Callable[[], AbstractContextManager[Seen]]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stepped() -> nn.Module:
    net = nn.Linear(2, 1)
    net(torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    return net


def test_every_save_to_one_path_has_its_own_digest(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "net.pt"
    digests = []
    with recording() as seen:
        for number in range(20):
            torch.save(torch.full((1000,), float(number)), path)
            digests.append(digest(path))
    assert [each.sha256 for each in seen.checkpoints] == digests
    assert len(set(digests)) == 20
    assert {each.path for each in seen.checkpoints} == {str(path)}
    assert seen.checkpoints[0] == Checkpoint(path=str(path), sha256=digests[0])


def test_a_checkpoint_knows_its_step(tmp_path: Path, recording: Recording) -> None:
    with recording() as seen:
        torch.save(stepped(), tmp_path / "net.pt")
    (saved,) = seen.checkpoints
    assert (saved.step, saved.epoch) == (1, None)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch.jit
def test_all_ways_to_save(tmp_path: Path, recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    net = nn.Linear(2, 1)
    with recording() as seen:
        torch.save(net, "plain.pt")
        torch.jit.save(torch.jit.script(net), "script.pt")
        torch.jit.script(net).save("method.pt")
        torch.export.save(torch.export.export(net, (torch.ones(1, 2),)), "exported.pt2")
        save_file({"a": torch.ones(2)}, "tensors.safetensors")
        with (tmp_path / "opened.pt").open("wb") as stream:
            torch.save(net, stream)
        torch.save(net, io.BytesIO())
    names = ["plain.pt", "script.pt", "method.pt", "exported.pt2", "tensors.safetensors", "opened.pt"]
    assert [each.path for each in seen.checkpoints] == [str(tmp_path / name) for name in names]
    assert [each.sha256 for each in seen.checkpoints] == [digest(tmp_path / name) for name in names]


def test_what_was_not_saved_is_no_checkpoint(tmp_path: Path, recording: Recording) -> None:
    with recording() as seen:
        with pytest.raises(AttributeError):
            torch.save(lambda: None, tmp_path / "net.pt")
        with pytest.raises(RuntimeError):
            torch.save(1, tmp_path / "no" / "net.pt")
        torch.save(1, tmp_path / "one.pt")
    assert [each.path for each in seen.checkpoints] == [str(tmp_path / "one.pt")]


def test_a_file_that_is_renamed_or_removed_is_known_by_what_it_held(tmp_path: Path, recording: Recording) -> None:
    observer = Observer((), str(tmp_path))
    observer.begin()
    with recording() as seen:
        torch.save(1, tmp_path / "new")
        before = digest(tmp_path / "new")
        os.replace(tmp_path / "new", tmp_path / "net.pt")  # noqa: PTH105
        torch.save(2, tmp_path / "gone")
        gone = digest(tmp_path / "gone")
        (tmp_path / "gone").unlink()
    told = observer.end()
    assert [(each.path, each.sha256) for each in seen.checkpoints] == [
        (str(tmp_path / "net.pt"), before),
        (str(tmp_path / "gone"), gone),
    ]
    assert told["reasons"] == []


def test_a_large_file_does_not_keep_the_loop_waiting(tmp_path: Path, recording: Recording) -> None:
    path = tmp_path / "large"
    with recording() as seen:
        torch.save(1, tmp_path / "first")  # starts the process
        torch.save(torch.zeros(50_000_000), path)
        noted = [json.loads(line) for line in (seen.folder / CHECKPOINTS).read_text().splitlines()]
    assert [line["number"] for line in noted if "path" in line] == [1, 2]
    assert not any("sha256" in line and line["number"] == 2 for line in noted)
    assert seen.checkpoints[-1].sha256 == digest(path)


def test_the_process_that_takes_digests_is_no_child_of_the_authors(tmp_path: Path, recording: Recording) -> None:
    with recording():
        torch.save(1, tmp_path / "net.pt")
        with pytest.raises(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)


def test_names_are_followed_where_nobody_observes_the_step(tmp_path: Path, recording: Recording) -> None:
    with recording() as seen:
        torch.save(1, tmp_path / "new")
        shutil.move(tmp_path / "new", tmp_path / "net.pt")
        (tmp_path / "checkpoint.tmp").mkdir()
        torch.save(2, tmp_path / "checkpoint.tmp" / "net.pt")
        (tmp_path / "checkpoint.tmp").rename(tmp_path / "checkpoint")
        with tempfile.NamedTemporaryFile(dir=tmp_path) as file:
            torch.save(3, file)
            name = file.name
    names = [tmp_path / "net.pt", tmp_path / "checkpoint" / "net.pt"]
    assert [each.path for each in seen.checkpoints] == [*map(str, names), name]
    assert [each.sha256 for each in seen.checkpoints[:2]] == [digest(each) for each in names]


def test_threads_may_save(tmp_path: Path, recording: Recording) -> None:
    def save(number: int) -> None:
        for place in range(10):
            torch.save(number, tmp_path / f"{number}-{place}.pt")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(4)]
    with recording() as seen:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert {each.path: each.sha256 for each in seen.checkpoints} == {
        str(path): digest(path) for path in tmp_path.glob("*.pt")
    }
    assert len(seen.checkpoints) == 40
