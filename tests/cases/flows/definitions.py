# == imports go where they are needed
# %% [imports]
import math
import json
from os import path as p
# %% a
x = math.pi
# %% b
print(json.dumps(x), p.sep)
#> a -> b: x
#> needs a: math
#> needs b: json, p

# == functions need what they read, transitively
# %% [functions]
import math
import json
def area(r):
    return math.pi * square(r)
def square(x):
    return x * x
def unused():
    return json.dumps({})
# %% a
print(area(2))
#> needs a: area, math, square

# == an import in a step is repeated by later steps
# %% a
import math
x = math.pi
# %% b
print(math.e)
#> needs a:
#> needs b: math

# == a function that reads a variable makes the caller use it
# %% [functions]
def scaled(x):
    return x * factor
# %% a
factor = 2
# %% b
print(scaled(1))
#> a -> b: factor
#> needs b: scaled

# == a default argument of a definition is read by who needs it
# %% setup [imports]
DEVICE = "cpu"
def f(x=DEVICE):
    return x
# %% a
print(f())
#> setup -> a: DEVICE
#> needs a: f

# == a function that is not called reads nothing
# %% [functions]
def show():
    print(total)
# %% a
total = 1
# %% b
other = show
#> needs b: show

# == what a cell binds before it calls is its own
# %% [functions]
def show():
    print(total)
# %% a
total = 1
show()
# %% b
total = 2
show()
#> nothing

# == code between definitions runs once
# %% setup [imports]
import numpy as np
np.random.seed(0)
history = []
# %% a
history.append(np.random.rand())
# %% b
print(history)
#> setup -> a: history, random numpy
#> a -> b: ~history

# == a class is needed by who is given its instance
# %% [functions]
import math
class Circle:
    def __init__(self, r):
        self.r = r
    def area(self):
        return math.pi * self.r ** 2
# %% a
c = Circle(1)
# %% b
print(c.area())
# %% c
print(c)
#> a -> b: c
#> a -> c: c
#> needs a: Circle, math
#> needs b: Circle, math
#> needs c: Circle, math

# == a base class is needed
# %% [functions]
class Base:
    pass
class Child(Base):
    pass
# %% a
c = Child()
#> needs a: Base, Child

# == a decorator is needed
# %% [functions]
import functools
def traced(f):
    @functools.wraps(f)
    def inner(*args):
        return f(*args)
    return inner
@traced
def work(x):
    return x
# %% a
print(work(1))
#> needs a: functools, traced, work

# == a function that is defined again
# %% one [functions]
def f():
    return 1
# %% a
print(f())
# %% two [functions]
def f():
    return g()
def g():
    return 2
# %% b
print(f())
#> needs a: f
#> needs b: f, g

# == a try that imports is one definition
# %% [imports]
try:
    import ujson as json
except ImportError:
    import json
# %% a
print(json.dumps(1))
#> needs a: json

# == a try that imports or binds None
# %% [imports]
try:
    import torch
except ImportError:
    torch = None
# %% a
print(torch is None)
#> needs a: torch

# == a function of a step is a value
# %% a
import math
def area(r):
    return math.pi * r
# %% b
print(area(2))
#> a -> b: area()
#> needs b: math

# == a variable over an import
# %% [imports]
import math
# %% a
math = 3
# %% b
print(math)
#> a -> b: math
#> needs b:

# == a future import holds for all later cells
# %% [imports]
from __future__ import annotations
# %% a
x = 1
#> needs a: annotations

# == a type annotation of a definition is needed
# %% [functions]
from typing import Optional
def f(x: Optional[int]) -> int:
    return 1
# %% a
f(None)
#> needs a: Optional, f

# == a definition that nobody has is missing
#! raises a: NameError: helper
# %% [functions]
def f():
    return helper()
# %% a
f()
#> warning NB203 functions

# == a function used above its cell
# %% a
print(f())
# %% [functions]
def f():
    return 1
#> error NB203 a

# == a constant in a definition cell is read by who calls
# %% setup [functions]
LIMIT = 3
def check(x):
    return x < LIMIT
# %% a
print(check(1))
#> setup -> a: LIMIT
#> needs a: check

# == a lambda in a definition cell is a value
# %% setup [functions]
double = lambda x: 2 * x
# %% a
print(double(1))
#> setup -> a: double()

# == a decorator that registers runs once
# %% setup [functions]
registry = {}
def register(f):
    registry[f.__name__] = f
    return f
def plain(f):
    return f
@register
def double(x):
    return 2 * x
@plain
def triple(x):
    return 3 * x
# %% a
print(registry, triple(2))
# %% b
@register
def quad(x):
    return 4 * x
# %% c
print(sorted(registry), double(1))
#> setup -> a: registry
#> setup -> b: registry
#> setup -> c: double()
#> b -> c: ~registry
#> needs a: plain, triple
#> needs b: register

# == a default argument is what it was as its function was made
# %% a
k, items = 1, [1]
# %% defs [functions]
def f(x=k, y=items, z=len(items)):
    return x, y, z
def plain(x=3):
    return x
# %% b
k = 2
items.append(2)
# %% c
print(f(), plain())
#> a -> defs: items, k
#> defs -> b: f(), ~items
#> b -> c: ~f()
#> needs c: plain

# == a constant of a definition cell is no reason to make a function once
# %% setup [imports]
LIMIT = 3
# %% [functions]
def f(x=LIMIT):
    return x
# %% a
print(f())
#> setup -> a: LIMIT
#> needs a: f
