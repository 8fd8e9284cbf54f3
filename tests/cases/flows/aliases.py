# == a list of lists by multiplication
# %% a
rows = [[0]] * 3
# %% b
rows[0].append(1)
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == a chained assignment
# %% a
x = y = []
# %% b
x.append(1)
# %% c
print(y)
#> a -> b: x, y
#> b -> c: ~y

# == a swap
# %% a
x, y = [1], [2]
# %% b
x, y = y, x
# %% c
x.append(3)
# %% d
print(x, y)
#> a -> b: x, y
#> b -> c: x
#> b -> d: y
#> c -> d: ~x

# == a kept bound method of a list
# %% a
x = []
add = x.append
# %% b
add(3)
# %% c
print(x)
#> a -> b: add, x
#> b -> c: ~x

# == a bound method made in a later step
# %% a
x = []
# %% b
add = x.append
# %% c
add(3)
# %% d
print(x)
#> a -> b: x
#> b -> c: add, ~x
#> c -> d: ~x

# == a default dict
# %% a
from collections import defaultdict
groups = defaultdict(list)
# %% b
groups["a"].append(1)
# %% c
print(dict(groups))
#> a -> b: groups
#> b -> c: ~groups

# == reading a missing key of a default dict adds it
# %% a
from collections import defaultdict
groups = defaultdict(list)
# %% b
first = groups["a"]
# %% c
print(dict(groups))
#> a -> b: groups
#> b -> c: ~groups

# == a slice of a list is a copy
# %% a
x = [1, 2, 3]
y = x[1:]
# %% b
y.append(4)
# %% c
print(x)
# %% d
print(y)
#> a -> b: y
#> a -> c: x
#> b -> d: ~y

# == a slice of lists shares the inner ones
# %% a
x = [[1], [2]]
y = x[:1]
# %% b
y[0].append(4)
# %% c
print(x)
#> a -> b: x, y
#> b -> c: ~x

# == a shallow and a deep copy
# %% a
import copy
x = {"k": [1]}
s = copy.copy(x)
d = copy.deepcopy(x)
# %% b
s["k"].append(2)
# %% c
d["k"].append(3)
# %% e
print(x, d)
#> a -> b: s, x
#> a -> c: d
#> b -> e: ~x
#> c -> e: ~d

# == a view of a dictionary's values
#! refused v: a view of a dictionary
# %% a
d = {"k": [1]}
v = d.values()
# %% b
d["m"] = [2]
# %% c
print(list(v))
#> a -> b: d, v
#> b -> c: ~v

# == a view of keys
#! refused k: a view of a dictionary
# %% a
d = {"k": 1}
k = d.keys()
# %% b
d["m"] = 2
# %% c
print(list(k))
#> a -> b: d
#> a -> c: k

# == fromkeys gives one value to all
# %% a
d = dict.fromkeys("ab", [])
# %% b
d["a"].append(1)
# %% c
print(d)
#> a -> b: d
#> b -> c: ~d

# == fromkeys shares a named list
# %% a
x = []
d = dict.fromkeys("ab", x)
# %% b
d["a"].append(1)
# %% c
print(x)
#> a -> b: d, x
#> b -> c: ~x

# == sorted is new, its elements are not
# %% a
x = [[2], [1]]
# %% b
y = sorted(x)
# %% c
y[0].append(9)
# %% d
print(x)
#> a -> b: x
#> b -> c: y, ~x
#> c -> d: ~x

# == sorted numbers
# %% a
x = [2, 1]
# %% b
y = sorted(x)
# %% c
x.append(3)
# %% d
print(y, x)
#> a -> b: x
#> a -> c: x
#> b -> d: y
#> c -> d: ~x

# == zip keeps elements
# %% a
x, y = [[1]], [[2]]
pairs = list(zip(x, y))
# %% b
pairs[0][1].append(3)
# %% c
print(y)
#> a -> b: pairs, y
#> b -> c: ~y

# == a dataclass holds a list
# %% [functions]
from dataclasses import dataclass, field
@dataclass
class Box:
    items: list = field(default_factory=list)
    def put(self, x):
        self.items.append(x)
# %% a
values = [1]
box = Box(values)
other = Box()
# %% b
box.put(2)
# %% c
other.items.append(5)
# %% d
print(values, other)
#> a -> b: box, values
#> a -> c: other
#> b -> d: ~values
#> c -> d: ~other

# == setdefault returns what is held
# %% a
d = {}
# %% b
x = d.setdefault("k", [])
# %% c
x.append(1)
# %% e
print(d)
#> a -> b: d
#> b -> c: x, ~d
#> c -> e: ~d

# == or-update of a dictionary and a set
# %% a
d = {"a": 1}
e = d
s = {1}
t = s
# %% b
d |= {"b": 2}
s |= {2}
# %% c
print(e, t)
#> a -> b: d, e, s, t
#> b -> c: ~e, ~t

