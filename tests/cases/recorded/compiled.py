# %% tags=["imports"]
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:train"]
X = torch.randn(64, 6); Y = X[:, :1] * 2
loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 1))
opt = torch.optim.Adam(net.parameters(), lr=0.05)
model = torch.compile(net, backend="aot_eager")
losses = []
for epoch in range(2):
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
torch.save(net.state_dict(), "net.pt")
print(losses)
del loss, model
#! series["loss"] == losses
#! len(losses) == 8
#! saved == [("net.pt", 8, 2)]
#! series["epoch"] == [1.0] * 4 + [2.0] * 4
