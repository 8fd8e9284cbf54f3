# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# What cells of imports and functions do beside defining has its effect once; what they make keeps its changes.

# %% tags=["imports"]
import random
from functools import lru_cache

random.seed(1)
history = []
print("imported")

# %% tags=["functions"]
print("defined", random.random())


class Counter:
    made = 0
    names = []

    def __init__(self):
        Counter.made += 1


def remember(value, seen=[]):
    seen.append(value)
    return seen


@lru_cache(maxsize=None)
def square(x):
    print("squared", x)
    return x * x


def counted():
    counted.calls += 1
    return counted.calls


counted.calls = 0
history.append("functions")

# %% tags=["step:one"]
history.append("one")
Counter().names.append("one")
remember(1)
print(square(2), counted(), random.random())

# %% tags=["step:two"]
history.append("two")
Counter().names.append("two")
remember(2)
print(square(2), square(3), counted(), random.random())

# %% tags=["step:three"]
print(history, Counter.made, Counter.names, remember(3), square(3), counted(), random.random())
print(square.cache_info())