# == a heap, a shuffle, a bisection
# %% a
import heapq, bisect, random
h, s, b = [], [1, 2, 3], [1, 5]
# %% one
heapq.heappush(h, 3)
# %% two
random.shuffle(s)
# %% three
bisect.insort(b, 2)
# %% four
print(h, s, b)
#> a -> one: h
#> a -> two: s
#> a -> three: b
#> one -> four: ~h
#> two -> four: ~s
#> three -> four: ~b

# == an iterator is advanced by next, zip, islice and in
# %% a
from itertools import islice
it = iter([1, 2, 3, 4, 5, 6, 7, 8])
# %% b
print(next(it))
# %% c
print(list(zip([1], it)))
# %% d
print(list(islice(it, 1)))
# %% e
print(5 in it)
# %% f
print(sum(it))
#> a -> b: it
#> b -> c: ~it
#> c -> d: ~it
#> d -> e: ~it
#> e -> f: ~it

# == unpacking and star use up an iterator
# %% a
it = iter(range(9))
# %% b
x, y, *_rest = [next(it), next(it), 1]
# %% c
first, *rest = it
# %% d
print(list(it), first)
#> a -> b: it
#> b -> c: ~it
#> c -> d: first, ~it

# == a map and a filter are lazy
# %% a
x = [1, 2, 3]
m = map(str, x)
f = filter(None, x)
# %% b
print(next(m), next(f))
# %% c
print(list(m), list(f))
#> a -> b: f, m
#> b -> c: ~f, ~m

# == a lazy map sees a later change of its list
# %% a
x = [1]
m = map(str, x)
# %% b
x.append(2)
# %% c
print(list(m))
#> a -> b: m, x
#> b -> c: ~m

# == a csv reader is advanced
# %% a
import csv, io
reader = csv.reader(io.StringIO("a,b\n1,2\n"))
# %% b
header = next(reader)
# %% c
rows = list(reader)
print(rows)
#> a -> b: reader
#> b -> c: ~reader
#> error NB209 a

# == an element of a nested container
# %% a
inner = {1}
x = {"k": [(inner, 2)]}
# %% b
x["k"][0][0].add(3)
# %% c
print(inner)
#> a -> b: inner, x
#> b -> c: ~inner

# == an object in a set
# %% [functions]
class Tag:
    def __init__(self):
        self.n = 0
# %% a
t = Tag()
s = {t}
# %% b
for one in s:
    one.n += 1
# %% c
print(t.n)
#> a -> b: s, t
#> b -> c: ~t

# == a closure holds a list
# %% [functions]
def counter():
    seen = []
    def count():
        seen.append(1)
        return len(seen)
    return count
# %% a
count = counter()
# %% b
count()
# %% c
print(count())
#> a -> b: count()
#> b -> c: ~count()

# == a closure in a step holds a named list
# %% a
log = []
def make(target):
    def put(x):
        target.append(x)
    return put
put = make(log)
# %% b
put(1)
# %% c
print(log)
#> a -> b: put(), log
#> b -> c: ~log

# == operator iadd and extended slices
# %% a
x = [1, 2, 3]
y = x
# %% b
x[:] = [9]
# %% c
y[::2] = [7]
# %% d
print(x)
#> a -> b: x, y
#> b -> c: ~x, ~y
#> c -> d: ~x

# == a tuple's list by augmented assignment
# %% a
x = [1]
t = (x,)
# %% b
y = t[0]
y += [2]
# %% c
print(x)
#> a -> b: t, x
#> b -> c: ~x

# == a deque and a Counter
# %% a
from collections import Counter, deque
q = deque([1], maxlen=2)
c = Counter("ab")
# %% b
q.appendleft(2)
q.rotate(1)
# %% d
c.update("b")
# %% e
print(q, c.most_common(1))
#> a -> b: q
#> a -> d: c
#> b -> e: ~q
#> d -> e: ~c

# == Counter and deque only read
# %% a
from collections import Counter, deque
c = Counter("ab")
# %% b
print(c.most_common(1), c["z"], sum(c.values()), c.total())
# %% d
print(c)
#> a -> b: c
#> a -> d: c

# == an ordered dict moved, a chain map written through
# %% a
from collections import ChainMap, OrderedDict
base = {"a": 1}
m = ChainMap({}, base)
o = OrderedDict(a=1, b=2)
# %% b
m.maps[1]["b"] = 2
# %% c
o.move_to_end("a")
# %% d
print(base, o)
#> a -> b: base, m
#> a -> c: o
#> b -> d: ~base
#> c -> d: ~o

# == a namedtuple holds a list
# %% a
from collections import namedtuple
P = namedtuple("P", "x y")
x = []
p = P(x, 1)
# %% b
p.x.append(1)
# %% c
print(x)
#> a -> b: p, x
#> b -> c: ~x

# == a simple namespace
# %% a
from types import SimpleNamespace
cfg = SimpleNamespace(n=1, items=[])
# %% b
cfg.items.append(1)
cfg.n = 2
# %% c
print(cfg)
#> a -> b: cfg
#> b -> c: ~cfg

