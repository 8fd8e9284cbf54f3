# == a method reads a global
# %% a
k = 1
class Scaler:
    def scale(self, x):
        return x * k
s = Scaler()
# %% b
k = 5
# %% c
print(s.scale(2))
#> a -> c: Scaler(), s
#> b -> c: k

# == a property that caches what it computes
# %% a
class Lazy:
    def __init__(self):
        self._v = None
    @property
    def v(self):
        if self._v is None:
            self._v = [1]
        return self._v
lazy = Lazy()
# %% b
print(lazy.v)
# %% c
lazy.v.append(2)
# %% d
print(lazy._v)
#> a -> b: Lazy(), lazy
#> a -> c: Lazy()
#> a -> d: Lazy()
#> b -> c: ~lazy
#> c -> d: ~lazy

# == a property with a setter
# %% a
class Box:
    def __init__(self):
        self._v = 0
        self.log = []
    @property
    def v(self):
        return self._v
    @v.setter
    def v(self, x):
        self.log.append(x)
        self._v = x
box = Box()
# %% b
box.v = 5
# %% c
box.v += 1
# %% d
print(box.v, box.log)
#> a -> b: Box(), box
#> a -> c: Box()
#> a -> d: Box()
#> b -> c: ~box
#> c -> d: ~box

# == a property only reads
# %% a
class Box:
    def __init__(self):
        self.items = [1]
    @property
    def size(self):
        return len(self.items)
box = Box()
# %% b
print(box.size)
# %% c
print(box.size)
#> a -> b: Box(), box
#> a -> c: Box(), box

# == calling an object changes a global
# %% a
log = []
class Logger:
    def __call__(self, x):
        log.append(x)
logger = Logger()
# %% b
logger(1)
# %% c
print(log)
#> a -> b: Logger(), log, logger
#> b -> c: ~log

# == getting an item changes a global
# %% a
hits = []
class Table:
    def __getitem__(self, key):
        hits.append(key)
        return key
table = Table()
# %% b
print(table["k"])
# %% c
print(hits)
#> a -> b: Table(), hits, table
#> b -> c: ~hits

# == a loop over the notebook's own iterable
# %% a
started = []
class Numbers:
    def __iter__(self):
        started.append(1)
        return iter([1, 2])
numbers = Numbers()
# %% b
for n in numbers:
    pass
print(list(numbers), sum(numbers))
# %% c
print(n, started)
#> a -> b: Numbers(), numbers, started
#> b -> c: n, ~started

# == an own iterator is used up
# %% a
class Count:
    def __init__(self):
        self.n = 0
    def __iter__(self):
        return self
    def __next__(self):
        self.n += 1
        if self.n > 3:
            raise StopIteration
        return self.n
count = Count()
# %% b
print(next(count))
# %% c
print(list(count))
# %% d
print(count.n)
#> a -> b: Count(), count
#> a -> c: Count()
#> a -> d: Count()
#> b -> c: ~count
#> c -> d: ~count

# == in-place operators of the notebook's classes
# %% a
class Bag:
    def __init__(self):
        self.items = []
    def __iadd__(self, x):
        self.items.append(x)
        return self
    def __lshift__(self, x):
        self.items.append(x)
        return self
bag = Bag()
other = bag
# %% b
bag += 1
# %% c
other << 2 << 3
# %% d
print(bag.items, bag is other)
#> a -> b: Bag(), bag, other
#> a -> c: Bag()
#> a -> d: Bag()
#> b -> c: ~other, bag
#> c -> d: ~bag, ~other

# == an operator that makes a new object
# %% a
class Vector:
    def __init__(self, x):
        self.x = x
    def __add__(self, other):
        return Vector(self.x + other.x)
    def __eq__(self, other):
        return self.x == other.x
    def __hash__(self):
        return hash(self.x)
v, w = Vector(1), Vector(2)
# %% b
u = v + w
# %% c
print(u.x, v == w, v.x)
#> a -> b: Vector(), v, w
#> a -> c: Vector(), v, w
#> b -> c: u

# == an instance of a step's class holds another
# %% a
class Node:
    def __init__(self, value, next=None):
        self.value, self.next = value, next
tail = Node([2])
head = Node([1], tail)
# %% b
tail.value.append(3)
# %% c
print(head.next.value)
#> a -> b: Node(), head, tail
#> a -> c: Node()
#> b -> c: ~head

# == setattr of the class is called
# %% a
log = []
class Watched:
    def __setattr__(self, name, value):
        log.append(name)
        object.__setattr__(self, name, value)
