# == a loop may leave its variables unbound
# %% a
rows = open("rows.txt").readlines()
for row in rows:
    last = row
for number in range(3):
    square = number * number
# %% b
print(last, square)
#> a: function
#> a perhaps: last
#> b: function
#> definitions:

# == branches, `with` and `try` bind for certain what each way binds
# %% a
import sys
import torch
from contextlib import suppress
if sys.argv:
    x = 1
else:
    x = 2
try:
    y = 1
except ValueError:
    z = 2
with torch.no_grad():
    v = 1
with suppress(ValueError):
    w = 1
while True:
    u = 1
    break
# %% b
print(x, y, z, v, w, u)
#> a: function
#> a perhaps: w, y, z
#> b: function
#> definitions:

# == an input that may be missing, and that is not read for certain
# %% a
import sys
if sys.argv[0] == "x":
    extra = 1
# %% b
try:
    print(extra)
except NameError:
    print("none")
# %% c
print(extra)
#> a: function
#> a perhaps: extra
#> b: namespace: `extra`, which it takes, may be missing
#> b optional: extra
#> c: function
#> definitions:

# == settings stand in definitions, in the notebook's order, and steps import these first
# %% [imports]
import os
os.environ["THREADS"] = "1"
import numpy as np
import warnings
warnings.filterwarnings("ignore")
# %% a
print(np.zeros(1))
#> a: function
#> definitions: os, warnings
#> comes first

# == a setting after a step stays after it
# %% a
print(1)
# %% [imports]
import warnings
warnings.filterwarnings("ignore")
# %% b
print(2)
#> a: function
#> b: function
#> definitions:

# == an import after code that sets the environment stays there
# %% a
import os
os.environ["MODE"] = str(len(os.listdir(".")))
# %% b
import unknownlib
print(unknownlib.mode, os.sep)
#> a: function
#> b: function
#> b imports: import os
#> definitions:

# == an import of a file that a step writes stays after it
# %% a
%%writefile made.py
x = 1
# %% b
import made
print(made.x)
#> a: function
#> b: function
#> b imports:
#> definitions:

# == what imports do by themselves is kept
# %% a
import plugin_that_registers
import math
print(1)
#> a: function
#> a imports: import plugin_that_registers
#> definitions:

# == submodules are imported where they are used
# %% [imports]
import os
import os.path
import xml.dom
# %% a
print(os.path.sep, xml.dom.Node)
# %% b
from xml import dom
print(dom)
#> a: function
#> a imports: import os.path; import xml.dom
#> b: function
#> b imports: from xml import dom
#> definitions:

# == defaults of parameters: literals in the signature, others above the function
# %% [parameters]
lr = 0.1
scaled = lr * 10
names = ["a"]
# %% a
print(lr, scaled, names)
# %% b
print(scaled)
#> a: function
#> a parameters: lr=0.1, scaled=scaled, names=["a"]
#> a defaults: 1: lr = 0.1; 2: scaled = lr * 10
#> b: function
#> b parameters: scaled=scaled
#> b defaults: 1: lr = 0.1; 2: scaled = lr * 10
#> definitions:

# == a default that another parameter cell's value makes is made in the step
# %% [parameters]
lr = 0.1
# %% [parameters]
scaled = lr * 10
# %% a
print(scaled)
#> a: namespace: cell 2 makes defaults of parameters that only it can make
#> a parameters: lr=0.1, scaled=UNBOUND
#> a injects: 2: scaled
#> definitions:

# == a default that is made once is made in the step setup
# %% [parameters]
import time
began = time.time()
# %% a
print(began)
#> setup: namespace: cell 1 makes defaults of parameters that only it can make
#> setup parameters: began=UNBOUND
#> setup injects: 1: began
#> a: function
#> definitions: time

# == comments go with what they stand above, and blank edges are left out
# %% a

# about x
x = 1

# about f
def f():
    return 2

# about y
y = f()
# the end
# %% b
# only a comment
#> a: function
#> a text: 2: # about x | x = 1 || 9: # about y | y = f() | # the end
#> b: function
#> b text: 1: # only a comment
#> definitions text: 5: # about f | def f(): |     return 2
#> definitions: f

# == a line that holds an import and code stays as it is
# %% a
import math; x = math.pi
# %% b
import math
print(x, math.e)
#> a: function
#> a text: 1: import math; x = math.pi
#> b: function
#> definitions:
