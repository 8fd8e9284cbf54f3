# == mutual recursion over a global
# %% a
seen = []
def ping(n):
    seen.append(n)
    return pong(n - 1) if n else "end"
def pong(n):
    return ping(n - 1) if n else "end"
# %% b
print(ping(3))
# %% c
print(seen)
#> a -> b: seen, ping(), pong()
#> b -> c: ~seen

# == a function reads a global that a later step makes
# %% a
def show():
    return title
# %% b
title = "t"
# %% c
print(show())
#> a -> c: show()
#> b -> c: title

# == a function calls what a later step defines
# %% a
def run(x):
    return work(x)
# %% b
def work(x):
    return x + k
k = 2
# %% c
print(run(1))
#> a -> c: run()
#> b -> c: work(), k

# == a function is defined again between steps, and callers see the new one
# %% a
def work(x):
    return "old"
def run(x):
    return work(x)
# %% b
print(run(1))
# %% c
def work(x):
    return "new"
# %% d
print(run(1))
#> a -> b: work(), run()
#> a -> d: run()
#> c -> d: work()

# == a name that keeps the old function
# %% a
def work(x):
    return "old"
kept = work
# %% b
def work(x):
    return "new"
# %% c
print(kept(1), work(1))
#> a -> c: kept()
#> b -> c: work()

# == a list holds a function that is defined again
# %% a
def work():
    return "old"
jobs = [work]
# %% b
def work():
    return "new"
# %% c
print([job() for job in jobs], work())
#> a -> c: jobs
#> b -> c: work()

# == a function changes its argument, through another
# %% a
data = [3, 1]
def inner(values):
    values.sort()
def outer(values):
    inner(values)
# %% b
outer(data)
# %% c
print(data)
#> a -> b: data, inner(), outer()
#> b -> c: ~data

# == star arguments hand over a list's elements
# %% a
rows = [[1], [2]]
def grow(first, *rest):
    for one in rest:
        one.append(0)
# %% b
grow(*rows)
# %% c
print(rows)
#> a -> b: rows, grow()
#> b -> c: ~rows

# == a dictionary of keyword arguments hands over its values
# %% a
options = {"into": [1], "by": 2}
def put(into, by):
    into.append(by)
# %% b
put(**options)
# %% c
print(options)
#> a -> b: options, put()
#> b -> c: ~options

# == keyword arguments are a new dictionary of the same values
# %% a
values = [1]
def put(**more):
    more["x"] = 5
    more["values"].append(2)
    return sorted(more)
# %% b
print(put(values=values))
# %% c
print(values)
#> a -> b: values, put()
#> b -> c: ~values

# == a memo in a default argument
# %% a
def fib(n, memo={}):
    if n not in memo:
        memo[n] = n if n < 2 else fib(n - 1) + fib(n - 2)
    return memo[n]
# %% b
print(fib(8))
# %% c
print(len(fib.__defaults__[0]))
#> a -> b: fib()
#> b -> c: ~fib()

# == a memo in the notebook
# %% a
memo = {}
def fib(n):
    if n in memo:
        return memo[n]
    memo[n] = n if n < 2 else fib(n - 1) + fib(n - 2)
    return memo[n]
# %% b
print(fib(8))
# %% c
print(len(memo))
#> a -> b: memo, fib()
#> b -> c: ~memo

# == a decorator with arguments
# %% a
log = []
def logged(name):
    def wrap(f):
        def inner(*args):
            log.append(name)
            return f(*args)
        return inner
    return wrap
# %% b
@logged("twice")
def twice(x):
    return 2 * x
# %% c
print(twice(2))
# %% d
print(log)
#> a -> b: logged()
#> a -> c: log
#> b -> c: twice()
#> c -> d: ~log

# == a decorator that is a class counts calls
# %% a
class Counted:
    def __init__(self, f):
        self.f = f
        self.calls = 0
    def __call__(self, *args):
        self.calls += 1
        return self.f(*args)
@Counted
def work(x):
    return x
# %% b
print(work(1))
# %% c
print(work.calls)
#> a -> b: work, Counted()
#> a -> c: Counted()
#> b -> c: ~work

# == stacked decorators with functools.wraps
# %% a
import functools
calls = []
def note(f):
    @functools.wraps(f)
    def inner(*args, **more):
        calls.append(f.__name__)
        return f(*args, **more)
    return inner
def twice(f):
    @functools.wraps(f)
    def inner(*args):
        return 2 * f(*args)
    return inner
@note
@twice
def one():
    """Doc."""
    return 1
# %% b
print(one(), one.__name__, one.__doc__)
# %% c
print(calls)
#> a -> b: calls, one()
#> b -> c: ~calls

# == a decorator that registers
# %% a
registry = {}
def register(f):
    registry[f.__name__] = f
    return f
# %% b
@register
def double(x):
    return 2 * x
# %% c
print(registry["double"](4))
#> a -> b: register(), registry
#> b -> c: ~registry

# == a dispatch table
# %% a
log = []
def start():
    log.append("start")
def stop():
    log.append("stop")
table = {"start": start, "stop": stop}
# %% b
table["start"]()
# %% c
print(log)
#> a -> b: log, table
#> b -> c: ~log

# == a function out of a function
# %% a
total = 0
def adder():
    def add(n):
        global total
        total += n
    return add
# %% b
adder()(3)
add = adder()
# %% c
add(4)
# %% d
print(total)
#> a -> b: adder(), total
#> b -> c: add(), total
#> c -> d: total

# == a function kept as an attribute
# %% a
class Job:
    pass
log = []
job = Job()
job.run = lambda x: log.append(x)
# %% b
job.run(1)
# %% c
print(log)
#> a -> b: log, job, Job()
#> b -> c: ~log

# == an attribute of a function
# %% a
def f():
    f.calls += 1
    return f.calls
f.calls = 0
# %% b
f()
# %% c
print(f(), f.calls)
#> a -> b: f()
#> b -> c: ~f()

# == functools.partial holds what it is given
# %% a
from functools import partial
data = [1]
def put(into, x):
    into.append(x)
    return len(into)
add = partial(put, data)
# %% b
add(2)
# %% c
print(data)
#> a -> b: add, data
#> b -> c: ~data

# == functools.partial of a function with a keyword, and reduce
# %% a
import functools
log = []
def join(a, b, sign="-"):
    log.append(sign)
    return a + b
plus = functools.partial(join, sign="+")
# %% b
print(functools.reduce(plus, [1, 2, 3]))
# %% c
print(log)
#> a -> b: log, plus
#> b -> c: ~log

# == callbacks handed to map, filter, sorted, min and max
# %% a
seen = []
def note(x):
    seen.append(x)
    return x
# %% b
print(list(map(note, [1])), list(filter(note, [2])), sorted([3], key=note))
# %% c
print(min([4], key=note), max([5, 6], key=note), [7].sort(key=note))
# %% d
print(seen)
#> a -> b: note(), seen
#> a -> c: note()
#> b -> c: ~seen
#> c -> d: ~seen

# == a callback that binds a global may not be called
# %% a
last = None
data = []
def note(x):
    global last
    last = x
# %% b
list(map(note, data))
# %% c
print(last)
#> a -> b: data, last, note()
#> b -> c: last

# == one of two functions is called
# %% a
x, y = 1, 2
flag = False
def to_x():
    global x
    x = 10
def to_y():
    global y
    y = 20
# %% b
put = to_x if flag else to_y
put()
# %% c
print(x, y)
#> a -> b: flag, to_x(), to_y(), x, y
#> b -> c: x, y

# == a callback changes the elements it is given
# %% a
rows = [[2], [1]]
def clean(row):
    row.append(0)
    return row
# %% b
cleaned = list(map(clean, rows))
# %% c
print(rows)
#> a -> b: rows, clean()
#> b -> c: ~rows

# == a function handed to a function
# %% a
log = []
def twice(f, x):
    return f(f(x))
def inc(x):
    log.append(x)
    return x + 1
# %% b
print(twice(inc, 1), twice(lambda v: v * 2, 2))
# %% c
print(log)
#> a -> b: log, twice(), inc()
#> b -> c: ~log

# == a method handed to a function
# %% a
class Sink:
    def __init__(self):
        self.rows = []
    def put(self, x):
        self.rows.append(x)
sink = Sink()
put = sink.put
# %% b
for x in [1, 2]:
    put(x)
# %% c
list(map(sink.put, [3]))
# %% d
print(sink.rows)
#> a -> b: put, sink, Sink()
#> a -> c: Sink()
#> a -> d: Sink()
#> b -> c: ~sink
#> c -> d: ~sink

# == a bound method of a list
# %% a
data = [1]
push = data.append
# %% b
push(2)
# %% c
print(data)
#> a -> b: push, data
#> b -> c: ~data

