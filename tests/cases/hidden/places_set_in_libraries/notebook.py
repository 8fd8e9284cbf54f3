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
import json
import math
import sys
from fractions import Fraction

import numpy as np
import pandas as pd

# %% tags=["functions"]
def shout(value):
    return f"{value}!"


# %% tags=["step:patch"]
original = json.dumps
json.dumps = lambda value, **options: original(value, **options).replace("[1]", "[one]")
math.tau = 3
np.shout = shout
Fraction.kind = "a fraction"
builtins.everywhere = 7
sys.argv = ["program", "--flag"]
setattr(json, "extra", [1])


@pd.api.extensions.register_dataframe_accessor("own")
class Own:
    def __init__(self, table):
        self.table = table

    def rows(self):
        return len(self.table)


pd.Series.double = lambda self: self * 2

# %% tags=["step:use"]
print(json.dumps([1]), math.tau, np.shout("a"), np.shout is shout, Fraction(1, 2).kind, everywhere, sys.argv)
json.extra.append(2)
print(pd.DataFrame({"x": [1, 2]}).own.rows(), pd.Series([1]).double().tolist())

# %% tags=["step:undo"]
json.dumps = original
math.tau = 2 * math.pi
del json.extra

# %% tags=["step:after"]
print(json.dumps([1]), math.tau, hasattr(json, "extra"))
