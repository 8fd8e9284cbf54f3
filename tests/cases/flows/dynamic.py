# == exec of a literal function definition
# %% a
exec("def f(x):\n    return x + k")
k = 1
# %% b
print(f(1))
#> a -> b: f(), k

# == exec of an f-string of known parts
# %% a
name = "x"
exec(f"{name} = [1]")
# %% b
x.append(2)
# %% c
print(x)
#> a -> b: x
#> b -> c: ~x

# == eval of a literal text
# %% a
x, y = 2, 3
# %% b
print(eval("x * y"))
#> a -> b: x, y

# == eval with a dictionary of names
# %% a
x = 2
scope = {"x": 5}
# %% b
print(eval("x + 1", scope))
# %% c
print(x)
#> a -> b: scope
#> a -> c: x
#> warning NB201 b

# == eval of a computed text takes the safe side
# %% a
x = [1]
text = "x" + ".append(2)" * len(x)
# %% b
eval(text)
# %% c
print(x)
#> a -> b: text, x
#> b -> c: ?x
#> warning NB201 b

# == compile and exec of a text
# %% a
x = [1]
code = compile("x.append(2)", "<text>", "exec")
# %% b
exec(code)
# %% c
print(x)
#> a -> b: code, x
#> b -> c: ?x
#> warning NB201 b

# == globals with a computed name takes the safe side
# %% a
x = 1
names = ["x", "y"]
# %% b
for name in names:
    globals()[name] = 5
# %% c
print(x, y)
#> a -> b: names, x
#> b -> c: ?x, ?y
#> warning NB201 b

# == globals are updated
# %% a
x = 1
# %% b
globals().update(x=2, y=3)
# %% c
print(x, y)
#> b -> c: x, y

# == vars and locals at top level are the notebook's names
# %% a
vars()["x"] = 1
locals()["y"] = 2
# %% b
print(x, y)
#> a -> b: x, y

# == locals in a function are its own
# %% a
x = 1
def f(a):
    x = a
    return sorted(locals())
# %% b
print(f(2))
# %% c
print(x)
#> a -> b: f()
#> a -> c: x

# == setattr with a literal name
# %% a
class Box:
    pass
box = Box()
# %% b
setattr(box, "x", 1)
# %% c
print(getattr(box, "x"), getattr(box, "y", None), hasattr(box, "z"))
#> a -> b: Box(), box
#> a -> c: Box()
#> b -> c: ~box

# == setattr with a computed name
# %% a
class Box:
    pass
box = Box()
options = {"x": 1}
# %% b
for name, value in options.items():
    setattr(box, name, value)
# %% c
print(box.x)
#> a -> b: Box(), box, options
#> a -> c: Box()
#> b -> c: ~box
#> warning NB201 b

# == getattr of a method with a computed name
# %% a
class Box:
    def __init__(self):
        self.items = []
    def put(self):
        self.items.append(1)
box = Box()
name = "p" + "ut"
# %% b
getattr(box, name)()
# %% c
print(box.items)
#> a -> b: Box(), box, name
#> a -> c: Box()
#> b -> c: ~box

# == getattr of a name that is not known
# %% a
class Box:
    def __init__(self):
        self.items = []
    def put(self):
        self.items.append(1)
box = Box()
names = ["put"]
# %% b
for name in names:
    getattr(box, name)()
# %% c
print(box.items)
#> a -> b: Box(), box, names
#> a -> c: Box()
#> b -> c: ~box

# == delattr is a change
# %% a
class Box:
    def __init__(self):
        self.x = 1
box = Box()
# %% b
delattr(box, "x")
# %% c
print(hasattr(box, "x"))
#> a -> b: Box(), box
#> a -> c: Box()
#> b -> c: ~box

# == modules by their names
# %% a
import importlib
m = __import__("math")
j = importlib.import_module("json")
x = m.floor(1.5)
# %% b
import sys
print(x, sys.modules["json"].dumps([x]))
#> a -> b: x

