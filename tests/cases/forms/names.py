# == a builtin that is read before it is bound
# %% a
sum = sum([1, 2])
print(sum)
#> a: namespace: it binds `sum`, which may mean something else before
#> definitions:

# == a builtin that is bound first is a variable like any other
# %% a
input = 3
print(input + 1)
#> a: function
#> definitions:

# == a builtin that is bound in one branch may be the builtin
# %% a
import sys
if len(sys.argv) > 9:
    max = 3
print(max)
#> a: namespace: it binds `max`, which may mean something else before
#> definitions: sys

# == a builtin that is deleted is the builtin again
# %% a
list = [1]
print(list)
del list
print(list("ab"))
#> a: namespace: it binds `list`, which may mean something else before
#> definitions:

# == a builtin that a lambda reads before it is bound
# %% a
f = lambda x: len(x)
print(f([1]))
len = 3
#> a: namespace: it binds `len`, which may mean something else before
#> definitions:

# == a variable named like an import makes the import one of the step's own
# %% [imports]
from statistics import mean
# %% a
print(mean([1]))
# %% b
mean = mean([1, 2])
print(mean)
#> a: function
#> a text: 1: from statistics import mean || 1: print(mean([1]))
#> b: function
#> definitions:

# == names reached by their text
# %% a
x = 1
exec("y = x")
# %% b
print(eval("x"))
# %% c
print(sorted(vars()))
# %% d
print(dir(x), vars(type(x)))
# %% e
print(locals)
#> a: namespace: it calls `exec`, which reaches names by their text
#> b: namespace: it calls `eval`, which reaches names by their text
#> c: namespace: it calls `vars()`, which reaches names by their text
#> d: function
#> e: namespace: it calls `locals`, which reaches names by their text
#> definitions:

# == names that are others in a module
# %% a
if __name__ == "__main__":
    print(1)
# %% b
import __main__
print(__main__)
# %% c
import sys
print(sys.modules["__main__"])
#> a: namespace: it uses `__name__`, which is another one in a module
#> b: namespace: it uses `__main__`, which is another one in a module
#> c: namespace: it names `__main__`
#> definitions: __main__, sys

# == code that looks at its frame
# %% a
import sys
print(sys._getframe().f_code.co_name)
# %% b
import inspect
print(inspect.stack()[0].function)
#> a: namespace: it looks at frames by `_getframe`
#> b: namespace: it uses `inspect`
#> definitions: inspect, sys

# == classes that calls make
# %% a
from collections import namedtuple
Point = namedtuple("Point", "x y")
# %% b
print(Point(1, 2), type(Point))
#> a: namespace: it makes a class by a call of `namedtuple`
#> b: function
#> definitions: namedtuple

# == a global statement, and a star import
# %% a
def f():
    global x
    x = 1
f()
# %% b
from known import *
print(something)
# %% c
from unknown import *
print(2)
#> a: namespace: `f` binds `x` as a global
#> b: function
#> b from definitions: something
#> c: namespace: it holds a star import
#> definitions: *, f, other, something

# == a query in an inner scope would not see the step's variables
# %% a
limit = 2
def few(t):
    return t.query("a > @limit")
# %% b
import pandas as pd
low = 1
t = pd.DataFrame({"a": [1, 2]})
print(t.query("a > @low"))
print([x.query("a > @low") for x in [t]])
#> a: function
#> b: namespace: it queries a table in an inner scope by names in a text
#> definitions: few, pd

# == a query reads what stands on top of the module
# %% a
import numpy as np
import pandas as pd
low = 1
t = pd.DataFrame({"a": [1, 2]})
print(t.query("a > @low and a < @np.inf"))
#> a: function
#> a imports: import numpy as np; import pandas as pd
#> definitions:

# == a cell that may raise
# %% a [step:a raises-exception]
1 / 0
# %% b
print(1)
#> a: namespace: its cell may raise, and the step goes on then
#> b: function
#> definitions:

# == a temporary directory goes with its variable
# %% a
import tempfile
folder = tempfile.TemporaryDirectory()
# %% b
import tempfile
with tempfile.TemporaryDirectory() as name:
    print(len(name) > 0)
#> a: namespace: it uses `TemporaryDirectory`, whose files go when a function ends
#> b: function
#> definitions: tempfile

# == a step with the name of a function that it calls
# %% [functions]
def train(x):
    return x
# %% train
y = train(1)
#> train: function
#> train function: train_step
#> definitions: train

# == names of ours that the author uses
# %% a
definitions = 1
Any = 2
print(definitions, Any)
#> a: function
#> a reserved: Any, definitions
#> definitions:

# == top-level await
# %% a
import asyncio
await asyncio.sleep(0)
async def f():
    await asyncio.sleep(0)
# %% b
f
#> a: function async
#> b: function
#> definitions: asyncio, f

# == a builtin's name that the step is given and deletes
# %% a
max = lambda *values: "mine"
# %% b
print(max(1))
del max
print(max(1, 2))
#> a: function
#> b: namespace: it binds `max`, which may mean something else before
#> definitions:

# == the error of an unbound name is another one in a function
# %% a
try:
    done
except NameError as error:
    print(error)
done = True
# %% b
try:
    ready
except NameError:
    ready = True
print(ready)
#> a: namespace: it looks at the error of `done` being unbound
#> b: function
#> definitions:

# == a class whose annotations name itself
# %% a
from __future__ import annotations
from dataclasses import dataclass
@dataclass
class Node:
    above: Node | None = None
    def top(self) -> Node:
        return self.above.top() if self.above else self
top = Node(Node()).top()
# %% b
print(top)
#> a: function
#> a outputs: top
#> b: function
#> definitions: Node, dataclass

# == a function that another one registers comes with it
# %% [functions]
from functools import singledispatch
@singledispatch
def show(value):
    return str(value)
@show.register
def show_number(value: int):
    return f"number {value}"
# %% a
print(show(1))
#> a: function
#> definitions: show, show_number, singledispatch
