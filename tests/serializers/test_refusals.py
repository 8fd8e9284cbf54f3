from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from nb2pipe.errors import StoreError
from nb2pipe.serializers.groups import Group, UnstorableError, dump, load, unstorable
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., dict[str, object]]
    Defined = Callable[[dict[str, object]], dict[str, object]]

CASES = {
    "an open file": ("f = open('/dev/null')", "f", "f", "open file", "path"),
    "a file in an object in a dictionary": (
        "class Log:\n    def __init__(self): self.stream = open('/dev/null')\nstate = {'log': Log()}",
        "state",
        'state["log"].stream',
        "open file",
        "path",
    ),
    "a generator": ("g = (x for x in [1])", "g", "g", "generator", "list(...)"),
    "a generator in a list": ("l = [1, [2, (x for x in [1])]]", "l", "l[1][1]", "generator", "list(...)"),
    "a lock": ("import threading\nl = threading.Lock()", "l", "l", "lock", "step"),
    "an object with a lock": (
        "import threading\nclass C:\n    def __init__(self): self.a = [threading.RLock()]\nc = C()",
        "c",
        "c.a[0]",
        "lock",
        "step",
    ),
    "a thread": ("import threading\nt = threading.Thread(target=print)", "t", "t", "thread", "ends with its step"),
    "a socket": ("import socket\ns = [socket.socket()]", "s", "s[0]", "connection", "connect"),
    "a database": ("import sqlite3\nc = sqlite3.connect(':memory:')", "c", "c", "database", "connect"),
    "a cursor": (
        "import sqlite3\nd = sqlite3.connect(':memory:').execute('select 1')",
        "d",
        "d",
        "cursor",
        "fetch",
    ),
    "a closure over a file": (
        "def make():\n    f = open('/dev/null')\n    return lambda: f\nread = make()",
        "read",
        'read.__closure__["f"]',
        "open file",
        "path",
    ),
    "a default that is a lock": (
        "import threading\ndef f(a, lock=threading.Lock()): pass",
        "f",
        "f.__defaults__[0]",
        "lock",
        "step",
    ),
    "a class attribute": (
        "import threading\nclass A:\n    lock = threading.Lock()\na = A()",
        "A",
        "A.lock",
        "lock",
        "step",
    ),
    "a tensor with a graph": (
        "import torch\nw = torch.ones(2, requires_grad=True)\nlosses = [(w * 2).sum()]",
        "losses",
        "losses[0]",
        "grad_fn",
        "detach",
    ),
    "a coroutine": ("async def f(): pass\nc = f()", "c", "c", "coroutine", "await"),
    "a view of a dictionary": ("k = {1: 2}.keys()", "k", "k", "view of a dictionary", "list(...)"),
    "a weak reference": (
        "import weakref\nclass A: pass\na = A()\nr = {'r': weakref.ref(a)}",
        "r",
        'r["r"]',
        "weak reference",
        "object itself",
    ),
    "a context variable": ("import contextvars\nv = contextvars.ContextVar('v')", "v", "v", "context variable", "step"),
    "a running program": (
        "import subprocess\np = subprocess.Popen(['true'])\np.wait()",
        "p",
        "p",
        "running program",
        "output",
    ),
    "a temporary directory": (
        "import tempfile\nt = tempfile.TemporaryDirectory()",
        "t",
        "t",
        "temporary directory",
        "folder",
    ),
    "a module that was made": (
        "import types\nm = types.ModuleType('made')\nd = [m]",
        "d",
        "d[0]",
        "not imported",
        "file",
    ),
    "an own reduce that fails": (
        "class A:\n    def __reduce__(self): raise ValueError('no way')\na = [A()]",
        "a",
        "a[0]",
        "no way",
        "step",
    ),
    "an own reduce that never ends": (
        "class A:\n    def __reduce__(self): return self.__reduce__()\na = A()",
        "a",
        "a",
        "too deeply",
        "parts",
    ),
    "an own reduce that gives nonsense": (
        "class A:\n    def __reduce__(self): return 5\na = A()",
        "a",
        "a",
        "tuple",
        "__reduce__",
    ),
    "a hash": ("import hashlib\nh = [hashlib.sha256(b'a')]", "h", "h[0]", "being computed", ".hexdigest()"),
    "an iterator of an array": ("import numpy as np\ni = np.arange(3).flat", "i", "i", "running iterator", "the array"),
    "matches to come": ("import re\nm = re.finditer('a', 'aa')", "m", "m", "running iterator", "list(...)"),
    "an asynchronous generator": ("async def f(): yield 1\ng = {'g': f()}", "g", 'g["g"]', "asynchronous", "list(...)"),
    "a context that was entered": (
        "import contextlib\n@contextlib.contextmanager\ndef f(): yield 1\nc = f()\nc.__enter__()",
        "c",
        "c.gen",
        "running generator",
        "list(...)",
    ),
    "a stack of contexts": (
        "import contextlib\ns = contextlib.ExitStack()\ns.enter_context(open('/dev/null'))",
        "s",
        "s._exit_callbacks[0][1].__self__",
        "open file",
        "path",
    ),
    "a reader of a file": (
        "import csv\nr = csv.reader(open('/dev/null'))",
        "r",
        "r",
        "reads from an open file",
        "list(...)",
    ),
    "a view of memory that has gone": ("m = memoryview(b'ab')\nm.release()", "m", "m", "released", "step"),
    "an executor": (
        "import concurrent.futures\ne = concurrent.futures.ThreadPoolExecutor()",
        "e",
        "e",
        "pool",
        "start it",
    ),
    "a slot": (
        "class S:\n    __slots__ = ('io',)\ns = S()\ns.io = open('/dev/null')",
        "s",
        "s.io",
        "open file",
        "path",
    ),
}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_cannot_be_passed_is_refused_with_its_path_and_a_hint(
    case: tuple[str, ...], tmp_path: Path, run: Run
) -> None:
    code, name, path, reason, hint = case
    opened: list[IO[str]] = []

    def open_file(path: str) -> IO[str]:
        opened.append(Path(path).open())  # noqa: SIM115 # it is to stay open
        return opened[-1]

    namespace = run(code, {"__name__": "__main__", "open": open_file})
    values = {name: namespace[name], "fine": [1]}
    with pytest.raises(UnstorableError) as caught:
        dump(values, store=LocalStore(tmp_path), namespace=namespace)
    error = caught.value
    assert (error.name, error.path) == (name, path)
    assert reason in str(error)
    assert path in str(error)
    assert error.hint is not None
    assert hint in error.hint
    assert not list(tmp_path.rglob("*")), "nothing is written before all is known to be storable"
    for stream in opened:
        stream.close()
    value = namespace[name]
    for part in value if isinstance(value, list) else [value]:
        for method in ("close", "cleanup"):
            getattr(part, method, lambda: None)()


