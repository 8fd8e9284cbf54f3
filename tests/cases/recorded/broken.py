# %% tags=["imports"]
import torch
from torch import nn
# %% tags=["step:train", "raises-exception"]
torch.manual_seed(0)
net = nn.Linear(3, 1); opt = torch.optim.SGD(net.parameters(), lr=0.1); x = torch.randn(8, 3)
for i in range(20):
    opt.zero_grad()
    loss = net(x).pow(2).mean()
    loss.backward()
    opt.step()
    if i == 11:
        raise KeyboardInterrupt
# %% tags=["step:more"]
loss = None
for outer in range(2):
    inner_net = nn.Linear(3, 1); inner = torch.optim.Adam(inner_net.parameters())
    for i in range(5):
        inner.zero_grad(); l = (net(x) - inner_net(x)).pow(2).mean(); l.backward(); inner.step()
    opt.step()
l = None
print(net.weight.tolist())
#! len(series["loss"]) == 14
#! len(series["loss/inner"]) == 5
#! len(series["loss/3"]) == 5
