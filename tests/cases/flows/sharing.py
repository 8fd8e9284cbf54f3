# == a change in place is a new version
# %% a
x = [1]
# %% b
x.append(2)
# %% c
print(x)
#> a -> b: x
#> b -> c: ~x

# == two names of one list
# %% a
x = [1]
y = x
# %% b
x.append(2)
# %% c
print(y)
#> a -> b: x, y
#> b -> c: ~y

# == a change through a container
# %% a
x = [1]
pair = (x, [2])
# %% b
pair[0].append(3)
# %% c
print(x)
#> a -> b: pair, x
#> b -> c: ~x

# == a container made later ties what it holds
# %% a
x = [1]
z = [2]
# %% b
pair = (x, z)
# %% c
print(x, pair)
#> a -> b: x, z
#> b -> c: pair, ~x

# == a container of numbers ties nothing
# %% a
x = 1
# %% b
pair = (x, 2)
# %% c
print(x, pair)
#> a -> b: x
#> a -> c: x
#> b -> c: pair

# == what a step holds and nobody reads with it stays apart
# %% a
models = {"one": [1], "two": [2]}
# %% b
for name, model in models.items():
    print(name, len(model))
# %% c
for name, model in models.items():
    print(name, len(model))
#> a -> b: models
#> a -> c: models

# == subscripts and attributes are changes
# %% a
d = {}
# %% b
d["k"] = 1
# %% c
del d["k"]
# %% d
print(d)
#> a -> b: d
#> b -> c: ~d
#> c -> d: ~d

# == attributes of an object
# %% a
class Box:
    pass
box = Box()
# %% b
box.size = 3
# %% c
print(box.size)
#> a -> b: box, Box()
#> a -> c: Box()
#> b -> c: ~box

# == objects that hold each other
# %% a
class Node:
    def __init__(self, parent):
        self.parent = parent
        self.children = []
        if parent is not None:
            parent.children.append(self)
root = Node(None)
leaf = Node(root)
# %% b
leaf.parent.name = "root"
# %% c
print(root.name)
#> a -> b: leaf, root, Node()
#> a -> c: Node()
#> b -> c: ~root

# == a copy is not shared
# %% a
x = [1]
y = x.copy()
z = list(x)
# %% b
y.append(2)
# %% c
print(x, z)
#> a -> b: y
#> a -> c: x, z

# == a shallow copy shares its elements
# %% a
x = [[1]]
y = list(x)
# %% b
y[0].append(2)
# %% c
print(x)
#> a -> b: x, y
#> b -> c: ~x

# == a deep copy shares nothing
# %% a
import copy
x = [[1]]
y = copy.deepcopy(x)
# %% b
y[0].append(2)
# %% c
print(x)
#> a -> b: y
#> a -> c: x

# == an augmented list is changed in place
# %% a
x = [1]
y = x
# %% b
x += [2]
# %% c
print(y)
#> a -> b: x, y
#> b -> c: ~y

# == a sum of lists is new
# %% a
x = [1]
y = x
# %% b
x = x + [2]
# %% c
print(y)
#> a -> b: x
#> a -> c: y

# == a function changes its argument
# %% a
def add(items):
    items.append(1)
x = []
# %% b
add(x)
# %% c
print(x)
#> a -> b: add(), x
#> b -> c: ~x

# == a function returns its argument
# %% a
def same(items):
    return items
x = []
y = same(x)
# %% b
y.append(1)
# %% c
print(x)
#> a -> b: x, y
#> b -> c: ~x

# == a function changes a global
# %% a
log = []
def note(text):
    log.append(text)
# %% b
note("b")
# %% c
print(log)
#> a -> b: log, note()
#> b -> c: ~log

# == functions that call functions
# %% a
log = []
def note(text):
    log.append(text)
def twice(text):
    note(text)
    note(text)
# %% b
twice("b")
# %% c
print(log)
#> a -> b: log, note(), twice()
#> b -> c: ~log

# == a method changes its object
# %% a
class Counter:
    def __init__(self):
        self.n = 0
    def count(self):
        self.n += 1
c = Counter()
# %% b
c.count()
# %% c
print(c.n)
#> a -> b: c, Counter()
#> a -> c: Counter()
#> b -> c: ~c

# == a method that only reads changes nothing
# %% a
class Box:
    def __init__(self):
        self.items = [1]
    def total(self):
        return sum(self.items)
box = Box()
# %% b
print(box.total())
# %% c
print(box.total())
#> a -> b: box, Box()
#> a -> c: box, Box()

# == an inherited method
# %% a
class Base:
    def put(self, x):
        self.items.append(x)
class Child(Base):
    def __init__(self):
        self.items = []
c = Child()
# %% b
c.put(1)
# %% c
print(c.items)
#> a -> b: c, Child()
#> a -> c: Child()
#> b -> c: ~c

# == super calls the method of the base class
# %% a
class Base:
    def __init__(self, items):
        self.items = items
class Child(Base):
    def __init__(self, items):
        super().__init__(items)
x = []
c = Child(x)
# %% b
c.items.append(1)
# %% c
print(x)
#> a -> b: c, x, Child()
#> b -> c: ~x

# == a class attribute is state of the class
# %% [functions]
class Config:
    debug = False
# %% a
Config.debug = True
# %% b
print(Config.debug)
#> a -> b: ~Config()

# == a callable object
# %% a
class Adder:
    def __init__(self):
        self.seen = []
    def __call__(self, x):
        self.seen.append(x)
add = Adder()
# %% b
add(1)
# %% c
print(add.seen)
#> a -> b: add, Adder()
#> a -> c: Adder()
#> b -> c: ~add

# == a default argument keeps what it was given
# %% a
def add(x, seen=[]):
    seen.append(x)
    return seen
# %% b
add(1)
# %% c
print(add(2))
#> a -> b: add()
#> b -> c: ~add()

# == callbacks are called
# %% a
log = []
def note(x):
    log.append(x)
    return x
# %% b
values = list(map(note, [1, 2]))
# %% c
print(log)
#> a -> b: log, note()
#> b -> c: ~log

# == a key function reads a global
# %% a
weights = {"a": 2}
names = ["a"]
# %% b
ordered = sorted(names, key=lambda n: weights[n])
# %% c
print(ordered)
#> a -> b: names, weights
#> b -> c: ordered

# == a partial changes what it holds
# %% a
from functools import partial
log = []
def put(where, what):
    where.append(what)
note = partial(put, log)
# %% b
note(1)
# %% c
print(log)
#> a -> b: log, note
#> b -> c: ~log

# == a bound method is kept
# %% a
log = []
note = log.append
# %% b
note(1)
# %% c
print(log)
#> a -> b: log, note
#> b -> c: ~log

# == a closure holds what it was made with
# %% a
def recorder(target):
    def record(x):
        target.append(x)
    return record
log = []
record = recorder(log)
# %% b
record(1)
# %% c
print(log)
#> a -> b: log, record()
#> b -> c: ~log

# == a decorator of the notebook wraps
# %% a
calls = []
def traced(f):
    def wrapper(*args):
        calls.append(f.__name__)
        return f(*args)
    return wrapper
@traced
def work(x):
    return x
# %% b
work(1)
# %% c
print(calls)
#> a -> b: calls, work()
#> b -> c: ~calls

# == an iterator is used up
# %% a
numbers = iter([1, 2, 3])
# %% b
next(numbers)
# %% c
print(list(numbers))
#> a -> b: numbers
#> b -> c: ~numbers

# == unpacking an element of a list
# %% a
items = [[1], [2]]
first = items[0]
# %% b
first.append(3)
# %% c
print(items)
#> a -> b: first, items
#> b -> c: ~items

# == the elements of a loop are the list's
# %% a
items = [[1], [2]]
# %% b
for item in items:
    item.append(0)
# %% c
print(items)
#> a -> b: items
#> b -> c: ~items

# == in-place functions of the standard library
# %% a
import bisect
import heapq
import random
heap = [3, 1]
row = [1, 3]
deck = [1, 2]
# %% b
heapq.heapify(heap)
bisect.insort(row, 2)
# %% c
print(heap, row, deck)
#> a -> b: heap, row
#> a -> c: deck
#> b -> c: ~heap, ~row

# == reading a list changes nothing
# %% a
x = [3, 1]
# %% b
print(len(x), sum(x), sorted(x), max(x), x[0], x[1:], x.index(3), 1 in x, str(x))
# %% c
print(x)
#> a -> b: x
#> a -> c: x

