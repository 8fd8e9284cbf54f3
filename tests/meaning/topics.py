"""What generated notebooks are about, as data: names that a topic's first cell binds, and lines that use them.

Lines are templates: `{l}` is one of the lists, `{n}` one of the numbers, and so on, see `SLOTS`; a brace of the line's
own is written twice. Lines of all topics of a notebook mix. To let the fuzz try something new, add a line to a topic.
"""

from __future__ import annotations

from dataclasses import dataclass

SLOTS = {
    "l": ("x", "y", "z"),
    "k": ("x", "y", "z"),
    "n": ("n", "m", "c"),
    "j": ("n", "m", "c"),
    "d": ("d", "e"),
    "f": ("f", "g", "h"),
    "o": ("box", "other"),
    "i": tuple(map(str, range(10))),
    "a": ("a", "b"),
    "v": ("v", "w"),
    "t": ("df", "tab"),
    "s": ("col", "part"),
    "p": ("p", "q"),
    "u": ("u", "r"),
    "w": ("net", "head"),
    "file": ("one.txt", "two.txt", "sub/one.txt"),
}
"""What templates say, and the names or texts that it stands for."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """What notebooks may be about.

    Attributes:
        imports: The text of a cell tagged `imports`.
        functions: The text of a cell tagged `functions`.
        begin: What the first step binds.
        lines: Templates of statements.
        look: An expression that shows its variables.
    """

    imports: str = ""
    functions: str = ""
    begin: str = ""
    lines: tuple[str, ...]
    look: str


CORE = Topic(
    begin='x, y, z = [1], [2, 3], [4]\nn, m, c = 1, 2, 0\nd, e = {"k": [5]}, {}',
    look="x, y, z, n, m, c, d, e",
    lines=(
        "{l} = {k}",
        "{l} = {k} + [{n}]",
        "{l} += {k}[:1]",
        "{l}.append({n})",
        "{l} = list({k})",
        "{l}[:] = {k}[:2]",
        "{l}, {k} = {k}, {l}",
        "{n} = {j} + {i}",
        "{n} += 1",
        "{n}: int = len({l})",
        "{n} = sum({l})",
        "({n} := {i})",
        '{d}["k"] = {l}',
        '{d}.setdefault("k", []).append({n})',
        '{l} = {d}.get("k", {k})',
        "{d} = dict({d})",
        "{d} = {{**{d}, {i}: {n}}}",
        "pair = ({l}, {k})\npair[0].append({n})",
        "nest = [{l}, [{k}]]\nnest[1][0].append({i})",
        "first, *rest = {l} + [{n}]\n{l} = rest or {l}",
        "{l} = [q for q in {k} if q != {n}]",
        "{d} = {{q: {n} for q in {l}}}",
        "{n} = max([q + {j} for q in {l}], default={i})",
        "{n} = sum(q for r in ({l}, {k}) for q in r)",
        "{l}.sort()",
        "{l}.reverse()",
        "del {l}[:1]",
        "del {l}[{i}:]",
        "print(f'{{{n}}} {{{l}!r:>12}} {{len({k})}}')",
        "print({l} is {k}, {d}.get('k') is {l})",
        "print(sorted({l}), {n}, {d})",
        "while {n} < 3:\n    {n} += 1\n    {l}.append({n})\nelse:\n    {k} = {l}",
        "for q in {l}[:2]:\n    if q == {n}:\n        break\n    {k}.append(q)\nelse:\n    {k} = [q * 2 for q in {k}]",
        "match {l}:\n    case [{n}, *more]:\n        {k} = more\n    case []:\n        {n} = 0",
        "match {n}:\n    case 1 | 2:\n        {l}.append({j})\n    case {j}:\n        print('matched')",
        "try:\n    {l}.remove({n})\nexcept ValueError as error:\n    {n} = len(str(error)) % 7",
        "try:\n    {n} = {i} // len({l})\nexcept ZeroDivisionError:\n    {l} = {k}\nelse:\n    {l}.append({n})",
        "try:\n    {n} = {l}[{i}]\nexcept IndexError:\n    pass\nfinally:\n    {k} = [{n}]",
        "import copy\n{l} = copy.deepcopy({k})",
        "from copy import copy as dup\n{l} = dup({k})",
        "if {n} > 2:\n    extra = {l}",
        "try:\n    extra.append({n})\nexcept NameError:\n    print('no extra')",
        "del {n}\n{n} = {i}",
        "it = iter({l})\nnext(it, None)\n{k} = list(it)",
        "keys = {d}.keys()\nprint(len(keys))\ndel keys",
        "globals()['{n}'] = {i}",
        "{n} = eval('{j} + 1')",
        "exec('{l}.append({n})')",
        "sum_ = sum\nsum = sum_({l})\n{n} = sum\ndel sum",
        "max = {i}\nprint(max)\ndel max",
        "_ = {l}\n_.append({n})\ndel _",
        "assert {n} < {i} + 3, {l}",
        "{n} = {l}[{i}]",
        "{l} = {d}['k']",
    ),
)

FUNCTIONS = Topic(
    functions="""
