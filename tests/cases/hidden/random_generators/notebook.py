# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# The global generators of `random`, NumPy and torch, and generators that are objects: each goes on where it stopped.

# %% tags=["imports"]
import random

import numpy as np
import torch

# %% tags=["step:seed"]
random.seed(3)
np.random.seed(4)
torch.manual_seed(5)
own = np.random.default_rng(6)
old = np.random.RandomState(7)
torch_own = torch.Generator().manual_seed(8)
python_own = random.Random(9)

# %% tags=["step:first"]
print(random.random(), np.random.rand(), np.random.normal(), torch.rand(2))
print(own.random(), old.rand(), torch.rand(2, generator=torch_own), python_own.random())
state = random.getstate()

# %% tags=["step:second"]
print(random.random(), np.random.rand(), np.random.normal(), torch.rand(2))
print(own.random(), old.rand(), torch.rand(2, generator=torch_own), python_own.random())
cards = list(range(5))
random.shuffle(cards)

# %% tags=["step:third"]
random.setstate(state)
print(random.random(), cards, np.random.permutation(4), torch.randperm(4))
print(own.integers(100, size=3), old.randint(100), python_own.gauss(0, 1))
