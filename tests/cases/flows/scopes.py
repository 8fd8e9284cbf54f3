# == a set comprehension and a dictionary comprehension keep their names inside
# %% a
n, k = 10, 20
# %% b
s = {n % 3 for n in range(4)}
d = {k: k * 2 for k in range(2)}
# %% c
print(n, k, sorted(s), d)
#> a -> c: n, k
#> b -> c: s, d

# == a generator expression is followed where it is made
# %% a
k = 3
data = [1, 2]
# %% b
total = sum(v * k for v in data)
# %% c
print(total)
#> a -> b: k, data
#> b -> c: total

# == nested comprehensions read outer and inner names
# %% a
rows = [[1, 2], [3]]
row, v = "kept", "kept too"
# %% b
flat = [v for row in rows for v in row]
square = [[v * w for w in row] for row in rows for v in row[:1]]
# %% c
print(flat, square, row, v)
#> a -> b: rows
#> a -> c: row, v
#> b -> c: flat, square

# == the first source of a comprehension is read outside, of the same name
# %% a
x = [1, 2, 3]
# %% b
y = [x for x in x]
# %% c
print(x, y)
#> a -> b: x
#> a -> c: x
#> b -> c: y

# == a walrus in the condition of a comprehension binds outside
# %% a
data = [3, 4]
last = 0
# %% b
big = [v for v in data if (last := v) > 3]
# %% c
print(big, last)
#> a -> b: data, last
#> b -> c: big, last

# == a walrus in a comprehension of a function is the function's
# %% a
last = "outer"
def f(values):
    found = [(last := v) for v in values]
    return found, last
# %% b
print(f([1, 2]))
# %% c
print(last)
#> a -> b: f()
#> a -> c: last

# == a walrus under a global declaration binds the notebook's name
# %% a
last = "outer"
def f(values):
    global last
    return [(last := v) for v in values]
# %% b
f([1, 2])
# %% c
print(last)
#> a -> b: f(), last
#> b -> c: last

# == a comprehension that changes what it goes through
# %% a
rows = [[1], [2]]
# %% b
[row.append(0) for row in rows]
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == a comprehension in a class body does not see the names of the class
# %% a
size = 2
# %% b
class Box:
    size = 5
    cells = [size for _ in range(size)]
# %% c
print(Box.cells)
#> a -> b: size
#> b -> c: Box()

# == a class body reads a name before it binds it
# %% a
x = 1
# %% b
class Box:
    y = x
    x = 2
    z = x
# %% c
print(Box.x, Box.y, Box.z, x)
#> a -> b: x
#> a -> c: x
#> b -> c: Box()

# == a class body under global binds the notebook's name
# %% a
x = 1
# %% b
class Box:
    global x
    x = 5
# %% c
print(x)
#> b -> c: x

# == a class body does what it does at once
# %% a
log = []
# %% b
class Box:
    log.append("made")
    for i in range(2):
        log.append(i)
# %% c
print(log)
#> a -> b: log
#> b -> c: ~log

# == class attributes are read through the class
# %% a
class Config:
    rate = 0.1
    names = ["a"]
# %% b
Config.rate = 0.5
# %% c
Config.names.append("b")
# %% d
print(Config.rate, Config.names)
#> a -> b: Config()
#> b -> c: ~Config()
#> c -> d: ~Config()

# == a class in a class
# %% a
k = 1
class Outer:
    k = 2
    class Inner:
        seen = k
        def get(self):
            return k
# %% b
print(Outer.Inner.seen)
# %% c
k = 9
print(Outer.Inner().get())
#> a -> b: Outer()
#> a -> c: Outer()

# == a nested function reads the outer function's variable, not the notebook's
# %% a
x = "global"
def outer():
    x = "outer"
    def inner():
        return x
    return inner()
# %% b
print(outer())
# %% c
print(x)
#> a -> b: outer()
#> a -> c: x

# == a global declaration in a nested function passes the outer function by
# %% a
x = 1
def outer():
    x = 2
    def inner():
        global x
        x = 3
    inner()
    return x
# %% b
print(outer())
# %% c
print(x)
#> a -> b: outer()
#> b -> c: x

# == a global that an inner function declares is local to the outer one
# %% a
x = 1
def outer():
    def inner():
        global x
        x += 1
    inner()
    x_seen = x
    return x_seen
# %% b
print(outer())
# %% c
print(x)
#> a -> b: outer(), x
#> b -> c: x

# == nonlocal over two levels
# %% a
def make():
    n = 0
    def middle():
        def inner():
            nonlocal n
            n += 1
            return n
        return inner
    return middle()