def grow(values, by=1):
    values.append(by)
    return values
def total():
    return n + sum(len(v) for v in (x, y))
def via():
    return total() + 1
def bump(by=1):
    global c
    c += by
    return c
def later():
    return lambda: total()
def twice(f):
    def inner(*given, **named):
        return f(*given, **named) * 2
    return inner
def counter():
    have = 0
    def step(by=1):
        nonlocal have
        have += by
        return have
    return step
def keeps(value, seen=[]):
    seen.append(value)
    return len(seen)
def items(values):
    for value in values[:3]:
        yield value
        x.append(value)
""",
    begin="f = lambda: n\ng = twice(total)\nh = counter()",
    look="f(), g(), keeps(0), bump(0)",
    lines=(
        "grow({l}, {n})",
        "{l} = grow({k})",
        "{n} = total()",
        "{n} += via()",
        "{n} = bump()",
        "bump(by={i})",
        "{n} = {f}()",
        "print({f}(), c)",
        "{f} = lambda: {n}",
        "{f} = lambda v={l}: len(v) + {n}",
        "{f} = later()",
        "{f} = twice(lambda: {n})",
        "{f} = counter()\n{f}({i})",
        "{f} = {f}",
        "held = [{f}, {l}]\nheld[1].append(held[0]())",
        "{n} = keeps({l})",
        "{l} = list(items({k}))",
        "{l} = [grow([q])[0] for q in {k}]",
        "{l} = sorted({k}, key=lambda q: q * {n})",
        "{l} = list(map(lambda q: q + {n}, {k}))",
        "def {f}():\n    return {n} + len({l})",
        "def {f}(q=1, *rest):\n    return total() + q + len(rest)",
        "def {f}(store={l}):\n    store.append({n})\n    return len(store)",
        "def {f}():\n    global {n}\n    {n} = {i}\n    return {n}",
        "@twice\ndef {f}():\n    return {n}",
        "def outer():\n    inner = {i}\n    def {f}():\n        return inner + {n}\n    return {f}\n{f} = outer()",
        "def mine():\n    {l}.append({i})\nmine()",
        "def total():\n    return {n} * 10",
        "from functools import partial\n{f} = partial(grow, {l}, {n})\n{l} = [len({f}())]\n{f} = lambda: {i}",
        "from functools import lru_cache\n@lru_cache\ndef {f}(q=0):\n    {l}.append(q)\n    return len({l})\n{f}()",
        "from functools import reduce\n{n} = reduce(lambda p, q: p + q, {l}, {j})",
        "{f}.note = {l}\n{f}.note.append({n})",
        "del grow\ndef grow(values, by=2):\n    values.extend([by, by])\n    return values",
    ),
)

CLASSES = Topic(
    functions="""
