# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import torch
from torch import nn

# %% tags=["parameters"]
lr = 0.1

# %% tags=["step:data"]
torch.manual_seed(0)
x = torch.randn(32, 4)
y = x.sum(dim=1, keepdim=True)

# %% tags=["step:model"]
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=0.9)

# %% tags=["step:first"]
for _ in range(3):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    loss.backward()
    optimizer.step()
loss = loss.item()
print(loss)

# %% tags=["step:second"]
optimizer.zero_grad()
nn.functional.mse_loss(net(x), y).backward()
print([p.grad.norm().item() for p in net.parameters()])

# %% tags=["step:third"]
optimizer.step()

# %% tags=["step:look"]
with torch.no_grad():
    print(nn.functional.mse_loss(net(x), y).item())
