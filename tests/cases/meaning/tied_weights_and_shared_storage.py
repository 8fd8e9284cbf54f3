# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import numpy as np
import torch
from torch import nn

# %% tags=["step:a"]
torch.manual_seed(1)
one = nn.Linear(3, 3, bias=False)
two = nn.Linear(3, 3, bias=False)
two.weight = one.weight
a = np.zeros(4, dtype=np.float32)
t = torch.from_numpy(a)

# %% tags=["step:b"]
with torch.no_grad():
    one.weight.fill_(2.0)
t[0] = 7

# %% tags=["step:c"]
a[1] = 8
print(two.weight, a, t)
