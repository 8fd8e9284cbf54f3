# == a list of functions is only counted and shown
# %% a
data = [1]
def work():
    data.append(2)
jobs = [work]
# %% b
print(len(jobs), callable(work), work.__name__, isinstance(work, type))
jobs.append(work)
# %% c
print(data)
#> a -> b: jobs, work()
#> a -> c: data

# == a method of a builtin handed to map
# %% a
data = []
# %% b
list(map(data.append, [1, 2]))
# %% c
print(data)
#> a -> b: data
#> b -> c: ~data

# == a key that only reads
# %% a
scores = {"a": 2, "b": 1}
# %% b
print(max(scores, key=scores.get), sorted(scores, key=scores.__getitem__))
# %% c
print(min(scores, key=scores.get), list(map(len, scores)))
#> a -> b: scores
#> a -> c: scores

# == a library's function handed to map changes what it is given
# %% a
import random
rows = [[1], [2]]
# %% b
list(map(list.clear, rows))
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == objects that are called are handed to map
# %% a
class Logger:
    def __init__(self):
        self.seen = []
    def __call__(self, x):
        self.seen.append(x)
        return x
logger = Logger()
# %% b
print(list(map(logger, [1])), sorted([2], key=logger))
# %% c
print(logger.seen)
#> a -> b: Logger(), logger
#> a -> c: Logger()
#> b -> c: ~logger

# == a singleton by __new__
# %% a
class Only:
    _one = None
    def __new__(cls):
        if cls._one is None:
            cls._one = super().__new__(cls)
            cls._one.items = []
        return cls._one
# %% b
Only().items.append(1)
# %% c
Only().items.append(2)
# %% d
print(Only().items)
#> a -> b: Only()
#> b -> c: ~Only()
#> c -> d: ~Only()

# == a copy of an object shares what it holds
# %% a
import copy
class Box:
    def __init__(self):
        self.items = [1]
one = Box()
two = copy.copy(one)
three = copy.deepcopy(one)
# %% b
two.items.append(2)
# %% c
print(one.items)
# %% d
print(three.items)
#> a -> b: Box(), one, two
#> a -> c: Box()
#> a -> d: Box(), three
#> b -> c: ~one

# == a return in a finally, a break in a try
# %% a
log = []
x = 1
# %% b
for i in range(3):
    try:
        if i == 1:
            break
        x = i
    finally:
        log.append(i)
        last = i
# %% c
print(x, last, log)
#> a -> b: log, x
#> b -> c: last, x, ~log

# == a nested loop leaves the outer one by a flag
# %% a
found = None
rows = [[1, 2], [3]]
# %% b
for row in rows:
    for v in row:
        if v == 2:
            found = v
            break
    else:
        continue
    break
# %% c
print(found)
#> a -> b: found, rows
#> b -> c: found

# == a search with an early return binds nothing else
# %% a
best = 0
def search(values):
    global best
    for v in values:
        if v > 10:
            return v
        if v > best:
            best = v
    return None
# %% b
print(search([5, 20, 7]))
# %% c
print(best)
#> a -> b: best, search()
#> b -> c: best

# == both ways of a function bind, so the old value is gone
# %% a
mode = "old"
def choose(fast):
    global mode
    if fast:
        mode = "fast"
        return 1
    mode = "slow"
    return 2
# %% b
print(choose(True))
# %% c
print(mode)
#> a -> b: choose()
#> b -> c: mode

# == a raise ends the way that binds nothing
# %% a
x = 1
ready = True
# %% b
if ready:
    x = 2
else:
    raise RuntimeError("not ready")
# %% c
print(x)
#> a -> b: ready
#> b -> c: x

# == while True with a counter
# %% a
n = 5
# %% b
while True:
    n -= 1
    if n < 2:
        break
# %% c
print(n)
#> a -> b: n
#> b -> c: n