class Box:
    count = 0
    shared = []
    def __init__(self, value):
        self.value = value
        Box.count += 1
    def put(self, thing):
        self.value.append(thing)
        self.shared.append(thing)
        return self
    def weigh(self):
        return m + len(self.value)
    def __len__(self):
        return len(self.value)
    def __add__(self, other):
        return type(self)(self.value + other.value)
    def __iadd__(self, thing):
        self.value.append(thing)
        return self
    def __getitem__(self, place):
        return self.value[place]
    def __setitem__(self, place, thing):
        self.value[place] = thing
    def __call__(self, thing):
        return self.put(thing)
    def __enter__(self):
        self.value.append("in")
        return self.value
    def __exit__(self, *_):
        self.value.append("out")
    @property
    def top(self):
        return self.value[-1] if self.value else None
    @top.setter
    def top(self, thing):
        self.value.append(thing)
    @classmethod
    def of(cls, *things):
        return cls(list(things))
    @staticmethod
    def grow(values):
        values.append(0)
class Sub(Box):
    def weigh(self):
        return super().weigh() * 2
    def put(self, thing):
        Sub.last = thing
        return super().put(thing)
""",
    begin="box, other = Box(x), Sub([7])",
    look="box.value, other.value, Box.count, Box.shared, box.weigh(), other.weigh(), vars(Sub).get('last')",
    lines=(
        "{o}.put({n})",
        "{o}.put({n}).put({i})",
        "{o} = Box({l})",
        "{o} = Sub({l})",
        "{o} = Box.of({n}, {i})",
        "{o} = box + other",
        "{o} += {n}",
        "{o}({n})",
        "{o}.value = {l}",
        "{l} = {o}.value",
        "{o}.top = {n}",
        "print({o}.top, len({o}))",
        "{o}[0:1] = [{n}]",
        "{l} = {o}[:2]",
        "{n} = {o}.weigh()",
        "with {o} as inside:\n    inside.append({n})",
        "Box.count = {i}",
        "Box.limit = {l}",
        "Box.grow({l})",
        "{o}.extra = {l}\n{o}.extra.append({n})",
        "setattr({o}, 'value', {l})",
        "getattr({o}, 'put')({n})",
        "put = {o}.put\nput({n})",
        "{o}.friend = box",
        "boxes = [box, other]\nboxes[{n} % 2].put({i})",
        "for each in (box, other):\n    each.put({i})",
        "{o}, z = other, {o}.value",
        "print(isinstance({o}, Sub), box is other, {o}.value is {l})",
        "class Local:\n    size = {n}\n    def get(self):\n        return {n} + self.size\n{n} = Local().get()",
        "class Sub(Box):\n    def weigh(self):\n        return {n}\nother = Sub({l})",
        "from dataclasses import dataclass\n@dataclass\nclass Point:\n    a: int\n    b: list\npoint = Point({n}, {l})",
        "try:\n    print(point)\n    point.a += 1\nexcept NameError:\n    print('no point')",
        "from collections import namedtuple, defaultdict, Counter\n{d} = dict(Counter({l}))",
        "Box.weigh = lambda self: {n}",
        "del {o}.value[:1]",
        "{o}.__dict__.update(value={l})",
    ),
)

RANDOM = Topic(
    imports="import random\nimport numpy as np",
    begin="rng = np.random.default_rng(1)\nown = random.Random(2)",
    look="random.random(), np.random.rand(), rng.random(), own.random()",
    lines=(
        "{n} = random.randint(0, 9)",
        "random.shuffle({l})",
        "{l} = random.sample({k}, len({k}))",
        "random.seed({i})",
        "{n} = int(np.random.randint(9))",
        "{l} = np.random.permutation({k}).tolist()",
        "np.random.seed({i})",
        "np.random.shuffle({l})",
        "{n} = int(rng.integers(9))",
        "rng.shuffle({l})",
        "{n} = own.randint(0, 9)",
        "own.seed({i})",
        "rng = np.random.default_rng({i})",
        "state = random.getstate()\nrandom.random()\nrandom.setstate(state)",
        "kept = np.random.get_state()\n{n} = int(np.random.rand() * 9)\nnp.random.set_state(kept)",
        "def roll():\n    return random.random() + np.random.rand()\n{n} = int(roll() * 9)",
        "from random import choice\n{n} = choice([{i}, {n}])",
        "if {n} > 4:\n    random.random()",
    ),
)

ARRAYS = Topic(
    imports="import numpy as np",
    functions="""
