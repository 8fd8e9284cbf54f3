# %% tags=["imports"]
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:train"]
X = torch.randn(48, 4); Y = X.sum(1, keepdim=True)
loader = DataLoader(TensorDataset(X, Y), batch_size=16)
net = nn.Linear(4, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
losses = []
for epoch in range(2):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x), y)
        for parameter, gradient in zip(net.parameters(), torch.autograd.grad(loss, list(net.parameters()))):
            parameter.grad = gradient
        opt.step()
        losses.append(loss.item())
# %% tags=["step:penalty"]
critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
opt_critic = torch.optim.Adam(critic.parameters(), lr=0.01)
critics = []
for x, _ in loader:
    mixed = (x * 0.5).requires_grad_()
    (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    looked = torch.autograd.grad(critic(mixed).sum(), mixed)
    loss = critic(x).mean() + ((slope.norm(dim=1) - 1) ** 2).mean()
    opt_critic.zero_grad()
    loss.backward()
    opt_critic.step()
    critics.append(loss.item())
# %% tags=["step:inner"]
meta = nn.Linear(4, 1)
opt_meta = torch.optim.SGD(meta.parameters(), lr=0.1)
outer = []
for x, y in loader:
    inner = nn.functional.mse_loss(meta(x), y)
    fast = [p - 0.1 * g for p, g in zip(meta.parameters(), torch.autograd.grad(inner, meta.parameters(), create_graph=True))]
    loss = nn.functional.mse_loss(nn.functional.linear(x, *fast), y)
    opt_meta.zero_grad()
    loss.backward()
    opt_meta.step()
    outer.append(loss.item())
print(losses, critics, outer)
loss = inner = fast = slope = mixed = looked = None
#! series["loss"] == losses
#! series["loss/opt_critic"] == critics
#! series["loss/opt_meta"] == outer
#! series["epoch"] == [1, 1, 1, 2, 2, 2]
