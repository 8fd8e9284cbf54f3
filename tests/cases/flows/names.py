# == a value flows from who bound it last
# %% a
x = 1
# %% b
x = 2
# %% c
print(x)
#> b -> c: x

# == a name that the cell binds first is no use
# %% a
x = 1
# %% b
x = 2
print(x)
#> nothing

# == an augmented assignment reads before it binds
# %% a
x = 1
# %% b
x += 1
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == a conditional binding leaves the old value on the other path
# %% a
x = 1
flag = True
# %% b
if flag:
    x = 2
# %% c
print(x)
#> a -> b: flag, x
#> b -> c: x

# == both branches bind, so the old value is gone
# %% a
x = 1
flag = True
# %% b
if flag:
    x = 2
else:
    x = 3
# %% c
print(x)
#> a -> b: flag
#> b -> c: x

# == a try may bind or not
# %% a
x = 1
# %% b
try:
    x = int("7")
except ValueError:
    pass
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == a try whose handler binds too leaves nothing of the old value
# %% a
x = 1
# %% b
try:
    x = int("7")
except ValueError:
    x = 0
# %% c
print(x)
#> b -> c: x

# == a handler that raises does not count
# %% a
x = 1
# %% b
try:
    x = int("7")
except ValueError:
    raise
# %% c
print(x)
#> b -> c: x

# == the names of a comprehension stay inside
# %% a
x = 1
# %% b
squares = [x for x in range(3)]
# %% c
print(x, squares)
#> a -> c: x
#> b -> c: squares

# == a comprehension reads outer names
# %% a
k = 2
# %% b
values = {n: n * k for n in range(3) if n < k}
# %% c
print(values)
#> a -> b: k
#> b -> c: values

# == a walrus in a comprehension binds outside
# %% a
data = [1, 2]
# %% b
found = [y for n in data if (y := n)]
# %% c
print(y)
#> a -> b: data
#> b -> c: y

# == a walrus in a condition
# %% a
text = "abc"
# %% b
if (n := len(text)) > 2:
    print(n)
# %% c
print(n)
#> a -> b: text
#> b -> c: n

# == a loop that reads before it writes
# %% a
total = 0
# %% b
for n in range(3):
    total = total + n
# %% c
print(total)
#> a -> b: total
#> b -> c: total

# == a loop variable is bound by the loop
# %% a
i = 5
# %% b
for i in range(3):
    print(i)
# %% c
print(i)
#> b -> c: i

# == a loop over what may be empty leaves the old value
# %% a
i = 5
data = [1]
# %% b
for i in data:
    pass
# %% c
print(i)
#> a -> b: data, i
#> b -> c: i

# == loop variables that nobody reads later make no edge
# %% a
data = [1, 2]
# %% b
for i in data:
    print(i)
# %% c
for i in data:
    print(i)
#> a -> b: data
#> a -> c: data

# == a class body reads its own names first
# %% a
width = 2
# %% b
class Box:
    width = width + 1
    area = width * 2
# %% c
print(Box.area)
#> a -> b: width
#> b -> c: Box()

# == a method does not see the names of its class body
# %% a
size = 1
# %% b
class Box:
    size = 5
    def get(self):
        return size
box = Box()
# %% c
print(box.get())
#> a -> c: size
#> b -> c: box, Box()

# == a default argument is evaluated at definition
# %% a
k = 1
# %% b
def f(x=k):
    return x
# %% c
k = 2
print(f())
#> a -> b: k
#> b -> c: f()

# == a decorator is evaluated at definition
# %% a
def twice(f):
    return lambda: 2 * f()
# %% b
@twice
def one():
    return 1
# %% c
print(one())
#> a -> b: twice()
#> b -> c: one()

# == an annotation is evaluated at definition
# %% a
Number = int
# %% b
def f(x: Number) -> Number:
    return x
# %% c
print(f(1))
#> a -> b: Number
#> b -> c: f()

# == f-strings read names, format specifications too
# %% a
width = 5
value = 3
# %% b
print(f"{value:>{width}}")
#> a -> b: value, width

# == with and except bind names
# %% a
import io
# %% b
with io.StringIO() as stream:
    stream.write("x")
try:
    raise ValueError("no")
except ValueError as error:
    message = str(error)
# %% c
print(message)
#> b -> c: message

# == match binds what it captures
# %% a
command = ["go", 3]
# %% b
match command:
    case ["go", distance]:
        pass
    case _:
        distance = 0
# %% c
print(distance)
#> a -> b: command
#> b -> c: distance

# == deletion ends a name
# %% a
x = 1
y = 2
# %% b
del x
# %% c
print(y)
#> a -> b: x
#> a -> c: y

# == a name is used after its deletion
# %% a
x = 1
# %% b
del x
# %% c
print(x)
#> a -> b: x
#> error NB203 c

# == global binds from inside a function
# %% a
count = 0
def step():
    global count
    count += 1
# %% b
step()
# %% c
print(count)
#> a -> b: count, step()
#> b -> c: count

# == a function reads its globals late
# %% a
def f():
    return k
# %% b
k = 1
# %% c
k = 2
# %% d
print(f())
#> a -> d: f()
#> c -> d: k