def scale(array, by):
    array *= by
    return array
""",
    begin="a, b = np.arange(6.0), np.ones((2, 3))\nv, w = a[1:3], b.T",
    look="a, b, v, w",
    lines=(
        "{v} = {a}[1:3]",
        "{v} = {a}.T",
        "{v} = {a}.reshape(-1)[::2]",
        "{v} = {a}.ravel()",
        "{v} = {a}.copy()",
        "{v} = {a} + {i}",
        "{v} = {a}[{a} > 1]",
        "{v} = np.asarray({a})",
        "{v} = np.array({a})",
        "{v} = np.atleast_2d({a})",
        "{v} = {a}.view()",
        "{v} = np.broadcast_to({a}, (2, *{a}.shape))",
        "{v} = np.concatenate([{a}.ravel(), {v}.ravel()])[:6]",
        "{a}.flat[0] = {n}",
        "{a}[...] = {i}",
        "{a} += {i}",
        "{a} *= 2",
        "{v}[:1] = {i}",
        "{v} += 1",
        "np.add({a}, {i}, out={a})",
        "np.multiply({a}, 2, {a})",
        "np.copyto({a}, {i})",
        "np.fill_diagonal(b, {i})",
        "{a}.sort()",
        "{a}.fill({n})",
        "scale({a}, {i})",
        "{a} = scale({a}.copy(), 2)",
        "{a} = {v} * 1.0",
        "{l} = {a}.ravel()[:2].tolist()",
        "arrays = [{a}, {v}]\narrays[0].flat[-1] = {i}",
        "for row in b:\n    row[0] = {n}",
        "{n} = int({a}.sum()) % 9",
        "print(np.shares_memory({a}, {v}), {a}.shape)",
        "{a}, {v} = {a}.copy(), {v}.copy()",
        "np.set_printoptions(precision={i})",
        "{a}.shape = -1",
        "{a}[{a} > {i}] = 0",
    ),
)

TABLES = Topic(
    imports="import numpy as np\nimport pandas as pd",
    begin='df = pd.DataFrame({"g": ["p", "q", "p"], "h": [1.0, 2.0, 3.0]})\ntab = df.copy()\n'
    'col, part = df["h"], df[df["h"] > 1]',
    look="df.to_dict('list'), tab.to_dict('list'), col.tolist(), len(part)",
    lines=(
        '{t}["h"] = {t}["h"] + {i}',
        '{t}["k{i}"] = {n}',
        '{t}.loc[0, "h"] = {i}',
        '{t}.loc[{t}["h"] > 1, "h"] = 0',
        "{t}.iloc[0, 1] = {n}",
        '{t}.at[0, "h"] = {i}',
        '{t} = {t}.assign(h=lambda part: part["h"] * 2)',
        "{t} = {t}.copy()",
        "tab = df",
        "df = tab",
        '{s} = {t}["h"]',
        '{s} = {t}.loc[:, "h"]',
        '{s} = {t}.iloc[:2]["h"]',
        "{s}.iloc[0] = {n}",
        "{s} = {s} * 1",
        '{t} = {t}.rename(columns={{"k1": "k2"}})',
        '{t}.insert(0, "new{n}", 1) if "new{n}" not in {t} else None',
        '{t}.drop(columns=["k1"], inplace=True, errors="ignore")',
        '{t}.sort_values("h", ascending=False, inplace=True)',
        "{t}.reset_index(drop=True, inplace=True)",
        '{t}["h"].fillna({i})',
        '{n} = int({t}["h"].sum()) % 9',
        '{l} = {t}["h"].tolist()',
        'print({t}.groupby("g")["h"].sum().to_dict())',
        "{t} = pd.concat([df, tab], ignore_index=True).head(4)",
        '{t} = df.merge(tab[["g"]].drop_duplicates(), on="g")',
        '{t}["h"] = {t}["h"].apply(lambda q: q + {n})',
        "for name, row in {t}.iterrows():\n    {n} += int(row['h'])",
        "{t}.columns = [str(q) for q in {t}.columns]",
        "{t}.index.name = 'at{i}'",
        "tables = {{'a': df, 'b': tab}}\ntables['a'].loc[0, 'h'] = {i}",
        "pd.set_option('display.precision', {i})",
        "{t}.attrs['note'] = {l}",
        "raw = {t}['h'].to_numpy()\n{n} = int(raw.sum()) % 9",
        "view = {t}[['h']]\nview['h'] = {i}",
    ),
)

TENSORS = Topic(
    imports="import numpy as np\nimport torch\nfrom torch import nn",
    functions="""
