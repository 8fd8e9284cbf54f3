# %% tags=["imports"]
import random
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader
# %% tags=["functions"]
class Pairs(Dataset):
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        j = random.randrange(len(self.x))
        return (self.x[i], self.x[j]), torch.tensor(float(self.y[i] == self.y[j]))
class Siamese(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.Tanh(), nn.Dropout(0.2), nn.Linear(12, 4))
    def forward(self, a, b):
        return self.body(a), self.body(b)
class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin
    def forward(self, a, b, same):
        d = F.pairwise_distance(a, b)
        return torch.mean(same * d.pow(2) + (1 - same) * F.relu(self.margin - d).pow(2))
# %% tags=["step:prepare"]
random.seed(3); torch.manual_seed(3)
x = torch.randn(60, 6); y = torch.randint(0, 3, (60,)).tolist()
train_loader = DataLoader(Pairs(x, y), batch_size=8, shuffle=True, num_workers=0)
# %% tags=["step:train"]
net = Siamese()
loss_fn = ContrastiveLoss()
opt = torch.optim.RMSprop(net.parameters(), lr=1e-3)
history = {"loss": []}
for epoch in range(1, 4):
    running = 0.0
    for (a, b), same in train_loader:
        opt.zero_grad(set_to_none=True)
        loss = loss_fn(*net(a, b), same)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        running += loss.item() * len(same)
    history["loss"].append(running / 60)
    print(epoch, history["loss"][-1])
torch.save(net.state_dict(), "siamese.pt")
# %% tags=["step:report"]
print(sum(p.abs().sum().item() for p in net.parameters()))
#! len(series["loss"]) == 24 and series["loss"][-1] == loss.item()
#! series["batch"] == [1, 2, 3, 4, 5, 6, 7, 8] * 3
#! saved == [("siamese.pt", 24, 3)]