# == an unknown call may change what it is given
# %% a
import strange
x = [1]
# %% b
strange.work(x)
# %% c
print(x)
#> a -> b: x
#> b -> c: ?x

# == an unknown call cannot change a number
# %% a
import strange
x = 1
# %% b
y = strange.work(x)
# %% c
print(x)
#> a -> b: x
#> a -> c: x

# == an unknown object's unknown method may change it
# %% a
import strange
thing = strange.Thing()
# %% b
thing.poke()
# %% c
print(thing)
#> a -> b: thing
#> b -> c: ?thing

# == a tuple of numbers is not changed
# %% a
import strange
x = (1, 2)
# %% b
strange.work(x)
# %% c
print(x)
#> a -> b: x
#> a -> c: x

# == a change in a branch is a change
# %% a
x = [1]
flag = False
# %% b
if flag:
    x.append(2)
# %% c
print(x)
#> a -> b: flag, x
#> b -> c: ~x

# == changed and bound anew
# %% a
x = [1]
y = x
# %% b
x.append(2)
x = []
# %% c
print(x, y)
#> a -> b: x, y
#> b -> c: x, ~y

# == a dictionary's items
# %% a
tables = {"a": [1], "b": [2]}
# %% b
for key, rows in tables.items():
    rows.append(0)
# %% c
print(tables)
#> a -> b: tables
#> b -> c: ~tables

# == only the element at a known key is shared
# %% a
d = {"a": [1], "b": [2]}
a = d["a"]
b = d["b"]
# %% b
a.append(3)
# %% c
print(b)
#> a -> b: a
#> a -> c: b

# == zip and enumerate hand over elements
# %% a
rows = [[1], [2]]
# %% b
for number, (row, name) in enumerate(zip(rows, "ab")):
    row.append(number)
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == setattr with a name is a change
# %% a
class Box:
    pass
box = Box()
# %% b
setattr(box, "size", 1)
# %% c
print(getattr(box, "size"))
#> a -> b: box, Box()
#> a -> c: Box()
#> b -> c: ~box

# == a notebook's context manager
# %% a
log = []
class Block:
    def __enter__(self):
        log.append("in")
        return self
    def __exit__(self, *args):
        log.append("out")
# %% b
with Block():
    pass
# %% c
print(log)
#> a -> b: log, Block()
#> b -> c: ~log

# == a property reads a global
# %% a
scale = 2
class Box:
    @property
    def area(self):
        return scale * 3
box = Box()
# %% b
print(box.area)
#> a -> b: box, scale, Box()

# == operators of the notebook's classes
# %% a
log = []
class Vector:
    def __add__(self, other):
        log.append("add")
        return Vector()
v = Vector()
# %% b
w = v + v
# %% c
print(log)
#> a -> b: log, v, Vector()
#> b -> c: ~log

# == an instance changes its class
# %% [functions]
class Counter:
    total = 0
    def hit(self):
        type(self).total += 1
        return self.total
    def miss(self):
        self.__class__.total -= 1
# %% a
one = Counter()
one.hit()
# %% b
two = Counter()
two.miss()
# %% c
print(Counter.total)
#> a -> b: ~Counter()
#> b -> c: ~Counter()

# == a cache of results is state of its function
# %% [imports]
import functools
from functools import lru_cache
# %% [functions]
@lru_cache(maxsize=None)
def slow(n):
    return n * 2
@functools.cache
def other(n):
    return n + 1
# %% a
slow(1)
# %% b
slow(1), other(2)
# %% c
slow.cache_clear()
# %% d
print(slow.cache_info(), other(2))
#> a -> b: ~slow()
#> b -> c: ~slow()
#> b -> d: ~other()
#> c -> d: ~slow()

# == a list made of an iterator uses it up
# %% a
numbers = iter([1, 2, 3])
plain = [1]
# %% b
print(list(numbers), list(plain), len(plain))
# %% c
print(list(numbers), plain)
#> a -> b: numbers, plain
#> a -> c: plain
#> b -> c: ~numbers

# == who only holds or shows an iterator does not advance it
# %% a
numbers = iter([1, 2, 3])
# %% b
print(numbers, isinstance(numbers, list))
# %% c
print(next(numbers))
#> a -> b: numbers
#> a -> c: numbers
