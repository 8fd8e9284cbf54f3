# %% tags=["imports"]
import torch
from torch import nn
# %% tags=["step:data"]
torch.manual_seed(0)
x = torch.linspace(-3, 3, 60)[:, None]; y = torch.sin(x) + 0.05 * torch.randn_like(x)
# %% tags=["step:train"]
net = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 1))
opt = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=8, line_search_fn="strong_wolfe")
calls = 0
firsts = []
def closure():
    global calls
    calls += 1
    opt.zero_grad()
    loss = nn.functional.mse_loss(net(x), y)
    reg = 1e-4 * sum((p ** 2).sum() for p in net.parameters())
    loss.backward(); reg.backward()
    if begins:
        firsts.append(loss.item() + reg.item()); begins.clear()
    return loss + reg
begins = []
for i in range(6):
    begins.append(i)
    loss = opt.step(closure)
    print(i, calls, round(loss.item(), 6))
loss = None
#! series["loss"] == firsts