tick = make()
# %% b
print(tick())
# %% c
print(tick())
#> a -> b: tick()
#> b -> c: ~tick()

# == two closures share a cell
# %% a
def make():
    n = 0
    def up():
        nonlocal n
        n += 1
    def show():
        return n
    return up, show
up, show = make()
# %% b
up()
# %% c
print(show())
#> a -> b: show(), up()
#> b -> c: ~show()

# == a closure over a list, which the caller changes
# %% a
def make(items):
    def count():
        return len(items)
    return count
data = [1]
count = make(data)
# %% b
data.append(2)
# %% c
print(count())
#> a -> b: data, count()
#> b -> c: ~count()

# == lambdas made in a loop read the loop's name late
# %% a
fs = [lambda: i for i in range(3)]
gs = []
for j in range(3):
    gs.append(lambda: j)
# %% b
j = 7
# %% c
print([f() for f in fs], [g() for g in gs])
#> a -> c: fs, gs
#> b -> c: j

# == a lambda's default is captured
# %% a
k = 1
f = lambda x, k=k: x + k
# %% b
k = 5
# %% c
print(f(1), k)
#> a -> c: f()
#> b -> c: k

# == a default argument shares its list
# %% a
base = [1]
def f(x, into=base):
    into.append(x)
    return into
# %% b
f(2)
# %% c
print(base)
#> a -> b: base, f()
#> b -> c: ~base

# == keyword-only defaults are evaluated at definition
# %% a
k = 1
# %% b
def f(*, x=k, y=[]):
    y.append(x)
    return y
# %% c
k = 2
print(f())
# %% d
print(f(), k)
#> a -> b: k
#> b -> c: f()
#> c -> d: k, ~f()

# == positional-only arguments
# %% a
k = 4
def f(a, b=k, /, c=1):
    return a + b + c
# %% b
k = 100
print(f(1), f(1, 2, c=3))
#> a -> b: f()

# == an argument of a global's name hides it
# %% a
k = 4
def f(k):
    k += 1
    return k
# %% b
print(f(1))
# %% c
print(k)
#> a -> b: f()
#> a -> c: k

# == a lambda's argument hides a global
# %% a
x = [3, 1]
key = lambda x: -x
# %% b
print(sorted([1, 2], key=key))
# %% c
print(x)
#> a -> b: key()
#> a -> c: x

# == an annotation of a variable is evaluated
# %% a
Kind = int
# %% b
x: Kind = 3
y: "Unknown" = 4
# %% c
print(x, y)
#> a -> b: Kind
#> b -> c: x, y

# == an annotation alone binds nothing
# %% a
x = 1
# %% b
x: int
# %% c
print(x)
#> a -> c: x

# == annotations of a function that change something
# %% a
seen = []
def note(kind):
    seen.append(kind)
    return kind
# %% b
def f(x: note("int")) -> note("str"):
    return x
# %% c
print(seen, f(1))
#> a -> b: note(), seen
#> b -> c: f(), ~seen

# == annotations of local variables are not evaluated
# %% a
Kind = int
def f():
    x: Kind = 1
    return x
# %% b
print(f())
# %% c
print(Kind)
#> a -> b: f()
#> a -> c: Kind

# == with a future import an annotation's names come along where they are there
# %% a
from __future__ import annotations
Kind = int
# %% b
def f(x: Kind) -> Kind:
    return x
# %% c
print(f(2), f.__annotations__)
#> a -> b: Kind
#> b -> c: f()

# == a dataclass reads its annotations and defaults
# %% a
from dataclasses import dataclass, field
WIDTH = 3
# %% b
@dataclass
class Box:
    width: int = WIDTH
    items: list = field(default_factory=list)
box = Box()
# %% c
box.items.append(1)
# %% d
print(box, WIDTH)
#> a -> b: WIDTH
#> a -> d: WIDTH
#> b -> c: Box(), box
#> b -> d: Box()
#> c -> d: ~box

# == a walrus in a while condition
# %% a
queue = [3, 2, 0, 5]
# %% b
while (item := queue.pop(0)):
    pass
# %% c
print(item, queue)
#> a -> b: queue
#> b -> c: item, ~queue

# == a walrus on one side of an or may not happen
# %% a
x, n = 1, 10
# %% b
if x > 0 or (n := 5):
    pass
# %% c
print(n)
#> a -> b: x, n
#> b -> c: n

# == a walrus in arguments, an f-string and a subscript
# %% a
data = [5, 6, 7]
# %% b
print((i := 1), f"{(j := 2)}", data[(k := 0)])
# %% c
print(i, j, k)
#> a -> b: data
#> b -> c: i, j, k

# == match binds stars, mappings and classes
# %% a
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y):
        self.x, self.y = x, y
