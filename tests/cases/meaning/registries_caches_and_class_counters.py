# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
from functools import lru_cache

# %% tags=["functions"]
registry = {}
calls = []


def register(function):
    registry[function.__name__] = function
    return function


@register
def double(x):
    return 2 * x


@lru_cache(maxsize=None)
def slow(n):
    calls.append(n)
    return n * 2


class Counter:
    total = 0

    def hit(self):
        type(self).total += 1
        return self.total


# %% tags=["step:a"]
one = Counter()
print(one.hit(), slow(1), slow(2), [function(2) for function in registry.values()])


# %% tags=["step:b"]
@register
def triple(x):
    return 3 * x


two = Counter()
print(two.hit(), two.hit(), slow(1), slow(3))

# %% tags=["step:c"]
print(Counter.total, one.hit(), two.total, sorted(registry), double(1), triple(1))
print(calls, slow.cache_info())
