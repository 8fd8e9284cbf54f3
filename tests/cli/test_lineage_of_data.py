"""From a model back to data that a notebook reads in the ways that notebooks do, and from steps that did not end."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from nb2pipe.cli.app import cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[[str, list[tuple[list[str], str]]], Path]

PICTURES = """\
from pathlib import Path
import numpy as np
import torch
from PIL import Image

class Pictures(torch.utils.data.Dataset):
    def __init__(self, folder):
        self.files = sorted(Path(folder).glob('*.png'))
    def __len__(self):
        return len(self.files)
    def __getitem__(self, place):
        return torch.tensor(np.asarray(Image.open(self.files[place])), dtype=torch.float32).flatten()
"""
TABLES = """\
total = pd.read_csv('data/rows.csv').x.sum() + pd.read_parquet('data/parts').x.sum() + np.load('data/numbers.npy').sum()
with gzip.open('data/lines.txt.gz', 'rt') as lines:
    total += sum(map(int, lines))
with sqlite3.connect('data/table.db') as base:
    total += pd.read_sql('select * from t', base).x.sum()
total += pd.read_sql('select * from t', sqlite3.connect('file:data/only.db?mode=ro', uri=True)).x.sum()
os.makedirs('work')
shutil.copy('data/copied.csv', 'work/copy.csv')
os.rename('data/moved.csv', 'work/moved.csv')
os.symlink('../data/linked.csv', 'work/link.csv')"""
TRAIN = """\
for name in ('copy', 'moved', 'link'):
    total += pd.read_csv(f'work/{name}.csv').x.sum()
net = torch.nn.Linear(16, 1)
for workers, kind in ((0, 'first'), (2, 'second')):
    for batch in DataLoader(Pictures(f'data/{kind}'), batch_size=2, num_workers=workers):
        net(batch).mean().backward()
