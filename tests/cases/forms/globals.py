# == a step stores what a function reads, as it begins
# %% [functions]
def report():
    print(device)
# %% a
device = "cpu"
# %% b
report()
#> a: function
#> b: function
#> b shared: device
#> definitions: report

# == a step stores what it binds, before the next statement that may read it
# %% [functions]
def report():
    print(device)
# %% a
device = "cpu"
other = 1
report()
device = "cuda"
report()
#> a: function
#> a stores: device, device
#> definitions: report

# == what the calls of a step do not read is not stored
# %% [functions]
def report():
    print(device)
def other():
    print(1)
# %% a
device = "cpu"
other()
# %% b
report()
#> a: function
#> b: function
#> b shared: device
#> definitions: other, report

# == a method may be called by anything that holds its object
# %% [functions]
class Net:
    def forward(self):
        return device
# %% a
device = "cpu"
net = Net()
rows = sorted([3, 1])
# %% b
device = "cuda"
print(net.forward())
#> a: function
#> a stores: device
#> b: function
#> b stores: device
#> definitions: Net

# == calls of libraries with written values reach nothing of the notebook
# %% [functions]
import torch
class Net:
    def forward(self):
        return device
# %% a
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
torch.manual_seed(1)
# %% b
print(Net().forward())
#> a: function
#> b: function
#> b shared: device
#> definitions: Net

# == a name that a loop binds and a function reads needs top-level code
# %% [functions]
def report():
    print(k)
# %% a
for k in range(3):
    report()
#> a: namespace: `k`, which this step binds, is read by the function `report` as a global
#> definitions: report

# == a name that a loop binds and nothing reads in it is stored after it
# %% [functions]
def report():
    print(k)
# %% a
for k in range(3):
    pass
report()
#> a: function
#> a stores: k
#> definitions: report

# == a name that may not be bound cannot be stored
# %% [functions]
def report():
    print(k)
# %% a
import sys
if len(sys.argv) > 100:
    k = 1
report()
#> a: namespace: `k`, which this step binds, is read by the function `report` as a global
#> definitions: report, sys

# == a name that is bound inside an expression cannot be stored in time
# %% [functions]
def report():
    return k
# %% a
x = (k := 1) + report()
#> a: namespace: `k`, which this step binds, is read by the function `report` as a global
#> definitions: report

# == a function that binds a global
# %% [functions]
def count():
    global calls
    calls += 1
# %% a
calls = 0
count()
# %% b
print(calls)
# %% c
print(1)
#> a: namespace: `count` binds `calls` as a global
#> b: namespace: `count` binds `calls` as a global
#> c: function
#> definitions: count

# == a function that reaches names by their text
# %% [functions]
def show(name):
    print(globals()[name])
# %% a
x = 1
show("x")
#> a: namespace: it may call a function that reaches names by their text
#> definitions: show

# == what a step in namespace form leaves reads globals late
# %% a
factor = 2
key = lambda x: x * factor
# %% b
factor = 3
print(sorted([1, 2], key=key))
#> a: namespace: a lambda that may outlive the step reads `factor`
#> b: function
#> b stores: factor
#> definitions:

# == a lambda that is used up reads what it likes
# %% a
k = 2
x = sorted([1, 2], key=lambda a: -a * k)
y = list(map(lambda a: a + k, x))
double = lambda a: a * k
z = sum(double(a) for a in y)
print(max(filter(lambda a: a > k, y)))
# %% b
k = 3
print(x, y, z)
#> a: function
#> b: function
#> definitions:

# == a lambda that reads nothing of the step may be left
# %% a
import math
key = lambda x: math.sin(x)
# %% b
print(key(1))
#> a: function
#> b: function
#> definitions: math

# == a generator reads late what a later step binds again
# %% a
k = 2
lazy = (a * k for a in [1, 2])
# %% b
k = 3
print(next(lazy))
#> a: namespace: a generator reads `k`, which the step `b` binds again
#> b: function
#> b stores: k
#> definitions:

# == what an object holds may call functions that nobody mentions
# %% [functions]
def total():
    return n + 1
def make():
    return lambda: total()
# %% a
n = 1
later = make()
# %% b
n = 2
print(later())
# %% c
print(n)
key = lambda x: x + total()
# %% d
n = 3
print(key(1))
#> a: function
#> b: function
#> b stores: n
#> c: function
#> d: function
#> d stores: n
#> definitions: make, total

# == a name is stored where a line ends, before the statements that share one
# %% [functions]
def scaled(x):
    return x * factor
# %% a
factor = 2
n = 1; y = scaled(n)
print(y)
# %% b
factor = 3; z = scaled(1)
#> a: function
#> b: namespace: `factor`, which this step binds, is read by the function `scaled` as a global
#> definitions: scaled
