# %% tags=["imports"]
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:train"]
X = torch.randn(32, 4); Y = X.sum(1, keepdim=True)
loader = DataLoader(TensorDataset(X, Y), batch_size=8)
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
losses = []
for epoch in range(4):
    if epoch == 2:
        optimizer.add_param_group({"params": body.parameters(), "lr": 0.01})
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(head(body(x)), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch == 2:
        optimizer.param_groups[1]["lr"] = 0.005
print(losses)
loss = None
#! series["loss"] == losses
#! series["lr"] == [0.1] * 16
#! series["lr/group2"] == [0.01] * 4 + [0.005] * 4