def fit(model, opt, times=1):
    for _ in range(times):
        opt.zero_grad()
        loss = model(torch.ones(2, 2)).sum()
        loss.backward()
        opt.step()
    return float(loss.detach())
""",
    begin="p, q = torch.zeros(3), torch.arange(4.0)\nu, r = q[1:3], p.view(-1)\n"
    "net, head = nn.Linear(2, 2), nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)",
    look="p, q, u, r, [w.detach() for w in net.parameters()], [w.detach() for w in head.parameters()], torch.rand(1)",
    lines=(
        "{p}.add_({i})",
        "{p}[0] = {n}",
        "{p} = {p} + 1",
        "{p} = {p}.clone()",
        "{u} = {p}[1:]",
        "{u} = {p}.view(-1)",
        "{u} = {p}.detach()",
        "{u}.mul_(2)",
        "{u} = {p}.numpy()\n{u} = torch.from_numpy({u})",
        "raw = {p}.numpy()\nraw[0] = {i}",
        "back = np.ones(3)\n{p} = torch.from_numpy(back)\nback[1] = {i}",
        "{p} = torch.rand(3)",
        "torch.manual_seed({i})",
        "{n} = int(torch.randint(9, (1,)))",
        "fit(net, opt)",
        "{n} = int(fit(net, opt, 2)) % 9",
        "with torch.no_grad():\n    net.weight.fill_({i})",
        "net.weight.data[0] = {i}",
        "head.weight = net.weight",
        "head.load_state_dict(net.state_dict())",
        "state = net.state_dict()\nstate['bias'].add_(1)",
        "{w} = nn.Linear(2, 2)",
        "{w}.bias.requires_grad_(False)",
        "print(net.weight is head.weight, net.weight.grad is None, opt.param_groups[0]['lr'])",
        "opt.param_groups[0]['lr'] = 0.0{i}",
        "opt = torch.optim.Adam(net.parameters())",
        "net(torch.ones(1, 2)).sum().backward()",
        "opt.zero_grad()",
        "opt.step()",
        "both = nn.Sequential(net, head)\n{n} = len(list(both.parameters()))",
        "net.eval()",
        "net.note = {l}\nnet.note.append({n})",
        "sched = torch.optim.lr_scheduler.StepLR(opt, 1, 0.5)\nopt.step()\nsched.step()",
        "import copy\nhead = copy.deepcopy(net)",
        "torch.set_grad_enabled(True)",
    ),
)

HIDDEN = Topic(
    imports="import os\nimport sys\nimport warnings\nimport decimal\nimport logging",
    look="sorted(q for q in os.environ if q.startswith('FUZZ')), os.path.basename(os.getcwd())",
    lines=(
        "os.environ['FUZZ{i}'] = str({n})",
        "os.environ.pop('FUZZ{i}', None)",
        "print(os.environ.get('FUZZ{i}'))",
        "warnings.simplefilter('ignore')",
        "warnings.simplefilter('always')",
        "warnings.filterwarnings('ignore', message='careful')",
        "warnings.warn('careful')",
        "warnings.warn('old', DeprecationWarning)",
        "warnings.resetwarnings()",
        "with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    warnings.warn('hushed')",
        "os.makedirs('deep', exist_ok=True)\nos.chdir('deep')",
        "os.chdir(os.path.dirname(os.getcwd())) if os.path.basename(os.getcwd()) == 'deep' else None",
        "print(os.path.basename(os.getcwd()))",
        "sys.path.append('more{i}')",
        "print([q for q in sys.path if q.startswith('more')])",
        "decimal.getcontext().prec = {i} + 1",
        "print(decimal.Decimal(1) / 3)",
        "sys.setrecursionlimit(5000 + {i})",
        "print(sys.getrecursionlimit())",
        "logging.getLogger('fuzz').setLevel(10 * {n})",
        "print(logging.getLogger('fuzz').level)",
        "logging.basicConfig(level=logging.INFO)",
        "print(logging.getLogger().level)",
    ),
)

FILES = Topic(
    imports="import json\nimport os\nfrom pathlib import Path",
    functions="""
