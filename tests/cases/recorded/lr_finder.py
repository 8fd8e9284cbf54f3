# %% tags=["imports"]
import copy, math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["step:data"]
g = torch.Generator().manual_seed(0)
X = torch.randn(200, 5, generator=g); Y = X @ torch.tensor([1., -2., 3., 0., .5]) + 0.1 * torch.randn(200, generator=g)
loader = DataLoader(TensorDataset(X, Y), batch_size=10, shuffle=True)
# %% tags=["functions"]
def find_lr(net, loss_fn, optimizer, loader, init_value=1e-4, final_value=1.0):
    saved = copy.deepcopy(net.state_dict())
    mult = (final_value / init_value) ** (1 / (len(loader) - 1))
    lr = init_value
    avg, best, losses, lrs = 0., float("inf"), [], []
    for batch_num, (x, y) in enumerate(loader, 1):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        loss = loss_fn(net(x).squeeze(-1), y)
        avg = 0.9 * avg + 0.1 * loss.item()
        smooth = avg / (1 - 0.9 ** batch_num)
        if batch_num > 1 and smooth > 4 * best:
            break
        best = min(best, smooth)
        losses.append(smooth); lrs.append(math.log10(lr))
        loss.backward()
        optimizer.step()
        lr *= mult
    net.load_state_dict(saved)
    return lrs, losses
# %% tags=["step:find"]
torch.manual_seed(1)
net = nn.Linear(5, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
lrs, losses = find_lr(net, nn.MSELoss(), optimizer, loader)
best_lr = 10 ** lrs[losses.index(min(losses))] / 10
print(best_lr)
# %% tags=["step:train"]
optimizer = torch.optim.SGD([{"params": [net.weight], "lr": best_lr}, {"params": [net.bias], "lr": best_lr * 2}], momentum=0.9)
sched = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=[best_lr * 5, best_lr * 10], steps_per_epoch=len(loader), epochs=2)
for epoch in range(2):
    for x, y in loader:
        loss = nn.functional.mse_loss(net(x).squeeze(-1), y)
        loss.backward(); optimizer.step(); sched.step(); optimizer.zero_grad()
    print(epoch, loss.item())
loss = None
#! len(series["loss/2"]) == 40 and series["epoch/2"] == [1] * 20 + [2] * 20
#! len(series["loss"]) == len(lrs) and series["lr"][0] == 1e-4
#! len(series["lr/group2/2"]) == 40