# == the notebook's own module by its name
# %% a
import sys
x = 1
# %% b
setattr(sys.modules["__main__"], "x", 2)
# %% c
print(x)
#> b -> c: x

# == the notebook imports itself
# %% a
x = 1
# %% b
import __main__
__main__.x = 2
# %% c
print(x)
#> b -> c: x

# == the source of a function
# %% a
import inspect
def f(a, b=1):
    return a + b
# %% b
print(inspect.signature(f), inspect.isfunction(f))
# %% c
print(f(1))
#> a -> b: f()
#> a -> c: f()

# == globals in a function are the notebook's
# %% a
def put(name, value):
    globals()[name] = value
x = 1
# %% b
put("x", 5)
# %% c
print(x)
#> a -> b: put()
#> b -> c: x

# == a function's globals
# %% a
def f():
    return x
x = 1
# %% b
f.__globals__["x"] = 5
# %% c
print(x, f())
#> a -> b: f(), x
#> b -> c: ?f, ?x
#> warning NB201 b

# == a name in the names
# %% a
if "x" not in globals():
    x = [1]
# %% b
if "x" in dir():
    x.append(2)
# %% c
try:
    x
except NameError:
    x = []
print(x)
#> a -> b: x
#> b -> c: ~x

# == the main test is true
# %% a
x = 1
if __name__ == "__main__":
    x = 2
# %% b
if "__main__" == __name__:
    x = 3
# %% c
print(x)
#> b -> c: x

# == cells of comments and empty cells
# %% a
x = 1
# %% b
# nothing but a comment
# %% b

# %% c
print(x)
#> a -> c: x

# == statements in one line
# %% a
x = 1; y = [x]; z = 3
# %% b
x = 2; y.append(x); del z
# %% c
print(x, y);
#> a -> b: y, z
#> b -> c: x, ~y

# == a long line
# %% a
values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50]; total = 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10 + 11 + 12 + 13 + 14 + 15 + 16 + 17 + 18 + 19 + 20 + len(values)
# %% b
print(total, len(values))
#> a -> b: total, values

# == augmented assignment of numbers and of lists
# %% a
n, items = 1, [1]
m, same = n, items
# %% b
n += 1
items += [2]
# %% c
print(n, m, items, same)
#> a -> b: items, n, same
#> a -> c: m
#> b -> c: items, n, ~same

# == a sum of lists is a new list
# %% a
items = [1]
same = items
# %% b
items = items + [2]
# %% c
print(items, same)
#> a -> b: items
#> a -> c: same
#> b -> c: items

# == augmented assignment of attributes, elements and slices
# %% a
class Box:
    pass
box = Box()
box.n, box.items = 1, [1]
table = {"k": 1, "l": [1]}
values = [1, 2, 3]
# %% b
box.n += 1
box.items += [2]
table["k"] += 1
table["l"] += [2]
values[1:] += [4]
# %% c
print(box.n, box.items, table, values)
#> a -> b: Box(), box, table, values
#> a -> c: Box()
#> b -> c: ~box, ~table, ~values

# == a list in a tuple
# %% a
pair = ([1], 2)
# %% b
try:
    pair[0] += [5]
except TypeError:
    pass
# %% c
print(pair)
#> a -> b: pair
#> b -> c: ~pair

# == starred and chained assignment
# %% a
first, *rest = [[1], [2], [3]]
a = b = c = []
# %% b
rest[0].append(0)
a.append(1)
# %% c
print(first, rest, b, c)
#> a -> b: a, b, c, rest, first
#> b -> c: ~b, ~c, ~rest, ~first

# == targets are assigned from left to right
# %% a
items = [0, 0]
i = 0
# %% b
i, items[i] = 1, 5
i = items[i] = 0
# %% c
print(i, items)
#> a -> b: items
#> b -> c: i, ~items

