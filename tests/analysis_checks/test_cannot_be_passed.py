"""NB209: what a later step takes and cannot be passed to it is seen before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.analysis.checks import nb209_cannot_be_passed as check
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.pipeline.compile import compile_notebook
from nb2pipe.serializers.refusals import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Tell = Callable[..., list[Diagnostic]]

TORCH = "import torch\nnet = torch.nn.Linear(2, 1)\nx, y = torch.ones(1, 2), torch.ones(1, 1)\nlosses = []\n"
LOOP = "for _ in range(2):\n    loss = torch.nn.MSELoss()(net(x), y)\n    loss.backward()\n"


@pytest.fixture
def told(tmp_path: Path) -> Tell:
    """What is said of two steps, the second of which takes what the first one leaves."""

    def tell(first: str, second: str, *tags: str) -> list[Diagnostic]:
        path = tmp_path / "n.py"
        more = "".join(f', "{tag}"' for tag in tags)
        path.write_text(f'# %% tags=["step:a"]\n{first}\n\n# %% tags=["step:b"{more}]\n{second}\n')
        return [each for each in compile_notebook(path).report.diagnostics if each.code == "NB209"]

    return tell


SURELY = {
    "a generator expression": ("g = (n for n in [1])", "print(list(g))", "running generator"),
    "a generator": ("def f():\n    yield 1\ng = f()", "for n in g: print(n)", "running generator"),
    "a file": ("f = open('a')", "print(f.read())", "open file"),
    "a path's file": ("from pathlib import Path\nf = Path('a').open()", "f.read()", "open file"),
    "a reader of a file": ("import csv\nr = csv.reader(open('a'))", "next(r)", "open file"),
    "a lock": ("import threading\nlock = threading.Lock()", "with lock: pass", "a lock"),
    "a lock in a closure": ("import threading\nlock = threading.Lock()\nf = lambda: lock.locked()", "f()", "a lock"),
    "a thread": ("import threading\nt = threading.Thread(target=print)", "t.start()", "a thread"),
    "a pool": ("from concurrent.futures import ThreadPoolExecutor as P\np = P()", "p.submit(len, 'a')", "pool"),
    "processes": ("from multiprocessing import Pool\np = Pool(2)", "p.close()", "pool of processes"),
    "a pool's work": (
        "from concurrent.futures import ThreadPoolExecutor\np = ThreadPoolExecutor()",
        "p.map(len, 'a')",
        "pool",
    ),
    "a connection": ("import sqlite3\nc = sqlite3.connect('a.db')", "c.close()", "database connection"),
    "a cursor": ("import sqlite3\nc = sqlite3.connect('a.db').cursor()", "c.fetchall()", "database cursor"),
    "a program": ("import subprocess\np = subprocess.Popen(['ls'])", "p.wait()", "running program"),
    "a socket": ("import socket\ns = socket.socket()", "s.close()", "network connection"),
    "a coroutine": ("async def f():\n    return 1\nc = f()", "await c", "coroutine"),
    "a task": ("import asyncio\nasync def f():\n    return 1\nt = asyncio.create_task(f())", "await t", "running task"),
    "a queue": ("import queue\nq = queue.Queue()", "q.put(1)", "locks"),
    "a loader's iterator": (
        "from torch.utils.data import DataLoader\nbatches = iter(DataLoader([1, 2]))",
        "next(batches)",
        "iterator of a data loader",
    ),
}

PERHAPS = {
    "a file in one branch": ("f = None\nif input():\n    f = open('a')", "f", "open file"),
    "what a function returns": ("def f(p):\n    return open(p) if p else None\ng = f('a')", "g", "open file"),
    "a file in a dictionary": ("state = {'log': open('a')}", "state", "open file"),
    "a lock in an object": (
        "import threading\nclass C:\n    def __init__(self): self.lock = threading.Lock()\nc = C()",
        "c",
        "a lock",
    ),
    "an iterator over a file": ("lines = map(str.strip, open('a'))", "next(lines)", "open file"),
    "a reader that takes all": ("f = open('a')", "exec(input())", "open file"),
    "a loss that is left over": (f"{TORCH}{LOOP}", "print(loss)", "computation graph"),
    "an output": (f"{TORCH}out = net(x) * 2", "print(out)", "computation graph"),
}

NEVER = {
    "a generator that is used up": ("g = (n for n in [1])\nnumbers = list(g)", "print(numbers)"),
    "a generator function": ("def f():\n    yield 1", "print(list(f()))"),
    "a file that is closed": ("f = open('a')\nf.close()", "print(f.name)"),
    "a file of a with": ("with open('a') as f:\n    text = f.read()", "print(f.closed, text)"),
    "another file of that name": ("with open('a') as f:\n    pass", "with open('b') as f:\n    print(f.read())"),
    "a file that nobody takes": ("f = open('a')\nlines = f.readlines()", "print(lines)"),
    "what a pool computed": (
        "from concurrent.futures import ThreadPoolExecutor as P\nwith P() as p:\n    found = list(p.map(len, ['a']))",
        "print(found)",
    ),
    "what a query gave": ("import sqlite3\nrows = sqlite3.connect('a').execute('select 1').fetchall()", "print(rows)"),
    "a program that ended": ("import subprocess\ndone = subprocess.run(['ls'])", "print(done)"),
    "text in memory": ("import io\nbuffer = io.StringIO()", "print(buffer.getvalue())"),
    "an iterator": ("numbers = iter([1, 2])", "next(numbers)"),
    "what was awaited": ("async def f():\n    return [1]\nfound = await f()", "print(found)"),
    "what was gathered": (
        "import asyncio\nasync def f():\n    return [1]\nfound = await asyncio.gather(f(), f())",
        "print(found)",
    ),
    "numbers of losses": (f"{TORCH}{LOOP}    losses.append(loss.item())", "print(losses)"),
    "what was detached": (f"{TORCH}{LOOP}final = loss.detach()\nbest = net(x).argmax(1)", "print(final, best)"),
    "what no graph is kept of": (f"{TORCH}with torch.no_grad():\n    out = net(x)", "print(out)"),
    "a network and its optimizer": (f"{TORCH}opt = torch.optim.SGD(net.parameters())\n{LOOP}", "opt.step()"),
    "unpacked bytes": (
        "import gzip\nfrom urllib.parse import parse_qs\nb, q = gzip.compress(b'a'), parse_qs('')",
        "b, q",
    ),
}


@pytest.mark.parametrize(("first", "second", "what"), SURELY.values(), ids=SURELY)
def test_what_surely_cannot_be_passed_is_an_error(first: str, second: str, what: str, told: Tell) -> None:
    (found,) = told(first, second)
    assert found.severity is Severity.ERROR
    assert what in found.message
    assert found.location.position == 1
    assert found.location.line == first.count("\n") + 1 - ("lambda" in first)
    assert "cell 2" in found.message
    assert "of the step `b` takes it" in found.message
    assert found.hint


@pytest.mark.parametrize(("first", "second", "what"), PERHAPS.values(), ids=PERHAPS)
def test_what_perhaps_cannot_be_passed_is_a_warning(first: str, second: str, what: str, told: Tell) -> None:
    (found,) = told(first, second)
    assert found.severity is Severity.WARNING
    assert what in found.message


@pytest.mark.parametrize(("first", "second"), NEVER.values(), ids=NEVER)
def test_what_is_used_up_closed_or_not_needed_is_no_problem(first: str, second: str, told: Tell) -> None:
    assert told(first, second) == []


def test_the_path_to_what_is_in_the_way_is_told(told: Tell) -> None:
    (found,) = told("class C: pass\nc = C()\nc.log = [open('a')]", "c")
    assert "because of `c.log[...]`," in found.message


def test_a_reader_that_may_raise_gets_a_warning(told: Tell) -> None:
    (found,) = told("g = (n for n in [1])", "list(g)", "raises-exception")
    assert found.severity is Severity.WARNING


def test_types_are_told_by_names_that_the_serializers_know() -> None:
    assert all(reason_of(name) for name in check._KNOWN_AS.values())