# == a local name is no global
# %% a
x = 1
# %% b
def f():
    x = 5
    return x
y = f()
# %% c
print(x, y)
#> a -> c: x
#> b -> c: y

# == nonlocal state belongs to the closure
# %% a
def counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count
c = counter()
# %% b
c()
# %% c
print(c())
#> a -> b: c()
#> b -> c: ~c()

# == a shadowed builtin is a variable
# %% a
sum = 3
# %% b
print(sum)
#> a -> b: sum

# == builtins and IPython's names need no definition
# %% a
display(len([1]))
get_ipython()
# %% b
print(__name__, max(1, 2))
#> nothing

# == non-ASCII names are names
# %% a
größe = 1
# %% b
print(größe)
#> a -> b: größe

# == top-level await
# %% a
async def work(n):
    return n
# %% b
x = await work(1)
# %% c
print(x)
#> a -> b: work()
#> b -> c: x

# == unpacking binds each name
# %% a
first, (second, *rest) = 1, (2, 3, 4)
# %% b
print(first, second, rest)
#> a -> b: first, second, rest

# == an undefined name is an error where it surely runs
# %% a
print(missing)
#> error NB203 a

# == an undefined name in a branch is a warning
# %% a
import sys
if len(sys.argv) > 99:
    print(missing)
#> warning NB203 a

# == a name that a try catches is fine
# %% a
try:
    print(missing)
except NameError:
    pass
#> nothing

# == a name that an earlier round of the loop binds is fine
# %% a
for i in range(3):
    if i:
        print(previous)
    previous = i
#> nothing

# == conditional expressions and short circuits
# %% a
a = 1
b = 2
flag = True
# %% b
c = a if flag else b
d = flag and a
# %% c
print(c, d)
#> a -> b: a, b, flag
#> b -> c: c, d

# == while loops read their conditions
# %% a
n = 3
# %% b
while n > 0:
    n -= 1
# %% c
print(n)
#> a -> b: n
#> b -> c: n

# == a while True surely has a round
# %% a
n = 3
# %% b
while True:
    n = 5
    break
# %% c
print(n)
#> b -> c: n

# == globals with a literal name is that name
# %% a
globals()["x"] = 1
# %% b
print(globals()["x"], "x" in globals())
#> a -> b: x

# == exec of a literal text is followed
# %% a
exec("x = 1")
# %% b
print(eval("x + 1"))
#> a -> b: x

# == exec of an unknown text takes the safe side
# %% a
x = [1]
code = "".join(["x.append", "(2)"])
# %% b
exec(code)
# %% c
print(x)
#> a -> b: code, x
#> b -> c: ?x
#> warning NB201 b

# == outputs of other cells are refused
# %% a
1 + 1
# %% b
print(_)
#> error NB202 b

# == an output of the own step may be used
#! not run: nothing is displayed in one process without IPython
# %% a
x = 1
x + 1
# %% a
y = _ * 2
_
# %% b
print(y)
#> a -> b: y

# == an output that another step may have shown last is refused
# %% a
1 + 1
# %% b
print("nothing to show")
# %% b
_
#> error NB202 b

# == an underscore that is bound is a name
# %% a
_, x = 1, 2
# %% b
print(_, x)
#> a -> b: _, x

# == a lambda reads late
# %% a
k = 1
f = lambda x: x + k
# %% b
k = 5
# %% c
print(f(1))
#> a -> c: f()
#> b -> c: k

# == a skipped cell defines nothing
# %% a
x = 1
# %% b [skip]
y = 2
# %% c
print(y)
#> error NB203 c

# == a skipped cell changes nothing
# %% a
x = [1]
# %% b [skip]
x.append(2)
# %% c
print(x)
#> a -> c: x
#> warning NB206 b

# == a cell that may raise may bind or not
# %% a
x = 1
# %% b [step:b raises-exception]
x = 2
raise ValueError
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == recursion ends
# %% a
def fact(n):
    return 1 if n < 2 else n * fact(n - 1)
# %% b
print(fact(5))
#> a -> b: fact()

# == functions that call each other
# %% a
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return limit if n == 0 else even(n - 1)
limit = False
# %% b
print(even(4))
#> a -> b: even(), odd(), limit

# == a star import's names are known from the environment
# %% [imports]
from known import *
# %% a
x = something()
# %% b
print(x)
#> a -> b: x
#> needs a: other, something

# == dotted imports bind their first part
# %% [imports]
import os.path
import xml.dom.minidom as dom
# %% a
print(os.path.join("a", "b"), dom)
#> needs a: os, dom

# == a star import whose names are not known may have bound any name
# %% [imports]
from numpy import *
# %% a
x = zeros(3)
# %% b
x.sort()
y = sum(x)
# %% c
print(x, y)
#> a -> b: x
#> b -> c: y, ~x
#> needs a: 
#> needs c: 

# == what a broken cell may define is not told as missing
#! not run: reading the notebook tells that the cell is broken
# %% a
x = (1,
y = 2
# %% b
print(x)
#> nothing

# == a cell that may raise may leave nothing
# %% a [step:a raises-exception]
missing = {}
y = missing["k"]
# %% b
try:
    print(y)
except NameError:
    print("no y")
#> a -> b: y