# == a generator that is used up in the same step
# %% a
log = []
def numbers():
    for i in range(2):
        log.append(i)
        yield i
# %% b
total = sum(numbers())
# %% c
print(total, log)
#> a -> b: log, numbers()
#> b -> c: total, ~log

# == a name that text may have bound
# %% a
import json
config = json.loads('{"rate": 2}')
# %% b
globals().update(config)
# %% c
print(rate)
#> a -> b: config
#> b -> c: ?rate
#> warning NB201 b

# == names by a loop over a dictionary
# %% a
tables = {"left": [1], "right": [2]}
# %% b
for name, table in tables.items():
    globals()[name] = table
# %% c
left.append(3)
# %% d
print(tables, left)
#> a -> b: tables
#> b -> c: ?left, ?tables
#> c -> d: ~left, ~tables
#> warning NB201 b

# == names are read by text
# %% a
alpha, beta = 1, 2
# %% b
print([globals()[name] for name in ["alpha", "beta"]])
# %% c
print(globals().get("alpha"), globals().get("gamma", 3))
#> a -> b: alpha, beta
#> a -> c: alpha
#> warning NB201 b

# == exec with a dictionary of its own
# %% a
x = 1
box = {}
# %% b
exec("x = 5\ny = 6", box)
# %% c
print(x, box["y"])
#> a -> b: box
#> a -> c: x
#> b -> c: ?box
#> warning NB201 b

# == a list of names in a comprehension's walrus under a condition
# %% a
seen = "before"
# %% b
if any((seen := v) > 1 for v in (1, 2, 3)):
    print("found")
# %% c
print(seen)
#> b -> c: seen

# == an import in a try of a function
# %% a
def load():
    try:
        import json as parser
    except ImportError:
        parser = None
    return parser
# %% b
parser = load()
# %% c
print(parser.dumps(1))
#> a -> b: load()
#> b -> c: parser

# == a star assignment of a generator
# %% a
data = [[1], [2], [3]]
# %% b
head, *tail = (row for row in data)
# %% c
tail[0].append(5)
# %% d
print(data, head)
#> a -> b: data
#> b -> c: head, tail, ~data
#> c -> d: ~data, ~head

# == a class made in a function holds its closure
# %% a
def make(items):
    class Bag:
        def put(self, x):
            items.append(x)
    return Bag()
data = [1]
bag = make(data)
# %% b
bag.put(2)
# %% c
print(data)
#> a -> b: bag, data
#> b -> c: ~data

# == two names of a number part
# %% a
n = 1
m = n
# %% b
n += 1
# %% c
print(n, m)
#> a -> b: n
#> a -> c: m
#> b -> c: n

# == a string is not changed in place
# %% a
text = "a"
same = text
# %% b
text += "b"
# %% c
print(text, same)
#> a -> b: text
#> a -> c: same
#> b -> c: text

# == a tuple grows into a new one
# %% a
pair = (1, 2)
same = pair
# %% b
pair += (3,)
# %% c
print(pair, same)
#> a -> b: pair
#> a -> c: same
#> b -> c: pair

# == a property of a subclass calls that of its base
# %% a
log = []
class Base:
    @property
    def name(self):
        log.append("base")
        return "b"
class Child(Base):
    @property
    def name(self):
        return super().name + "c"
child = Child()
# %% b
print(child.name)
# %% c
print(log)
#> a -> b: Child(), child, log
#> b -> c: ~log

# == a static method, a class method and a counter
# %% a
class Tool:
    used = 0
    @classmethod
    def make(cls):
        cls.used += 1
        return cls()
    @staticmethod
    def plain(x):
        return x * 2
# %% b
tool = Tool.make()
# %% c
print(Tool.plain(2))
# %% d
print(Tool.used)
#> a -> b: Tool()
#> b -> c: ~Tool()
#> b -> d: ~Tool()

# == a callable default that is a class
# %% a
class Store:
    def __init__(self):
        self.rows = []
