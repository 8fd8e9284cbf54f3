# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# Changes that the text does not show: each makes a new version of what it changes, for later steps.

# %% tags=["imports"]
import ctypes
import gc
import json

import numpy as np
import unforeseen

# %% tags=["step:make"]
rows = [[1], 2]
pair = (rows, 5)
array = np.zeros(2)
table = {"marked": [True]}

# %% tags=["step:by_address"]
print(rows)
unforeseen.append_at(id(rows), 3)

# %% tags=["step:by_memory"]
print(array.sum())
ctypes.memset(array.__array_interface__["data"][0], 1, 8) and None

# %% tags=["step:by_collector"]
print(len(table))
for found in gc.get_objects():
    if type(found) is dict and found.get("marked") == [True]:
        found["more"] = 1
del found

# %% tags=["step:by_text"]
print(len(rows))
getattr(unforeseen, "run")("rows." + "append(4)", {"rows": rows})

# %% tags=["step:state"]
unforeseen.set_up()

# %% tags=["step:all"]
print(rows, pair, array, table)
print(np.array([1 / 3]), json.dumps({"b": 1, "a": 2}), 1 / np.float64(3))
