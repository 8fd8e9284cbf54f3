# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import torch
from torch.utils.data import DataLoader, TensorDataset

# %% tags=["parameters"]
epochs = 2

# %% tags=["step:data"]
ds = TensorDataset(torch.arange(8.0))
loader = DataLoader(ds, batch_size=3, shuffle=True)

# %% tags=["step:one"]
first = [batch.tolist() for (batch,) in loader]

# %% tags=["step:two"]
for _ in range(epochs):
    second = [batch.tolist() for (batch,) in loader]

# %% tags=["step:show"]
print(first, second)