def add(x, store=Store()):
    store.rows.append(x)
    return len(store.rows)
# %% b
add(1)
# %% c
print(add(2))
#> a -> b: Store(), add()
#> a -> c: Store()
#> b -> c: ~add()

# == an async generator and an async context of contextlib
# %% a
from contextlib import asynccontextmanager
log = []
@asynccontextmanager
async def opened(name):
    log.append(name)
    yield name.upper()
    log.append("closed")
# %% b
async with opened("x") as got:
    pass
# %% c
print(got, log)
#> a -> b: log, opened()
#> b -> c: got, ~log

# == a function that changes a mutable default of another
# %% a
def inner(x, seen=[]):
    seen.append(x)
    return seen
def outer(x):
    return inner(x)
# %% b
outer(1)
# %% c
print(inner(2))
#> a -> b: inner(), outer()
#> b -> c: ~inner()

# == an attribute set by a loop over literal names
# %% a
class Box:
    pass
box = Box()
# %% b
for name in ("x", "y"):
    setattr(box, name, [name])
# %% c
box.x.append(1)
# %% d
print(box.x, box.y)
#> a -> b: Box(), box
#> a -> c: Box()
#> a -> d: Box()
#> b -> c: ~box
#> c -> d: ~box

# == methods bound in a dictionary
# %% a
class Machine:
    def __init__(self):
        self.state = "off"
        self.table = {"on": self.turn_on}
    def turn_on(self):
        self.state = "on"
m = Machine()
# %% b
m.table["on"]()
# %% c
print(m.state)
#> a -> b: Machine(), m
#> a -> c: Machine()
#> b -> c: ~m

# == a comparison of objects that only reads
# %% a
class Item:
    def __init__(self, n):
        self.n = n
    def __lt__(self, other):
        return self.n < other.n
    def __repr__(self):
        return f"Item({self.n})"
items = [Item(2), Item(1)]
# %% b
print(sorted(items))
# %% c
print(max(items), items)
#> a -> b: Item(), items
#> a -> c: Item(), items

# == a cached function is called in two steps
# %% a
from functools import lru_cache
calls = []
@lru_cache
def slow(x):
    calls.append(x)
    return x
# %% b
print(slow(1))
# %% c
print(slow(1))
# %% d
print(calls)
#> a -> b: calls, slow()
#> b -> c: ~calls, ~slow()
#> c -> d: ~calls
# == a property with a setter that only gives a number
# %% a
class Acc:
    def __init__(self): self._v = 0; self.log = []
    @property
    def v(self): self.log.append("get"); return self._v
    @v.setter
    def v(self, x): self.log.append("set"); self._v = x
acc = Acc()
# %% b
y = acc.v
# %% c
acc.log.append(7)
# %% d
print(acc.log, acc._v, y)
#> a -> b: Acc(), acc
#> a -> c: Acc()
#> a -> d: Acc()
#> b -> c: ~acc
#> b -> d: y
#> c -> d: ~acc

# == a property made by a call
# %% a
class Box:
    def __init__(self):
        self.items = [1]
        self.log = []
    def get(self):
        self.log.append("get")
        return self.items
    def put(self, x):
        self.log.append("set")
        self.items = x
    things = property(get, put)
    size = staticmethod(len)
box = Box()
# %% b
box.things.append(2)
# %% c
box.things = [box.size("abc")]
# %% d
print(box.items, box.log)
#> a -> b: Box(), box
#> a -> c: Box()
#> a -> d: Box()
#> b -> c: ~box
#> c -> d: ~box

# == a property with a deleter
# %% a
class Box:
    def __init__(self):
        self.log = []
    @property
    def v(self):
        return 1
    @v.deleter
    def v(self):
        self.log.append("deleted")
box = Box()
# %% b
del box.v
# %% c
print(box.v, box.log)
#> a -> b: Box(), box
#> a -> c: Box()
#> b -> c: ~box