net.bias.data.fill_(float(total))
torch.save(net.state_dict(), 'net.pt')"""
IMPORTS = """\
import gzip, os, shutil, sqlite3
import numpy as np, pandas as pd, torch
from torch.utils.data import DataLoader
from pictures import Pictures"""
CELLS = [(["imports"], IMPORTS), (["step:tables"], TABLES), (["step:train"], TRAIN)]


def invoke(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def sha256sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def data(folder: Path) -> dict[str, str]:
    """Data of many kinds; the SHA-256 of each file, by its path."""
    place = folder / "data"
    for each in ("first", "second", "parts/year=1", "parts/year=2"):
        (place / each).mkdir(parents=True)
    for number, name in enumerate(("rows", "copied", "moved", "linked")):
        (place / f"{name}.csv").write_text(f"x\n{number}\n")
    for year in (1, 2):
        pd.DataFrame({"x": [year]}).to_parquet(place / "parts" / f"year={year}" / "part.parquet")
    np.save(place / "numbers.npy", np.arange(3))
    (place / "lines.txt.gz").write_bytes(gzip.compress(b"1\n2\n"))
    for number, name in enumerate(("table", "only")):
        with sqlite3.connect(place / f"{name}.db") as base:
            base.execute("create table t (x)")
            base.execute(f"insert into t values ({number})")
        base.close()
    for number, kind in enumerate(("first", "second")):
        for picture in range(3):
            shade: Any = np.full((4, 4), 16 * picture + number, dtype=np.uint8)
            Image.fromarray(shade).save(place / kind / f"{picture}.png")
    return {str(path): sha256sum(path) for path in place.rglob("*") if path.is_file()}


def test_a_model_leads_back_to_data_of_each_kind_however_it_was_read(
    folder: Path, write: Write, data: dict[str, str]
) -> None:
    (folder / "pictures.py").write_text(PICTURES)
    write("many.ipynb", CELLS)
    ran = invoke("run", "many.ipynb", "--executor", "subprocess", "-q")
    assert ran.exit_code == 0, ran.stderr
    (folder / "net.pt").rename(folder / "renamed.bin")
    told = invoke("lineage", "renamed.bin").stdout.splitlines()
    listed = told[told.index("data:") + 1 : told.index("modules:") - 1]
    found = {line.partition("  ")[2]: line.partition("  ")[0] for line in listed}
    assert set(found.values()) == set(data.values())
    assert found.items() >= {path.removeprefix(f"{folder}/"): digest for path, digest in data.items()}.items()
    assert told[told.index("modules:") + 1] == f"{sha256sum(folder / 'pictures.py')}  pictures.py"
    picture = invoke("lineage", "--forward", "data/second/2.png", "--json")
    made = {node["name"] for node in json.loads(picture.stdout)["nodes"] if node["kind"] == "checkpoint"}
    assert made == {str(folder / "net.pt")}


@pytest.mark.parametrize("ending", ["raise ValueError(rows)", "os.kill(os.getpid(), 9)"])
def test_what_a_step_saved_before_it_failed_leads_back_too(folder: Path, write: Write, ending: str) -> None:
    (folder / "rows.csv").write_text("1\n")
    (folder / "more.csv").write_text("2\n")
    train = f"more = open('more.csv').read()\nopen('net.bin', 'w').write(rows + more)\n{ending}"
    cells = [(["imports"], "import os"), (["step:load"], "rows = open('rows.csv').read()"), (["step:train"], train)]
    write("fails.ipynb", cells)
    assert invoke("run", "fails.ipynb", "--executor", "subprocess", "-q").exit_code == 5
    told = invoke("lineage", "net.bin").stdout.splitlines()
    assert "  step train  cells 3, failed" in told
    assert told[-2:] == [f"{sha256sum(folder / name)}  {name}" for name in ("more.csv", "rows.csv")]
    (event,) = [each for each in _events("net.bin") if each["job"]["name"].endswith("train")]
    assert event["eventType"] == "FAIL"


def _events(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in invoke("lineage", name, "--format", "openlineage").stdout.splitlines()]


def test_runs_that_copy_the_same_data_do_not_lead_through_each_other(folder: Path, write: Write) -> None:
    (folder / "raw.csv").write_text("1\n")
    cells = [
        (["imports"], "import shutil"),
        (["parameters"], "lr = 1"),
        (["step:fetch"], "shutil.copy('raw.csv', 'copy.csv')"),
        (["step:train"], "open('net.bin', 'w').write(open('copy.csv').read() * lr)"),
    ]
    write("copies.ipynb", cells)
    words = ("run", "copies.ipynb", "--executor", "subprocess", "--json", "--force")
    runs = [json.loads(invoke(*words, "-p", "lr", number).stdout)["run"] for number in (1, 2)]
    told = json.loads(invoke("lineage", "net.bin", "--json").stdout)
    assert {node["run"] for node in told["nodes"] if node["kind"] == "step"} == {runs[1]}
    (data,) = [node for node in told["nodes"] if node["kind"] == "data"]
    assert (data["sha256"], data["run"]) == (sha256sum(folder / "raw.csv"), None)


def test_a_data_set_that_code_names_is_known_by_that_name(folder: Path, write: Write) -> None:
    (folder / "rows.csv").write_text("1\n")
    cell = """\
track.data('rows.csv', name='rows of May')
track.data([1, 2], name='labels')
open('net.bin', 'w').write(open('rows.csv').read() + 'net')"""
    write("named.ipynb", [(["imports"], "from nb2pipe import track"), (["step:train"], cell)])
    assert invoke("run", "named.ipynb", "--executor", "subprocess", "-q").exit_code == 0
    told = invoke("lineage", "net.bin").stdout
    assert "rows.csv (rows of May)" in told
    assert f"{sha256sum(folder / 'rows.csv')}  rows.csv" in told.splitlines()
    forward = invoke("lineage", "--forward", "labels")
    assert "net.bin" in forward.stdout, forward.stderr