w = Watched()
# %% b
w.x = 1
# %% c
print(log, w.x)
#> a -> b: Watched(), log, w
#> a -> c: Watched()
#> b -> c: ~log, ~w

# == getattr of the class is called
# %% a
asked = []
class Any:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        asked.append(name)
        return name.upper()
thing = Any()
# %% b
print(thing.colour)
# %% c
print(asked)
#> a -> b: Any(), asked, thing
#> b -> c: ~asked

# == length, truth, text and containment of the notebook's classes
# %% a
log = []
class Box:
    def __len__(self):
        log.append("len")
        return 1
    def __contains__(self, x):
        log.append("in")
        return True
    def __repr__(self):
        log.append("repr")
        return "Box"
    def __hash__(self):
        log.append("hash")
        return 1
box = Box()
# %% b
print(len(box), 3 in box, hash(box))
# %% c
print(f"{box}")
if box:
    pass
# %% d
print(log)
#> a -> b: Box(), box, log
#> a -> c: Box(), box
#> b -> c: ~log
#> c -> d: ~log

# == a method of the base class changes the object
# %% a
class Base:
    def __init__(self):
        self.items = []
    def put(self, x):
        self.items.append(x)
class Child(Base):
    def put(self, x):
        super().put(x * 2)
child = Child()
# %% b
child.put(1)
# %% c
print(child.items)
#> a -> b: Child(), child
#> a -> c: Child()
#> b -> c: ~child

# == super in a constructor, with several bases
# %% a
made = []
class A:
    def __init__(self):
        made.append("A")
        super().__init__()
class B:
    def __init__(self):
        made.append("B")
        super().__init__()
class C(A, B):
    def __init__(self):
        super().__init__()
# %% b
c = C()
# %% c
print(made)
#> a -> b: C(), made
#> b -> c: ~made

# == an attribute of the class is counted by its instances
# %% a
class Item:
    count = 0
    def __init__(self):
        Item.count += 1
# %% b
x = Item()
# %% c
y = Item()
# %% d
print(Item.count)
#> a -> b: Item()
#> b -> c: ~Item()
#> c -> d: ~Item()

# == a class attribute is changed by a classmethod
# %% a
class Registry:
    items = {}
    @classmethod
    def add(cls, name):
        cls.items[name] = len(cls.items)
    @staticmethod
    def names():
        return sorted(Registry.items)
# %% b
Registry.add("x")
# %% c
print(Registry.names())
#> a -> b: Registry()
#> b -> c: ~Registry()

# == a list of the class is shared by its instances
# %% a
class Box:
    items = []
one, two = Box(), Box()
# %% b
one.items.append(1)
# %% c
print(two.items, Box.items)
#> a -> b: Box(), one, two
#> b -> c: ~Box(), ~two

# == an attribute of an instance hides that of the class
# %% a
class Box:
    size = 1
one, two = Box(), Box()
# %% b
one.size = 5
# %% c
print(one.size, two.size, Box.size)
#> a -> b: Box(), one
#> a -> c: Box(), two
#> b -> c: ~one

# == subclasses that register themselves
# %% a
kinds = []
class Base:
    def __init_subclass__(cls, **more):
        kinds.append(cls.__name__)
# %% b
class Child(Base):
    pass
# %% c
print(kinds)
#> a -> b: Base(), kinds
#> b -> c: ~kinds

# == a metaclass registers classes
# %% a
kinds = []
class Meta(type):
    def __new__(meta, name, bases, body):
        kinds.append(name)
        return super().__new__(meta, name, bases, body)
# %% b
class Thing(metaclass=Meta):
    pass
# %% c
print(kinds)
#> a -> b: Meta(), kinds
#> b -> c: ~kinds

# == a descriptor changes a global
# %% a
log = []
class Field:
    def __get__(self, thing, kind=None):
        log.append("get")
        return 1
    def __set__(self, thing, value):
        log.append("set")
class Box:
    field = Field()
box = Box()
# %% b
box.field = 2
# %% c
print(box.field)
# %% d
print(log)
#> a -> b: Box(), Field(), box, log
#> a -> c: Box(), Field()
#> b -> c: ~box, ~log
#> c -> d: ~log

# == a method is replaced in the class
# %% a
class Box:
    def get(self):
        return "old"
box = Box()
# %% b
Box.get = lambda self: "new"
# %% c
print(box.get())
#> a -> b: Box(), box
#> b -> c: ~Box(), ~box

# == a method is replaced in one object
# %% a
class Box:
    def get(self):
        return "class"
box = Box()
log = []
# %% b
box.get = lambda: log.append("own")
# %% c
box.get()
# %% d
print(log)
#> a -> b: Box(), box
#> a -> c: Box(), log
#> b -> c: ~box
#> c -> d: ~log

