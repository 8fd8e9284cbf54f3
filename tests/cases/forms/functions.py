# == a step of plain names is a function, and its imports stand on top
# %% a
import numpy as np
from os import path, sep as separator
x = np.zeros(3)
# %% b
y = x + 1
print(y, separator)
#> a: function
#> a imports: import numpy as np
#> b: function
#> b imports: from os import sep as separator
#> definitions:

# == functions and classes of definition cells stand in definitions, with the imports that they read
# %% [functions]
import math
import json
def area(r):
    return math.pi * r * r
class Box:
    size = 1
# %% a
print(area(2), Box.size)
#> a: function
#> a from definitions: Box, area
#> definitions: Box, area, math

# == a function of a step's cell goes to definitions, and is not handed on
# %% a
import math
def area(r):
    return math.pi * r * r
x = area(1)
# %% b
print(area(x))
#> a: function
#> a from definitions: area
#> a outputs: x
#> b: function
#> b inputs: x
#> b from definitions: area
#> definitions: area, math

# == a function with state is handed on like a variable
# %% a
def collect(x, seen=[]):
    seen.append(x)
    return seen
collect(1)
# %% b
print(collect(2))
#> a: function
#> a outputs: collect
#> b: function
#> b inputs: collect
#> definitions: collect

# == a function that only its step calls, and that reads what the step binds, stays inside
# %% a
total = 0
def add(x):
    return total + x
total = 5
print(add(1))
values = list(map(add, [1, 2]))
# %% b
print(values)
#> a: function
#> b: function
#> definitions:

# == a function that other steps call, and that reads what its step binds, goes to definitions
# %% a
total = 0
def add(x):
    return total + x
print(add(1))
# %% b
print(add(2))
#> a: function
#> a stores: total
#> b: function
#> b shared: total
#> definitions: add

# == a function that is defined twice cannot stand in definitions
# %% [functions]
def f():
    return 1
# %% a
print(f())
# %% [functions]
def f():
    return 2
# %% b
print(f())
#> a: namespace: `f` cannot stand in `definitions.py`: `f` is bound in several places
#> b: namespace: `f` cannot stand in `definitions.py`: `f` is bound in several places
#> definitions:

# == each step may have a function of the same name for itself
# %% a
def show(x):
    print("a", x)
show(1)
# %% b
def show(x):
    print("b", x)
show(2)
#> a: function
#> b: function
#> definitions:

# == a function that is bound again cannot stand in definitions
# %% a
def f():
    return 1
g = f
f = 3
# %% b
print(g(), f)
#> a: namespace: other steps take `f`, and it cannot stand in `definitions.py`
#> b: function
#> definitions:

# == a class that reads a variable as it is made cannot stand in definitions
# %% a
n = 3
class A:
    size = n
print(A.size)
#> a: namespace: `A` cannot stand in `definitions.py`: making it reads `n`
#> definitions:

# == a class of a step goes to definitions, what it inherits from too
# %% a
from torch import nn
class Base(nn.Module):
    pass
class Net(Base):
    def forward(self, x):
        return x
net = Net()
# %% b
print(net)
#> a: function
#> a from definitions: Net
#> a outputs: net
#> b: function
#> definitions: Base, Net, nn

# == what watches its subclasses keeps them where they are made
# %% [functions]
class Base:
    known = []
    def __init_subclass__(cls):
        Base.known.append(cls)
# %% a
print(Base.known)
# %% b
class One(Base):
    pass
print(Base.known)
#> a: function
#> b: namespace: `One` cannot stand in `definitions.py`: making it may do more than that
#> definitions: Base

# == decorators that only make a function are known
# %% [functions]
import functools
def loud(f):
    @functools.wraps(f)
    def inner(*args):
        print("call")
        return f(*args)
    return inner
# %% a
import torch
@loud
def f():
    return 1
@torch.no_grad()
def g():
    return 2
print(f(), g())
#> a: function
#> definitions: f, functools, g, loud, torch

# == decorators that do something are not run early
# %% [functions]
known = []
def register(f):
    known.append(f)
    return f
# %% a
@register
def f():
    return 1
print(known)
#> setup: function
#> a: namespace: `f` is decorated, and it cannot stand in `definitions.py`
#> definitions: register

# == a function may read a name that comes later
# %% a
def f():
    return g() + 1
def g():
    return 1
print(f())
#> a: function
#> definitions: f, g

# == a name that is read before it is bound is not bound early
# %% a
try:
    print(f())
except NameError:
    print("not yet")
# %% b
def f():
    return 1
print(f())
#> a: namespace: it reads `f`
#> b: function
#> definitions:

# == a conditional definition stays where it is
# %% a
flag = True
if flag:
    def f():
        return 1
else:
    def f():
        return 2
print(f())
#> a: function
#> definitions:

# == functions that are run in other processes are found by their names
# %% a
from multiprocessing import Pool
k = 2
def work(x):
    return x * k
with Pool(2) as pool:
    print(pool.map(work, [1, 2]))
#> a: function
#> a stores: k
#> definitions: work