# == two objects hold one list
# %% [functions]
class Node:
    def __init__(self, shared):
        self.shared = shared
# %% a
pool = []
one, two = Node(pool), Node(pool)
# %% b
one.shared.append(1)
# %% c
print(two.shared)
#> a -> b: one, two
#> b -> c: ~two

# == a loop variable is an alias
# %% a
rows = [[1], [2]]
for row in rows:
    pass
# %% b
row.append(3)
# %% c
print(rows)
#> a -> b: row, rows
#> b -> c: ~rows

# == a conditional alias
# %% a
x, y = [1], [2]
z = x if len(x) else y
# %% b
z.append(3)
# %% c
print(x, y)
#> a -> b: x, y, z
#> b -> c: ~x, ~y

# == or gives one of both
# %% a
x = []
y = x or [1]
# %% b
y.append(2)
# %% c
print(x, y)
#> a -> b: x, y
#> b -> c: ~x, ~y

# == memoryview writes to its base
# %% a
data = bytearray(b"abc")
# %% b
v = memoryview(data)
v[0] = 120
v.release()
# %% c
print(data)
#> a -> b: data
#> b -> c: ~data

# == functions in a dictionary share state
# %% a
state = {"n": 0}
def up():
    state["n"] += 1
ops = {"up": up}
# %% b
ops["up"]()
# %% c
print(state)
#> a -> b: ops, state
#> b -> c: ~state

# == random choice gives an element
# %% a
import random
x = [[1]]
# %% b
y = random.choice(x)
y.append(2)
# %% c
print(x)
#> a -> b: x
#> b -> c: ~x

# == max and min give an element
# %% a
x, y = [1], [2]
# %% b
m = max(x, y)
m.append(3)
# %% c
print(x, y)
#> a -> b: x, y
#> b -> c: ~x, ~y

# == max of numbers and a key
# %% a
scores = {"a": 1, "b": 2}
# %% b
best = max(scores, key=scores.get)
print(best)
# %% c
scores["c"] = 3
# %% d
print(scores, best)
#> a -> b: scores
#> a -> c: scores
#> b -> d: best
#> c -> d: ~scores

# == a dictionary merged keeps values
# %% a
d = {"k": [1]}
e = {**d, "m": 1}
f = d | {"n": 2}
# %% b
e["k"].append(2)
# %% c
print(d, f)
#> a -> b: d, e, f
#> b -> c: ~d, ~f

# == star unpacking keeps elements
# %% a
x = [[1], [2]]
y = [*x, [3]]
# %% b
y[0].append(2)
# %% c
print(x)
#> a -> b: x, y
#> b -> c: ~x

# == a nested comprehension keeps elements
# %% a
x = [[1], [2]]
y = [r for r in x if r]
z = [r[:] for r in x]
# %% b
y[0].append(2)
# %% c
z[0].append(5)
# %% d
print(x, z)
#> a -> b: x, y
#> a -> c: z
#> b -> d: ~x
#> c -> d: ~z

# == pop gives the element
# %% a
x = [[1], [2]]
y = x.pop()
# %% b
y.append(3)
# %% c
print(x)
#> a -> b: x, y
#> b -> c: ~x

# == enumerate and reversed hand over elements
# %% a
x = [[1], [2]]
# %% b
for i, r in enumerate(x):
    r.append(i)
# %% c
for r in reversed(x):
    r.append(0)
# %% d
print(x)
#> a -> b: x
#> b -> c: ~x
#> c -> d: ~x

# == a weak reference
# %% a
import weakref
class Thing:
    pass
t = Thing()
# %% b
r = weakref.ref(t)
r().n = 1
# %% c
print(t.n)
#> a -> b: t, Thing()
#> a -> c: Thing()
#> b -> c: ?t

# == reading a default dictionary may fill it
# %% a
from collections import defaultdict
seen = defaultdict(int)
# %% b
seen["x"]
# %% c
print(dict(seen))
#> a -> b: seen
#> b -> c: ?seen

# == what itertools and keywords hand on is the same object
# %% [imports]
import itertools
# %% a
x, y, z = [1], [2], [3]
# %% b
one = dict(key=x)["key"]
two = list(itertools.repeat(y, 2))[1]
three = list(itertools.combinations([z, [4]], 1))[0][0]
# %% c
one.append(1)
two.append(2)
three.append(3)
# %% d
print(x, y, z)
#> a -> b: x, y, z
#> b -> c: one, three, two, ~x, ~y, ~z
#> c -> d: ~x, ~y, ~z

# == what is written into by out is what is returned
# %% [imports]
import numpy as np
import torch
# %% a
a, t = np.zeros(3), torch.zeros(3)
# %% b
b = np.add(a, 1, out=a)
c = a.astype(float, copy=False)
raw = t.numpy()
# %% c
b[0] = 5
c[1] = 6
raw.fill(7)
# %% d
print(a, t)
#> a -> b: a, t
#> b -> c: b, c, raw, ~a, ~t
#> c -> d: ~a, ~t
