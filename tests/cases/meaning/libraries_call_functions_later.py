# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["functions"]
from __future__ import annotations
from dataclasses import dataclass, field
from functools import singledispatch
import pandas as pd
import numpy as np
from sklearn.preprocessing import FunctionTransformer

@singledispatch
def show(value):
    return f"other {value}"

@show.register
def _(value: int):
    return f"number {value}"

@show.register(list)
def _(value):
    return f"list of {len(value)}"

@dataclass
class Node:
    value: int
    below: list[Node] = field(default_factory=list)
    def total(self) -> int:
        return self.value + sum(node.total() for node in self.below)

# %% tags=["step:make"]
factor = 2
def scaled(values):
    return values * factor
transformer = FunctionTransformer(scaled).fit(np.ones((2, 2)))
tree = Node(1, [Node(2)])

# %% tags=["step:use"]
print(transformer.transform(np.ones((1, 2))))
print(show(1), show([1, 2]), show("x"), tree.total())
del show  # modules make it anew, by another digest

# %% tags=["step:table"]
table = pd.DataFrame({"n": pd.array([1, 2, None], dtype="Int64"), "k": list("xyz")})
column = table["n"]
low = 1
max = lambda *values: "mine"

# %% tags=["step:query"]
print(table.query("n > @low"))
column.iloc[0] = 9
print(max(1, 2))
del max
print(max(1, 2))

# %% tags=["step:again"]
def above(rows):
    return rows.query("n > @low")
print(above(table), column.tolist(), table.n.tolist())
try:
    low, high
except NameError as error:
    print(error)
high = 3
