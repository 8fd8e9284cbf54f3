# %% tags=["imports"]
import hashlib
import random
import time
import numpy as np
import torch
from nb2pipe import track
# %% tags=["parameters"]
workers = 0
every = "7 steps"
nap = 0.01
# %% tags=["functions"]
class Rows(torch.utils.data.Dataset):
    def __init__(self, inputs, targets):
        self.inputs, self.targets = inputs, targets
        self.drawn = np.random.default_rng(5)

    def __len__(self):
        return len(self.inputs)

    def __getitem__(self, place):
        noise = 0.1 * torch.randn(8) + random.random() * 0.01 + float(self.drawn.normal()) * 0.01
        return self.inputs[place] + noise, self.targets[place]
# %% tags=["step:data"]
inputs = torch.randn(100, 8)
targets = (inputs.sum(1, keepdim=True) > 0).float()
# %% tags=["step:train"]
net = torch.nn.Sequential(
    torch.nn.Linear(8, 16), torch.nn.BatchNorm1d(16), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(16, 1)
)
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=60)
loader = torch.utils.data.DataLoader(Rows(inputs, targets), batch_size=10, shuffle=True, num_workers=workers)
best, history, running = 0.0, [], 0.0
print("begins")
# %%
state = {"best": best, "history": history, "running": running}
training = track.training(net, optimizer, scheduler=scheduler, state=state, every=every, keep=2, monitor="accuracy")
for epoch in training.epochs(range(1, 7)):
    running = 0.0
    net.train()
    for data, target in epoch.batches(loader):
        optimizer.zero_grad()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(net(data), target)
        loss.backward()
        optimizer.step()
        scheduler.step()
        running += loss.item()
        time.sleep(nap)
    net.eval()
    accuracy = ((net(inputs) > 0) == targets).float().mean().item()
    history.append(accuracy)
    if accuracy > best:
        best = accuracy
    epoch.log(accuracy=accuracy, running=running)
    print("epoch", epoch, running, best)
weights = [parameter.detach().clone() for parameter in net.state_dict().values()]
last = loss.item()
# %% tags=["step:score"]
print(len(history), sum(history), best, last, torch.rand(1).item(), random.random())
digest = hashlib.sha256(b"".join(weight.numpy().tobytes() for weight in weights)).hexdigest()
print(digest)
with open("left_weights.txt", "w") as stream:
    stream.write(digest)
# %% tags=["pipeline-metrics"]
print(best)