# == an unbound method of a builtin class
# %% a
data = [2, 1]
# %% b
list.append(data, 0)
list.sort(data)
# %% c
dict.update({}, k=data)
print(data)
#> a -> b: data
#> b -> c: ~data

# == operator functions change what they are given
# %% a
import operator
data = {"k": 1}
items = [1, 2]
# %% b
operator.setitem(data, "k", 2)
operator.iadd(items, [3])
operator.delitem(items, 0)
# %% c
print(data, items)
#> a -> b: data, items
#> b -> c: ~data, ~items

# == operator functions that only read
# %% a
import operator
rows = [{"k": 2}, {"k": 1}]
# %% b
print(sorted(rows, key=operator.itemgetter("k")), operator.add(1, 2))
# %% c
print(operator.itemgetter("k")(rows[0]), operator.methodcaller("get", "k")(rows[1]))
#> a -> b: rows
#> a -> c: rows

# == a generator function reads a global when it goes on
# %% a
k = 1
def numbers():
    for n in range(3):
        yield n * k
# %% b
k = 2
print(list(numbers()))
# %% c
print(k, sum(numbers()))
#> a -> b: numbers()
#> a -> c: numbers()
#> b -> c: k

# == a generator function that is not used binds nothing
# %% a
x = 1
def numbers():
    global x
    x = 2
    yield 3
# %% b
g = numbers()
print(x)
# %% c
print(x)
#> a -> b: numbers(), x
#> b -> c: x

# == a generator delegates to another
# %% a
log = []
def inner():
    log.append("in")
    yield 1
def outer():
    yield from inner()
# %% b
print(list(outer()))
# %% c
print(log)
#> a -> b: log, inner(), outer()
#> b -> c: ~log

# == an early return leaves the global as it was
# %% a
cache = None
flag = True
def get():
    global cache
    if flag:
        return "early"
    cache = [1]
    return cache
# %% b
print(get())
# %% c
print(cache)
#> a -> b: cache, flag, get()
#> b -> c: cache

# == a global is filled once
# %% a
model = None
def get_model():
    global model
    if model is None:
        model = ["made"]
    return model
# %% b
get_model().append(1)
# %% c
get_model().append(2)
# %% d
print(model)
#> a -> b: get_model(), model
#> a -> c: get_model()
#> b -> c: model
#> c -> d: model

# == a function that raises after it bound a global
# %% a
state = "fresh"
bad = True
def work():
    global state
    if bad:
        state = "broken"
        raise ValueError
# %% b
try:
    work()
except ValueError:
    pass
# %% c
print(state)
#> a -> b: bad, state, work()
#> b -> c: state

# == what a try bound before it failed
# %% a
x = [0]
y = [1]
# %% b
kept = None
try:
    kept = x
    int("no")
    kept = y
except ValueError:
    kept.append(5)
# %% c
print(x, y)
#> a -> b: x, y
#> b -> c: ~x, ~y

# == a suppressed error leaves the old value
# %% a
import contextlib
x = 1
# %% b
with contextlib.suppress(ValueError):
    int("no")
    x = 2
# %% c
print(x)
#> a -> b: x
#> b -> c: x

# == a context manager of the notebook that swallows errors
# %% a
class Quiet:
    def __enter__(self):
        return self
    def __exit__(self, kind, error, trace):
        return True
x = 1
# %% b
with Quiet():
    int("no")
    x = 2
# %% c
print(x)
#> a -> b: x, Quiet()
#> b -> c: x

# == a lambda that calls a method of a captured object
# %% a
def make():
    rows = []
    return (lambda x: rows.append(x)), (lambda: list(rows))
put, get = make()
# %% b
put(1)
# %% c
print(get())
#> a -> b: get(), put()
#> b -> c: ~get()

# == a counter in a closure is read by another name
#! not compared one: its last version is made under another name, and nothing reads it by this one
# %% a
def counter():
    n = [0]
    def tick():
        n[0] += 1
        return n[0]
    return tick
one = counter()
two = counter()
also = one
# %% b
one()
# %% c
print(two(), also())
#> a -> b: also(), one()
#> a -> c: two()
#> b -> c: ~also()

# == a recursive closure
# %% a
def make(limit):
    def walk(n):
        return [n] if n >= limit else [n] + walk(n + 1)
    return walk
walk = make(3)
# %% b
print(walk(0))
#> a -> b: walk()

