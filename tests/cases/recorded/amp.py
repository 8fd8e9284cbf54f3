# %% tags=["imports"]
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:data"]
torch.manual_seed(0)
X = torch.randn(96, 10); Y = (X.sum(1) > 0).long()
train_loader = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
# %% tags=["step:fp16"]
net = nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.Linear(32, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**24, growth_interval=5)
skipped = 0
losses = []
for epoch in range(4):
    for data, target in train_loader:
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.float16):
            loss = nn.functional.cross_entropy(net(data), target)
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        before = scaler.get_scale()
        scaler.step(opt)
        scaler.update()
        skipped += scaler.get_scale() < before
        if scaler.get_scale() >= before:
            losses.append(loss.item())
    print(epoch, loss.item(), scaler.get_scale(), skipped)
loss = None
# %% tags=["step:bf16"]
torch.manual_seed(1)
net2 = nn.Sequential(nn.Linear(10, 32), nn.GELU(), nn.Linear(32, 2))
opt2 = torch.optim.AdamW(net2.parameters(), lr=torch.tensor(0.01))
for data, target in train_loader:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net2(data); loss = nn.functional.cross_entropy(out, target)
    loss.backward(); opt2.step(); opt2.zero_grad()
print(loss.item())
loss = out = None
#! series["loss"] == losses
#! len(losses) + skipped == 24 and skipped > 0
#! len(series["loss/opt2"]) == 6
#! abs(series["lr/opt2"][0] - 0.01) < 1e-8
