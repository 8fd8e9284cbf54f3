# %% tags=["imports"]
import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split
# %% tags=["step:data"]
np.random.seed(0); torch.manual_seed(0)
X = torch.tensor(np.random.rand(100, 8).astype("float32"))
train_set, val_set = random_split(TensorDataset(X), [80, 20])
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
val_loader = DataLoader(val_set, batch_size=20)
# %% tags=["functions"]
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Linear(8, 6); self.mu = nn.Linear(6, 2); self.lv = nn.Linear(6, 2)
        self.dec = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 8), nn.Sigmoid())
    def forward(self, x):
        h = torch.relu(self.enc(x)); mu, lv = self.mu(h), self.lv(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * lv)
        return self.dec(z), mu, lv
def elbo(x, r, mu, lv):
    return nn.functional.binary_cross_entropy(r, x, reduction="sum") - 0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp())
def train_epoch(model, loader, opt):
    model.train(); total = 0
    for (x,) in loader:
        opt.zero_grad()
        loss = elbo(x, *model(x))
        loss.backward()
        total += loss.item()
        opt.step()
    return total / len(loader.dataset)
@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    return sum(elbo(x, *model(x)).item() for (x,) in loader) / len(loader.dataset)
# %% tags=["step:train"]
model = VAE()
best = float("inf"); patience, bad = 2, 0
optimizer = optim.Adam(model.parameters(), 1e-2)
for epoch in range(12):
    tr = train_epoch(model, train_loader, optimizer); va = evaluate(model, val_loader)
    print(f"epoch {epoch}: train {tr:.4f} val {va:.4f}")
    if va < best:
        best, bad = va, 0
        torch.save(model.state_dict(), "best.pt")
    else:
        bad += 1
        if bad > patience:
            print("early stopping"); break
# %% tags=["step:test"]
model.load_state_dict(torch.load("best.pt"))
print(evaluate(model, val_loader))
#! len(series["loss"]) == 5 * (epoch + 1)
#! series["epoch"][-1] == epoch + 1
#! abs(sum(series["loss"][-5:]) / 80 - tr) < 1e-9
#! saved[0] == ("best.pt", 5, 1)
