# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
from math import *
import os.path as osp
import numpy.linalg

# %% tags=["step:a"]
x = sqrt(2) + pi

# %% tags=["step:b"]
import collections as c
counts = c.Counter("hello")

# %% tags=["step:c"]
more = c.Counter("lo")
counts.update(more)
print(x, counts, osp.join("a", "b"), floor(x), numpy.linalg.norm([3, 4]))
