# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import random
import numpy as np

# %% tags=["step:a"]
random.seed(4)
a = random.random()

# %% tags=["step:b"]
b = np.random.rand(3)

# %% tags=["step:c"]
c = random.random(), np.random.randint(100)

# %% tags=["step:d"]
print(a, b, c, random.randint(0, 10**9))
