# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %%
import math

# %%
def f(x):
    return math.sqrt(x)

# %%
x = f(16)

# %%
x

# %%
_ + 1