# == a method is wrapped
# %% a
calls = []
class Box:
    def get(self):
        return 1
# %% b
old = Box.get
def wrapped(self):
    calls.append("get")
    return old(self)
Box.get = wrapped
# %% c
print(Box().get())
# %% d
print(calls)
#> a -> b: Box()
#> a -> c: calls
#> b -> c: ~Box(), old()
#> c -> d: ~calls

# == a class is defined again while an instance lives
# %% a
class Box:
    def get(self):
        return "old"
box = Box()
# %% b
class Box:
    def get(self):
        return "new"
# %% c
print(Box().get())
#> b -> c: Box()

# == an instance's class is defined again in the same step
# %% a
class Box:
    def get(self):
        return "old"
box = Box()
class Box:
    def get(self):
        return "new"
box = Box()
# %% b
print(box.get())
#> a -> b: Box(), box

# == a class is made by type
# %% a
log = []
Made = type("Made", (), {"put": lambda self, x: log.append(x)})
# %% b
Made().put(1)
# %% c
print(log)
#> a -> b: Made(), log
#> b -> c: ~log

# == a subclass made by type
# %% a
class Base:
    def put(self):
        self.items = [1]
        return self
# %% b
Child = type("Child", (Base,), {})
thing = Child().put()
# %% c
print(thing.items, Base.__name__)
#> a -> b: Base()
#> a -> c: Base()
#> b -> c: thing, Child()

# == a named tuple and an enumeration
# %% a
from collections import namedtuple
from enum import Enum
Point = namedtuple("Point", "x y")
class Color(Enum):
    RED = 1
p = Point([1], Color.RED)
# %% b
p.x.append(2)
# %% c
print(p.x, p.y is Color.RED)
#> a -> b: p
#> a -> c: Color()
#> b -> c: ~p

# == instances of a dataclass do not share what a factory makes
# %% a
from dataclasses import dataclass, field
@dataclass
class Box:
    size: int = 1
    items: list = field(default_factory=list)
one, two = Box(), Box(2)
# %% b
one.items.append(1)
# %% c
two.items.append(2)
# %% d
print(one, two)
#> a -> b: Box(), one
#> a -> c: Box(), two
#> a -> d: Box()
#> b -> d: ~one
#> c -> d: ~two

# == dataclasses.replace shares what it does not replace
# %% a
from dataclasses import dataclass, replace
@dataclass(frozen=True)
class Config:
    name: str
    layers: list
one = Config("a", [1])
two = replace(one, name="b")
# %% b
two.layers.append(2)
# %% c
print(one)
#> a -> b: Config(), one, two
#> a -> c: Config()
#> b -> c: ~one

# == a dataclass with a method that changes
# %% a
from dataclasses import dataclass
@dataclass
class Tally:
    n: int = 0
    def add(self, by=1):
        self.n += by
        return self
t = Tally()
# %% b
t.add().add(2)
# %% c
print(t)
#> a -> b: Tally(), t
#> a -> c: Tally()
#> b -> c: ~t

# == an abstract base class
# %% a
from abc import ABC, abstractmethod
class Shape(ABC):
    @abstractmethod
    def area(self): ...
class Square(Shape):
    def __init__(self, a):
        self.a = a
    def area(self):
        return self.a ** 2
shapes = [Square(2), Square(3)]
# %% b
print(sum(s.area() for s in shapes))
#> a -> b: Square(), shapes

# == an object keeps a list that has another name
# %% a
data = [1]
class Holder:
    def __init__(self, values):
        self.values = values
h = Holder(data)
# %% b
data.append(2)
# %% c
print(h.values)
#> a -> b: Holder(), data, h
#> a -> c: Holder()
#> b -> c: ~h

# == an object gives out what it holds
# %% a
class Holder:
    def __init__(self):
        self.values = [1]
    def get(self):
        return self.values
h = Holder()
mine = h.get()
# %% b
mine.append(2)
# %% c
print(h.values)
#> a -> b: Holder(), h, mine
#> a -> c: Holder()
#> b -> c: ~h

# == a chain of methods that return self
# %% a
class Query:
    def __init__(self):
        self.parts = []
    def where(self, x):
        self.parts.append(x)
        return self
q = Query()
# %% b
q.where(1).where(2)
# %% c
print(q.parts)
#> a -> b: Query(), q
#> a -> c: Query()
#> b -> c: ~q

# == a method that only reads
# %% a
class Table:
    def __init__(self, rows):
        self.rows = rows
    def total(self):
        return sum(self.rows)
