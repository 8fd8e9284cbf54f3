# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
import math
unit = 2
def area(r):
    return math.pi * r * unit

# %% tags=["step:a"]
one = area(1)

# %%
unit = 5

# %% tags=["step:b"]
print(one, area(1))