# == a slice is assigned and deleted
# %% a
rows = [[1], [2], [3]]
new = [[4]]
# %% b
rows[:1] = new
del rows[-1]
# %% c
new[0].append(5)
# %% d
print(rows)
#> a -> b: new, rows
#> b -> c: ~new, ~rows
#> c -> d: ~rows

# == elements are swapped
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

# == f-strings in f-strings, with formats and equal signs
# %% a
width, value, names = 6, 3.14159, ["a"]
# %% b
print(f"{value:{width}.2f}|{value=}|{f'{names[0]!r:>{width}}'}")
# %% c
print(f"{[n for n in names]}{(lambda: width)()}")
#> a -> b: names, value, width
#> a -> c: names, width

# == an f-string that changes what it shows
# %% a
queue = [1, 2]
# %% b
print(f"{queue.pop()}")
# %% c
print(queue)
#> a -> b: queue
#> b -> c: ~queue

# == del of elements, attributes and names in one statement
# %% a
class Box:
    x = 1
box = Box()
box.y = 2
table = {"k": 1}
n = 5
# %% b
del table["k"], box.y, n
# %% c
print(table, hasattr(box, "y"))
#> a -> b: Box(), box, n, table
#> a -> c: Box()
#> b -> c: ~box, ~table

# == a chained comparison and a conditional call
# %% a
log = []
def note(x):
    log.append(x)
    return x
low = 1
# %% b
print(low < note(2) < 3)
# %% c
low > 5 and note(4)
# %% d
print(log)
#> a -> b: log, low, note()
#> a -> c: low, note()
#> b -> c: ~log
#> c -> d: ~log

# == an assertion with a message
# %% a
x, hint = 1, "why"
# %% b
assert x == 1, hint
# %% c
print(x)
#> a -> b: hint, x
#> a -> c: x

# == reading alone makes no edge between steps
# %% a
data = {"k": [3, 1], "l": (1, 2)}
def mean(values):
    return sum(values) / len(values)
# %% b
print(data["k"][0], len(data), sorted(data["k"]), [v for v in data["k"]])
# %% c
print(mean(data["k"]), max(data["k"]), data.get("l"), "k" in data)
# %% d
for key, value in data.items():
    print(key, list(value))
#> a -> b: data
#> a -> c: data, mean()
#> a -> d: data

# == a copy is changed, not what it was copied from
# %% a
import copy
data = {"k": [1]}
# %% b
mine = copy.deepcopy(data)
mine["k"].append(2)
flat = dict(data)
flat["m"] = 1
part = data["k"][:]
part.append(5)
# %% c
print(data)
#> a -> b: data
#> a -> c: data

# == a shallow copy shares its elements
# %% a
data = {"k": [1]}
flat = data.copy()
# %% b
flat["k"].append(2)
# %% c
print(data)
#> a -> b: data, flat
#> b -> c: ~data

# == the elements of a repeated list are one
# %% a
rows = [[]] * 3
# %% b
rows[0].append(1)
# %% c
print(rows)
#> a -> b: rows
#> b -> c: ~rows

# == a dictionary made of keys shares its value
# %% a
empty = []
table = dict.fromkeys(["a", "b"], empty)
# %% b
table["a"].append(1)
# %% c
print(empty, table)
#> a -> b: empty, table
#> b -> c: ~empty, ~table

# == a merged dictionary shares values
# %% a
one = {"k": [1]}
two = {**one, "m": 2}
three = one | {"n": 3}
# %% b
two["k"].append(2)
# %% c
print(one, three)
#> a -> b: one, three, two
#> b -> c: ~one, ~three

# == a function that text made reads what a later step binds
# %% a
text = "def plus(number):\n    return number + base\n"
base = 1
# %% b
exec(text)
# %% c
base = 10
print(plus(1))
#> a -> b: text
#> b -> c: plus()