t = Table([1, 2])
# %% b
print(t.total())
# %% c
print(t.total())
#> a -> b: Table(), t
#> a -> c: Table(), t

# == slots
# %% a
class Point:
    __slots__ = ("x",)
    def __init__(self, x):
        self.x = x
p = Point([1])
# %% b
p.x.append(2)
# %% c
print(p.x)
#> a -> b: Point(), p
#> a -> c: Point()
#> b -> c: ~p

# == an exception class of the notebook
# %% a
class Trouble(Exception):
    def __init__(self, rows):
        self.rows = rows
def fail():
    raise Trouble([1])
# %% b
try:
    fail()
except Trouble as trouble:
    rows = trouble.rows
# %% c
print(rows)
#> a -> b: Trouble(), fail()
#> b -> c: rows

# == the attributes of an object are updated by their dictionary
# %% a
class Box:
    pass
box = Box()
# %% b
box.__dict__.update(x=1)
# %% c
vars(box)["y"] = 2
# %% d
print(box.x, box.y)
#> a -> b: Box(), box
#> a -> c: Box()
#> a -> d: Box()
#> b -> c: ~box
#> c -> d: ~box

# == an attribute of an object is deleted
# %% a
class Box:
    def __init__(self):
        self.x = 1
box = Box()
# %% b
del box.x
# %% c
print(hasattr(box, "x"))
#> a -> b: Box(), box
#> a -> c: Box()
#> b -> c: ~box

# == a list subclass
# %% a
class Stack(list):
    def push(self, x):
        self.append(x)
        return self
s = Stack([1])
# %% b
s.push(2)
# %% c
s.sort(reverse=True)
# %% d
print(s, len(s))
#> a -> b: Stack(), s
#> a -> c: Stack()
#> a -> d: Stack()
#> b -> c: ~s
#> c -> d: ~s

# == a dictionary subclass with a missing method
# %% a
made = []
class Table(dict):
    def __missing__(self, key):
        made.append(key)
        self[key] = []
        return self[key]
t = Table()
# %% b
t["k"].append(1)
# %% c
print(t, made)
#> a -> b: Table(), made, t
#> a -> c: Table()
#> b -> c: ~made, ~t

# == a SimpleNamespace is changed
# %% a
from types import SimpleNamespace
state = SimpleNamespace(n=0, rows=[])
# %% b
state.n += 1
state.rows.append(state.n)
# %% c
print(state)
#> a -> b: state
#> b -> c: ~state

# == comparing by less-than while sorting
# %% a
log = []
class Card:
    def __init__(self, n):
        self.n = n
    def __lt__(self, other):
        log.append(self.n)
        return self.n < other.n
cards = [Card(2), Card(1)]
# %% b
print([card.n for card in sorted(cards)])
# %% c
print(len(log) > 0)
#> a -> b: Card(), cards, log
#> b -> c: ~log

# == a context manager keeps its result
# %% a
class Timer:
    def __enter__(self):
        self.rows = []
        return self
    def __exit__(self, *more):
        self.rows.append("end")
timer = Timer()
# %% b
with timer as t:
    t.rows.append("in")
# %% c
print(timer.rows)
#> a -> b: Timer(), timer
#> a -> c: Timer()
#> b -> c: ~timer

# == a decorated method
# %% a
log = []
def logged(f):
    def inner(self, *args):
        log.append(f.__name__)
        return f(self, *args)
    return inner
class Box:
    @logged
    def put(self, x):
        self.x = x
box = Box()
# %% b
box.put([1])
# %% c
print(box.x, log)
#> a -> b: Box(), box, log
#> a -> c: Box()
#> b -> c: ~box, ~log

# == a class decorator that adds a method
# %% a
log = []
def with_put(kind):
    kind.put = lambda self, x: log.append(x)
    return kind
# %% b
@with_put
class Box:
    pass
# %% c
Box().put(1)
# %% d
print(log)
#> a -> b: with_put()
#> a -> c: log
#> b -> c: Box()
#> c -> d: ~log

# == a cached property keeps what it made
# %% a
from functools import cached_property
log = []
class Box:
    @cached_property
    def value(self):
        log.append("made")
        return [1]
box = Box()
# %% b
box.value.append(2)
# %% c
print(box.value, log)
#> a -> b: Box(), box, log
#> a -> c: Box()
#> b -> c: ~box, ~log

# == a class that is registered with an abstract one
# %% a
from abc import ABC
class Shape(ABC):
    pass
class Square:
    pass
square = Square()
# %% b
Shape.register(Square)
# %% c
print(isinstance(square, Shape))
#> a -> b: Shape(), Square()
#> a -> c: Square(), square
#> b -> c: ~Shape()
