# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# What cells set in modules and classes of libraries is there in later steps.

# %% tags=["imports"]
import builtins
import statistics
import math
import sys
from fractions import Fraction

import numpy as np
import pandas as pd

# %% tags=["functions"]
def shout(value):
    return f"{value}!"


# %% tags=["step:patch"]
original = statistics.mean
statistics.mean = lambda values: 100 + original(values)
math.tau = 3
np.shout = shout
Fraction.kind = "a fraction"
builtins.everywhere = 7
sys.argv = ["program", "--flag"]
setattr(statistics, "extra", [1])


@pd.api.extensions.register_dataframe_accessor("own")
class Own:
    def __init__(self, table):
        self.table = table

    def rows(self):
        return len(self.table)


pd.Series.double = lambda self: self * 2

# %% tags=["step:use"]
print(statistics.mean([1]), math.tau, np.shout("a"), np.shout is shout, Fraction(1, 2).kind, everywhere, sys.argv)
statistics.extra.append(2)
print(pd.DataFrame({"x": [1, 2]}).own.rows(), pd.Series([1]).double().tolist())

# %% tags=["step:undo"]
statistics.mean = original
math.tau = 2 * math.pi
del statistics.extra

# %% tags=["step:after"]
print(statistics.mean([1]), math.tau, hasattr(statistics, "extra"))
