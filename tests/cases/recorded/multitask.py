# %% tags=["imports"]
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader
# %% tags=["step:data"]
torch.manual_seed(11)
rows = [{"x": torch.randn(6), "age": torch.rand(1), "sex": int(torch.randint(0, 2, (1,)))} for _ in range(64)]
loader = DataLoader(rows, batch_size=16, shuffle=True)
# %% tags=["functions"]
class Multi(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.LSTM(1, 8, batch_first=True); self.age = nn.Linear(8, 1); self.sex = nn.Linear(8, 2)
        self.log_vars = nn.Parameter(torch.zeros(2))
    def forward(self, x):
        h, _ = self.trunk(x.unsqueeze(-1)); h = h[:, -1]
        return self.age(h), self.sex(h)
# %% tags=["step:train"]
net = Multi(); optim = torch.optim.Adam(net.parameters(), lr=5e-3)
accumulation_steps = 2
optim.zero_grad()
for epoch in range(3):
    for step, batch in enumerate(loader):
        a, s = net(batch["x"])
        losses = [F.mse_loss(a, batch["age"]), F.cross_entropy(s, batch["sex"])]
        weighted = [torch.exp(-net.log_vars[i]) * l + net.log_vars[i] for i, l in enumerate(losses)]
        torch.autograd.backward([w / accumulation_steps for w in weighted])
        if (step + 1) % accumulation_steps == 0:
            optim.step()
            optim.zero_grad()
    print(epoch, [round(l.item(), 5) for l in losses])
del a, s, losses, weighted
torch.save({"net": net.state_dict(), "epoch": epoch}, "multi.pt")
#! len(series["loss"]) == 6 and series["batch"] == [2, 4] * 3
#! series["epoch"] == [1, 1, 2, 2, 3, 3]
#! saved == [("multi.pt", 6, 3)]