def test_all_variables_that_cannot_be_passed_are_told_at_once(run: Run, defined: Defined) -> None:
    namespace = run("a = (x for x in []); b = 1; c = {'k': a}")
    found = unstorable(defined(namespace), namespace=namespace)
    assert [(error.name, error.path) for error in found] == [("a", "a"), ("c", 'c["k"]')]


def test_what_a_function_reads_does_not_stop_it(tmp_path: Path, run: Run) -> None:
    namespace = run("import threading\nlock = threading.Lock()\ndef g(l=lock): pass\ndef f(): return g, lock")
    groups = dump({"f": namespace["f"]}, store=LocalStore(tmp_path), namespace=namespace)
    assert load(groups[0], store=LocalStore(tmp_path), namespace={"__name__": "__main__"})


def test_an_object_that_makes_itself_is_refused(tmp_path: Path, run: Run) -> None:
    namespace = run("class A:\n    def __reduce__(self): return A, (self,)\na = A()")
    with pytest.raises(UnstorableError, match="among the arguments"):
        dump({"a": namespace["a"]}, store=LocalStore(tmp_path), namespace=namespace)


def test_a_module_that_is_not_here_is_named_on_loading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    (tmp_path / "only_there.py").write_text("class T:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    namespace = run("import only_there\nt = only_there.T()")
    store = LocalStore(tmp_path / "store")
    (group,) = dump({"t": namespace["t"]}, store=store, namespace=namespace)
    (tmp_path / "only_there.py").unlink()
    monkeypatch.delitem(sys.modules, "only_there")
    with pytest.raises(StoreError, match="the module `only_there`, which `t` needs") as caught:
        load(group, store=store, namespace={"__name__": "__main__"})
    assert caught.value.hint is not None


def test_a_setstate_that_fails_is_an_error_with_its_reason(tmp_path: Path, run: Run) -> None:
    namespace = run(
        "class A:\n    def __getstate__(self): return {'x': 1}\n"
        "    def __setstate__(self, s): raise KeyError('gone')\na = A()"
    )
    (group,) = dump({"a": namespace["a"]}, store=LocalStore(tmp_path), namespace=namespace)
    with pytest.raises(StoreError, match="KeyError: 'gone'"):
        load(group, store=LocalStore(tmp_path), namespace={"__name__": "__main__"})


def test_an_artifact_that_is_no_group_is_an_error(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with pytest.raises(StoreError, match="no group of variables"):
        load(Group(names=("a",), digest=store.put(pickle.dumps(1))), store=store, namespace={})


def test_a_missing_leaf_is_an_error(tmp_path: Path, run: Run) -> None:
    namespace = run("import numpy as np\na = np.zeros(100_000)")
    store = LocalStore(tmp_path)
    (group,) = dump({"a": namespace["a"]}, store=store, namespace=namespace)
    for digest in store.digests():
        if digest != group.digest:
            store.path(digest).unlink()
    with pytest.raises(StoreError, match="is not in the store"):
        load(group, store=store, namespace={"__name__": "__main__"})
