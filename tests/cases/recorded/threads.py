# %% tags=["imports"]
import threading, queue
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:hogwild"]
torch.manual_seed(0)
data = torch.randn(400, 4)
nets = [nn.Linear(4, 1) for _ in range(3)]
seen = {}
def work(n):
    opt = torch.optim.SGD(nets[n].parameters(), lr=0.01)
    losses = []
    for epoch in range(2):
        for (x,) in DataLoader(TensorDataset(data), batch_size=4, generator=torch.Generator().manual_seed(n), shuffle=True):
            opt.zero_grad(); loss = nets[n](x).pow(2).mean(); loss.backward(); opt.step(); losses.append(loss.item())
    seen[n] = losses
threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
[t.start() for t in threads]; [t.join() for t in threads]
seen = dict(sorted(seen.items()))
print([round(sum(v), 6) for v in seen.values()])
del threads
#! sorted(series[name] for name in ("loss", "loss/2", "loss/3")) == sorted(seen.values())
#! series["epoch"] == series["epoch/2"] == [1] * 100 + [2] * 100
#! series["batch/3"] == [*range(1, 101)] * 2
