from __future__ import annotations

import linecache
import marshal
import subprocess
import sys
import traceback
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING, cast

import pytest

from nb2pipe.errors import StoreError
from nb2pipe.serializers import code
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import dump, leaves, load, partition
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Other

    Run = Callable[..., dict[str, object]]
    Defined = Callable[[dict[str, object]], dict[str, object]]


def fresh() -> dict[str, object]:
    return {"__name__": "__main__"}


def test_equal_values_give_equal_artifacts(tmp_path: Path, run: Run, defined: Defined) -> None:
    source = """
        import numpy as np, pandas as pd, torch
        torch.manual_seed(1)
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.a = torch.nn.Linear(3, 3)
        net = Net(); opt = torch.optim.SGD(net.parameters(), lr=0.1)
        df = pd.DataFrame({'x': [1, 2], 's': ['a', None]})
        d = {'k': [1, 'a', (2.5, None)], 'f': lambda x: x + 1}
        a = np.arange(50_000.0); v = a[3:]
    """
    store = LocalStore(tmp_path)
    namespaces = run(source), run(source)
    one, two = (dump(defined(namespace), store=store, namespace=namespace) for namespace in namespaces)
    assert one == two


def test_what_did_not_change_is_not_written_again(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run("import numpy as np\na = np.arange(100_000.0); state = {'a': a, 'n': 1}")
    first = dump({"state": namespace["state"]}, store=store, namespace=namespace)
    cast("dict[str, object]", namespace["state"])["n"] = 2
    second = dump({"state": namespace["state"]}, store=store, namespace=namespace)
    assert first != second
    assert leaves(first[0], store=store) == leaves(second[0], store=store)
    assert len(store.digests()) == 3


def test_mapped_memory_is_private(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run("import numpy as np\na = np.zeros(100_000)")
    groups = dump({"a": namespace["a"]}, store=store, namespace=namespace)
    one, two = (load(groups[0], store=store, namespace=fresh())["a"] for _ in range(2))
    cast("list[float]", one)[0] = 7
    assert cast("list[float]", two)[0] == 0
    assert dump({"a": namespace["a"]}, store=LocalStore(tmp_path), namespace=namespace) == groups


def test_dataframes_that_share_memory_are_stored_once_and_mapped_apart(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run(
        "import numpy as np, pandas as pd\ndf = pd.DataFrame({'a': np.arange(100_000)}); s = df['a']; h = df[:]"
    )
    dump({name: namespace[name] for name in ("df", "s", "h")}, store=store, namespace=namespace)
    large = [one for one in store.digests() if store.path(one).stat().st_size >= 800_000]
    assert len(large) == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a = [1]; b = [a]; c = [2]", "a,b|c"),
        ("class A: pass\na = A(); b = A()", "A|a|b"),
        ("class A:\n    def __init__(self): super().__init__()\na = A(); b = A()", "A|a|b"),
        ("import functools\nclass A:\n    @functools.lru_cache\n    def f(self): pass\na = A(); b = A()", "A|a|b"),
        ("import torch\nclass A:\n    @torch.no_grad()\n    def f(self): pass\na = A(); b = A()", "A|a|b"),
        ("def f(): pass\na = [f]; b = [f]", "a|b|f"),
        ("x = 'text'; a = [x]; b = [x]", "a|b|x"),
        ("import enum\nclass E(enum.Enum):\n    A = 1\na = [E.A]; b = [E.A]", "E|a|b"),
        ("import torch\nt = torch.ones(2); u = t; v = t[0]; w = t.clone()", "t,u,v|w"),
        ("import torch\nd = torch.device('cpu'); a = [d, torch.float32]; b = [d, torch.float32]", "a|b|d"),
        ("import numpy as np\na = np.ones(3); b = a; c = a.copy(); d = a.dtype", "a,b|c|d"),
        ("import datetime\nd = datetime.date(2020, 1, 1); a = [d]; b = [d]", "a|b|d"),
        ("import pandas as pd\ndf = pd.DataFrame({'o': [[1]]}); l = df.o[0]", "df,l"),
        ("import pandas as pd\na = pd.DataFrame({'o': [1]}); b = a.copy(); b.attrs['x'] = 1", "a|b"),
        (
            "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2]}); X = df[['a']]; y = df.b; i = df.index",
            "X|df|i|y",
        ),
        ("def make():\n    n = [0]\n    return lambda: n, lambda: n\na, b = make()", "a,b|make"),
        ("import functools\nl = []; f = functools.partial(print, l); g = l.append", "f,g,l"),
        ("import random\na = random.random; b = random.choice", "a|b"),
        ("import sys\na = [sys.stdout]; b = [sys.stdout]", "a|b"),
    ],
)
def test_variables_belong_together_by_what_they_can_change(
    source: str, expected: str, run: Run, defined: Defined
) -> None:
    namespace = run(source)
    groups = partition(defined(namespace), namespace=namespace)
    assert "|".join(",".join(names) for names in groups) == expected


def test_training_goes_on_bit_for_bit(other: Other, run: Run, defined: Defined) -> None:
    source = """
        import torch
        torch.manual_seed(3)
        class Net(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.one = torch.nn.Linear(8, 16)
                self.two = torch.nn.Linear(16, 2)
            def forward(self, x):
                return self.two(torch.relu(self.one(x)))
        net = Net()
        opt = torch.optim.Adam(net.parameters(), lr=0.01)
        sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10)
        x = torch.randn(64, 8); y = torch.randint(0, 2, (64,))
    """
    train = """
        for _ in range(5):
            opt.zero_grad()
            torch.nn.functional.cross_entropy(net(x), y).backward()
            opt.step()
            sched.step()
    """
    straight = run(train, run(train, run(source)))
    halfway = run(train, run(source))
    groups = dump(defined(halfway), store=other.store, namespace=halfway)
    weights = "weights = [part.detach() for part in net.parameters()]\n"
    expected = digest(run(weights, straight)["weights"], namespace=straight)
    check = "import torch, warnings\nfrom nb2pipe.serializers.digests import digest\nwarnings.simplefilter('error')\n"
    check += dedent(train) + weights + f"assert digest(weights, namespace={{}}).hex == {expected.hex!r}\n"
    other.ask(groups, check)


def test_later_groups_bring_the_later_state_of_a_definition(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    source = "class A:\n    n = 0\na = A()\n"
    namespace = run(source)
    early = dump({"a": namespace["a"]}, store=store, namespace=namespace)
    run("A.n = 5; b = A()", namespace)
    late = dump({"b": namespace["b"]}, store=store, namespace=namespace)
    there = run("class A:\n    n = 0\n", fresh())
    for group in (*early, *late):
        there.update(load(group, store=store, namespace=there))
    run("assert type(a) is type(b) is A and a.n == b.n == 5", there)


def test_a_helper_that_comes_along_does_not_overwrite_a_newer_one(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    source = "def h(acc=[]):\n    acc.append(1)\n    return acc\ndef f(): return h()\n"
    namespace = run(source)
    (stale,) = dump({"f": namespace["f"]}, store=store, namespace=namespace)
    there = run(source + "h(); h()")
    there.update(load(stale, store=store, namespace=there))
    run("assert f() == [1, 1, 1]", there)


def test_dictionaries_of_modules_go_by_reference(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run("import math\nd = {'m': vars(math)}\nown = {}\nexec('def f(): return len(str(x))\\nx = 10', own)")
    values = {"d": namespace["d"], "own": namespace["own"]}
    there = fresh()
    for group in dump(values, store=store, namespace=namespace):
        there.update(load(group, store=store, namespace=there))
    run("import math\nassert d['m'] is vars(math)\nown['x'] = 100\nassert own['f']() == 3", there)


@pytest.mark.parametrize("name", ["__main__", "definitions"])
def test_what_the_notebook_has_as_a_module_is_no_librarys(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, "second_name", module)  # a kernel does so with its `__main__`
    namespace = vars(module)
    run("DONE = object()\nl = [DONE]", namespace)
    (group,) = dump({name: namespace[name] for name in ("DONE", "l")}, store=LocalStore(tmp_path), namespace=namespace)
    monkeypatch.delitem(sys.modules, "second_name")
    there = fresh()
    there.update(load(group, store=LocalStore(tmp_path), namespace=there))
    run("assert l[0] is DONE", there)


def test_names_that_are_taken_stay(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run("import math\ndef h(): return 'h'\ndef f(): return math, h\nl = [f]")
    (group,) = dump({"l": namespace["l"]}, store=store, namespace=namespace)
    there = run("math = 'mine'\ndef h(): return 'other'")
    load(group, store=store, namespace=there)
    run("assert math == 'mine' and h() == 'other' and f()[0] == 'mine'", there)


def test_a_restored_function_shows_its_lines_in_a_traceback(tmp_path: Path, run: Run) -> None:
    store = LocalStore(tmp_path)
    namespace = run("def fail(x):\n    y = x + 1\n    return y / 0  # here\n")
    (group,) = dump({"fail": namespace["fail"]}, store=store, namespace=namespace)
    fail = cast("Callable[[int], int]", load(group, store=store, namespace=fresh())["fail"])
    linecache.checkcache()
    try:
        fail(1)
    except ZeroDivisionError:
        text = traceback.format_exc()
    assert "return y / 0  # here" in text
    assert "line 3" in text


def test_code_of_another_python_is_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run, defined: Defined
) -> None:
    store = LocalStore(tmp_path)
    namespace = run("def f(x, k=2):\n    return [x * k for _ in 'ab']\ndef g(): return 1\n")
    groups = dump(defined(namespace), store=store, namespace=namespace)
    monkeypatch.setattr(code, "PYTHON", "cpython-3.99")
    monkeypatch.setattr(marshal, "loads", lambda _: pytest.fail("code of another Python was read"))
    values = load(groups[0], store=store, namespace=fresh())
    assert cast("Callable[[int], list[int]]", values["f"])(3) == [6, 6]


def test_code_of_another_python_without_its_source_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = LocalStore(tmp_path)
    namespace = fresh()
    exec("def f(): return 1", namespace)
    groups = dump({"f": namespace["f"]}, store=store, namespace=namespace)
    monkeypatch.setattr(code, "PYTHON", "cpython-3.99")
    with pytest.raises(StoreError, match="`f` was compiled by") as caught:
        load(groups[0], store=store, namespace=fresh())
    assert "again" in str(caught.value.hint)


def test_importing_the_module_loads_no_library() -> None:
    source = "import sys, nb2pipe.serializers.groups, nb2pipe.serializers.digests\n"
    source += "print(sorted({'numpy', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_an_absolute_path_of_this_machine_is_in_no_artifact(tmp_path: Path, run: Run, defined: Defined) -> None:
    store = LocalStore(tmp_path)
    namespace = run("def f(): return 1\nclass A:\n    def g(self): return f\na = A()")
    dump(defined(namespace), store=store, namespace=namespace)
    assert all(b"ipykernel" not in store.get(one) for one in store.digests())
