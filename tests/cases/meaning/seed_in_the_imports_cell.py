# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import numpy as np
np.random.seed(3)
history = []

# %% tags=["step:a"]
a = np.random.rand()
history.append(a)

# %% tags=["step:b"]
b = np.random.rand()
history.append(b)

# %% tags=["step:c"]
print(a, b, history)