things = [Point(1, 2), {"k": 3, "m": 4}, [5, 6, 7]]
# %% b
for thing in things:
    match thing:
        case Point(px, y=py):
            pass
        case {"k": value, **others}:
            pass
        case [head, *tail]:
            pass
# %% c
print(px, py, value, others, head, tail)
#> a -> b: things, Point()
#> b -> c: px, py, value, others, head, tail

# == match with alternatives, values, guards and as
# %% a
class Color:
    RED = 1
limit = 3
command = ("go", 5)
# %% b
match command:
    case ("stop" | "halt", _):
        what = "stop"
    case ("go", Color.RED):
        what = "red"
    case ("go", n) as whole if n > limit:
        what = "far"
    case _:
        what = "near"
# %% c
print(what, n)
#> a -> b: command, limit, Color()
#> b -> c: what, n

# == a match may take none of its cases
# %% a
x, command = 1, "none"
# %% b
match command:
    case "go":
        x = 2
# %% c
print(x)
#> a -> b: command, x
#> b -> c: x

# == what a match captures is the object itself
# %% a
rows = {"first": [1]}
# %% b
match rows:
    case {"first": found}:
        found.append(2)
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == the name of an exception is gone after its handler
# %% a
error = "kept?"
# %% b
try:
    int("x")
except ValueError as error:
    pass
# %% c
try:
    print(error)
except NameError:
    print("gone")
#> a -> b: error
#> b -> c: error

# == the name of an exception is gone where it surely was caught or not
# %% a
try:
    raise ValueError("x")
except ValueError as problem:
    told = problem.args
# %% b
print(told)
#> a -> b: told

# == else and finally of a try
# %% a
log = []
x = 0
# %% b
try:
    y = 1
except ValueError:
    y = 2
else:
    x = y
finally:
    log.append(x)
# %% c
print(x, y, log)
#> a -> b: log, x
#> b -> c: x, y, ~log

# == several context managers of functions
# %% a
from contextlib import contextmanager
log = []
@contextmanager
def opened(name):
    log.append(f"open {name}")
    yield [name]
    log.append(f"close {name}")
# %% b
with opened("x") as x, opened("y") as y:
    x.append(1)
# %% c
print(log, x, y)
#> a -> b: log, opened()
#> b -> c: x, y, ~log

# == a context manager that is a class changes a global
# %% a
depth = 0
class Deeper:
    def __enter__(self):
        global depth
        depth += 1
        return self
    def __exit__(self, *more):
        global depth
        depth -= 1
# %% b
with Deeper() as deep:
    inside = depth
# %% c
print(depth, inside)
#> a -> b: depth, Deeper()
#> b -> c: depth, inside

# == for and else, while and else
# %% a
data = [1, 2]
found = done = None
# %% b
for v in data:
    if v > 5:
        found = v
        break
else:
    found = "none"
n = 2
while n:
    n -= 1
else:
    done = True
# %% c
print(found, done, n, v)
#> a -> b: data
#> b -> c: found, done, n, v

# == a loop that breaks before it binds
# %% a
x = 1
# %% b
for i in range(3):
    if i == 0:
        break
    x = i
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == a loop that goes on before it binds
# %% a
x = 1
# %% b
for i in [1, 2]:
    if i < 5:
        continue
    x = i
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == a while True that breaks before it binds
# %% a
x = 1
# %% b
while True:
    break
    x = 2
# %% c
print(x)
#> a -> c: x

# == a while True that may break before it binds
# %% a
x, stop = 1, True
# %% b
while True:
    if stop:
        break
    x = 2
    stop = True
# %% c
print(x)
#> a -> b: stop, x
#> b -> c: x

# == a function that returns before it binds a global
# %% a
x, early = 1, True
def put():
    global x
    if early:
        return
    x = 2
# %% b
put()
# %% c
print(x)
#> a -> b: early, put(), x
#> b -> c: x

# == a loop that reads what an earlier round bound
# %% a
previous = 0
# %% b
for v in [1, 2, 3]:
    print(previous)
    previous = v
# %% c
print(previous)
#> a -> b: previous
#> b -> c: previous

# == a conditional definition leaves the old one on the other path
# %% a
def f():
    return "old"
flag = False
# %% b
if flag:
    def f():
        return "new"
# %% c
print(f())
#> a -> b: f(), flag
#> b -> c: f()

# == a definition in a try
# %% a
def f():
    return "old"
# %% b
try:
    raise ImportError
    def f():
        return "new"
except ImportError:
    pass
# %% c
print(f())
#> a -> c: f()

# == a function is defined with an if and else
# %% a
fast = True
# %% b
if fast:
    def area(x):
        return x * x