# == a function that is deleted after use stays in its closure
# %% a
def base(x):
    return x + 1
def make(f):
    return lambda x: f(x)
g = make(base)
del base
# %% b
print(g(1))
#> a -> b: g()

# == default arguments that are other functions
# %% a
log = []
def note(x):
    log.append(x)
def run(x, then=note):
    then(x)
# %% b
run(1)
# %% c
print(log)
#> a -> b: log, run()
#> b -> c: ~log

# == a function that returns its argument gives a second name
# %% a
data = [1]
def same(x):
    return x
other = same(data)
# %% b
other.append(2)
# %% c
print(data)
#> a -> b: data, other
#> b -> c: ~data

# == a function that returns a copy gives no second name
# %% a
data = [1]
def copied(x):
    return list(x)
other = copied(data)
# %% b
other.append(2)
# %% c
print(data, other)
#> a -> b: other
#> a -> c: data
#> b -> c: ~other

# == a function that keeps its argument in a global
# %% a
kept = []
data = [1]
def keep(x):
    kept.append(x)
# %% b
keep(data)
# %% c
data.append(2)
# %% d
print(kept)
#> a -> b: data, keep(), kept
#> b -> c: ~data, ~kept
#> c -> d: ~kept

# == a function's local changes do not show
# %% a
data = [1]
def f(values):
    values = list(values)
    values.append(2)
    return values
# %% b
print(f(data))
# %% c
print(data)
#> a -> b: data, f()
#> a -> c: data

# == a coroutine binds a global
# %% a
x = 1
async def work():
    global x
    x = 2
# %% b
await work()
# %% c
print(x)
#> a -> b: work()
#> b -> c: x

# == async for, async with and async comprehensions
# %% a
log = []
class Opened:
    async def __aenter__(self):
        log.append("in")
        return [1]
    async def __aexit__(self, *more):
        log.append("out")
async def numbers():
    for n in range(3):
        log.append(n)
        yield n
# %% b
async with Opened() as items:
    async for n in numbers():
        items.append(n)
squares = [n * n async for n in numbers()]
# %% c
print(items, n, squares, log)
#> a -> b: log, numbers(), Opened()
#> b -> c: items, n, squares, ~log

# == asyncio.gather of coroutines
# %% a
import asyncio
done = []
async def work(n):
    await asyncio.sleep(0)
    done.append(n)
    return n
# %% b
results = await asyncio.gather(*(work(n) for n in range(3)))
# %% c
print(results, sorted(done))
#> a -> b: done, work()
#> b -> c: results, ~done

# == singledispatch with a registered function
# %% a
from functools import singledispatch
log = []
@singledispatch
def show(x):
    return "any"
@show.register
def _(x: int):
    log.append(x)
    return "int"
# %% b
print(show(1), show("a"))
# %% c
print(log)
#> a -> b: log, show()
#> b -> c: ~log

# == a function in a tuple in a dictionary
# %% a
n = 0
def bump(by):
    global n
    n += by
plan = {"steps": [(bump, 2), (bump, 3)]}
# %% b
for f, by in plan["steps"]:
    f(by)
# %% c
print(n)
#> a -> b: n, plan
#> b -> c: n

# == a function that calls its argument with a global
# %% a
state = {"n": 0}
def apply(f):
    f(state)
# %% b
apply(lambda s: s.update(n=1))
# %% c
apply(dict.clear)
# %% d
print(state)
#> a -> b: apply(), state
#> a -> c: apply()
#> b -> c: ~state
#> c -> d: ~state

# == an iterator with a callback and a sentinel
# %% a
queue = [3, 2, 1, 0]
def take():
    return queue.pop()
# %% b
print(list(iter(take, 3)))
# %% c
print(queue)
#> a -> b: queue, take()
#> b -> c: ~queue

# == itertools with callbacks
# %% a
import itertools
seen = []
def note(x):
    seen.append(x)
    return x > 1
# %% b
print(list(itertools.takewhile(note, [2, 3, 1])), list(itertools.accumulate([1, 2])))
# %% c
print(seen)
#> a -> b: note(), seen
#> b -> c: ~seen

# == a defaultdict calls its factory
# %% a
from collections import defaultdict
made = []
def fresh():
    made.append(1)
    return []
table = defaultdict(fresh)
# %% b
table["k"].append(2)
# %% c
print(dict(table), made)
#> a -> b: made, table
#> b -> c: ~made, ~table