def save(name, text):
    with open(name, "a") as stream:
        stream.write(text)
def read(name):
    return open(name).read() if os.path.exists(name) else "none"
""",
    look="[read(q) for q in ('one.txt', 'two.txt', 'sub/one.txt')]",
    lines=(
        "os.makedirs('sub', exist_ok=True)\nsave('{file}', str({n}))",
        "print(read('{file}'))",
        "Path('one.txt').write_text(str({l}))",
        "with open('two.txt', 'w') as stream:\n    json.dump({n}, stream)",
        "with open('two.txt', 'a') as stream:\n    print({l}, file=stream)",
        "if Path('{file}').exists():\n    os.remove('{file}')",
        "if os.path.exists('one.txt'):\n    os.rename('one.txt', 'two.txt')",
        "print(sorted(q for q in os.listdir() if q.endswith('.txt')))",
        "name = '{file}'\nprint(read(name))",
        "{n} = len(read('{file}'))",
        "for q in ('one.txt', 'two.txt'):\n    if os.path.exists(q):\n        print(Path(q).read_text())",
    ),
)

TOPICS = {
    "functions": FUNCTIONS,
    "classes": CLASSES,
    "random": RANDOM,
    "arrays": ARRAYS,
    "tables": TABLES,
    "tensors": TENSORS,
    "hidden": HIDDEN,
    "files": FILES,
}
LIGHT = ("functions", "classes", "hidden", "files")
"""Topics without large libraries."""

WRAPS = (
    "if {n} > {i}:\n{one}\nelse:\n{two}",
    "if {l}:\n{one}",
    "for turn in range(2):\n{one}\n{two}",
    "for {n} in {l}[:2]:\n{one}",
    "try:\n{one}\n    raise ValueError({n})\nexcept ValueError as caught:\n{two}",
    "try:\n{one}\nfinally:\n{two}",
    "try:\n{one}\nexcept Exception as caught:\n    print(type(caught).__name__)\nelse:\n{two}",
    "def work():\n{one}\nwork()",
    "def work():\n    global x, y, z, n, m, c, d, e\n{one}\nwork()",
    "class Space:\n{one}\n    inside = 1",
    "while True:\n{one}\n    break",
    "with open(__import__('os').devnull) as nothing:\n{one}",
)
"""Around other lines."""

PARAMETERS = Topic(
    begin="",
    look="rate, names",
    lines=(
        "{n} = rate + {i}",
        "{l} = names + [{n}]",
        "names.append({n})",
        "{l} = names",
        "rate = {i}",
        "rate += 1",
        "{n} = derived",
        "def {f}():\n    return rate * {n}",
        "print(rate, names, derived)",
    ),
)
"""Lines for notebooks with a cell of parameters, which is `PARAMETERS_CELL`."""
PARAMETERS_CELL = "rate = 2\nnames = [1]\nderived = rate * 10"

DEFINITIONS = (
    "def total():\n    return {n} + len({l})",
    "def grow(values, by={i}):\n    values.append(by + {n})\n    return values",
    "def added(values={l}):\n    values.append({n})\n    return values",
    "class Late:\n    kept = {l}\n    def get(self):\n        return {n}",
    "history = []\nhistory.append({n})",
)
"""What stands in definition cells between steps."""