else:
    def area(x):
        return sum(x for _ in range(x))
# %% c
print(area(3))
#> a -> b: fast
#> b -> c: area()

# == a name is deleted under a condition
# %% a
x, flag = 1, False
# %% b
if flag:
    del x
# %% c
print(x)
#> a -> b: x, flag
#> b -> c: x

# == several names are deleted, and one bound again
# %% a
x, y, z = 1, 2, 3
# %% b
del x, (y, z)
x = 5
# %% c
print(x)
#> a -> b: x, y, z
#> b -> c: x

# == a name is deleted by a function
# %% a
x = 1
def drop():
    global x
    del x
# %% b
drop()
# %% c
try:
    print(x)
except NameError:
    print("gone")
#> a -> b: drop(), x

# == a builtin that is shadowed and given back
# %% a
list = [1, 2]
# %% b
print(list)
del list
# %% c
print(list("ab"))
#> a -> b: list

# == a builtin that is shadowed by a function
# %% a
def sum(values):
    return "mine"
# %% b
print(sum([1]))
# %% c
del sum
print(sum([1]))
#> a -> b: sum()
#> a -> c: sum()

# == a builtin is shadowed in the step that used it
# %% a
data = [1, 2]
# %% b
sum = sum(data)
# %% c
print(sum)
#> a -> b: data
#> b -> c: sum

# == names that several steps use for other things
# %% a
data = [1, 2]
i = 0
# %% b
tmp = sorted(data)
for i in tmp:
    pass
x = tmp[0]
# %% c
tmp = {"k": data}
i = "text"
y = tmp["k"]
# %% d
tmp = lambda: 5
print(x, y, tmp())
#> a -> b: data
#> a -> c: data
#> b -> d: x
#> c -> d: y

# == non-ASCII names are one when they are normalized
# %% a
ﬁne = 1
ªb = [2]
# %% b
print(fine)
ab.append(3)
# %% c
print(ªb, "ﬁne" in globals(), "fine" in globals())
#> a -> b: fine, ab
#> b -> c: ~ab
#> a -> c: fine

# == names of other alphabets
# %% a
имя = "n"
变量 = [1]
Ω = lambda x: x + len(变量)
# %% b
变量.append(2)
# %% c
print(имя, Ω(1))
#> a -> b: 变量
#> a -> c: имя, Ω()
#> b -> c: ~变量

# == names with underscores
# %% a
_x, __y, _ = 1, 2, 3
def _f():
    return __y
# %% b
print(_x, __y, _f())
#> a -> b: _x, __y, _f()

# == a name with two underscores in a class is the class's own
# %% a
__k = "outer"
_Box__k = "mangled"
class Box:
    def get(self):
        return __k
# %% b
print(Box().get())
# %% c
print(__k)
#> a -> b: Box(), _Box__k
#> a -> c: __k

# == private attributes
# %% a
class Box:
    def __init__(self):
        self.__items = []
    def put(self, x):
        self.__items.append(x)
    def show(self):
        return self.__items
box = Box()
# %% b
box.put(1)
# %% c
print(box.show(), box._Box__items)
#> a -> b: Box(), box
#> a -> c: Box()
#> b -> c: ~box

# == imports in a function stay there
# %% a
math = "kept"
def area(r):
    import math
    return math.pi * r
# %% b
print(area(1) > 3)
# %% c
print(math)
#> a -> b: area()
#> a -> c: math

# == a function imports into the notebook
# %% a
def load():
    global math
    import math
# %% b
load()
# %% c
print(math.floor(1.5))
#> a -> b: load()
#> b -> c: math

# == a conditional import, and one of two modules
# %% a
import sys
if sys.version_info > (3, 0):
    import json
else:
    import simplejson as json
# %% b
print(json.dumps([1]))
#> needs b: json, sys

# == dotted imports of one package
# %% a
import os.path as p
import xml.dom
import xml.dom.minidom
# %% b
print(p.join("a", "b"), xml.dom.minidom.__name__)
#> needs b: p, xml

# == an import again in another step
# %% a
import math
x = math.floor(2.5)
# %% b
import math
import math as m
print(math.floor(x), m.ceil(1.2))
# %% c
print(m.ceil(x))
#> a -> b: x
#> a -> c: x
#> needs c: m

# == a name of an import is bound again by a step
# %% a
from math import floor
print(floor(1.5))
# %% b
floor = lambda x: "mine"
# %% c
print(floor(1.5))
#> b -> c: floor()

# == an import over a variable
# %% a
json = "text"
# %% b
print(json)
import json
# %% c
print(json.dumps(1))
#> a -> b: json
#> needs c: json
