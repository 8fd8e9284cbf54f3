# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import torch

# %% tags=["step:a"]
a = torch.rand(3)

# %% tags=["step:b"]
b = torch.randperm(10)

# %% tags=["step:c"]
print(a, b, torch.rand(1))
