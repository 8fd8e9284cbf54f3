# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import numpy as np

# %% tags=["step:a"]
a = np.arange(12.0).reshape(3, 4)
row = a[1]
columns = a.T

# %% tags=["step:b"]
row[:] = -1

# %% tags=["step:c"]
columns[0, 0] = 100
print(a)

# %% tags=["step:d"]
a *= 2
print(row, columns.sum(), np.shares_memory(a, row))
