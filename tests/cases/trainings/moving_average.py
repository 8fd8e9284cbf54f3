# A moving average of the weights in an object of the notebook's, early stopping, and the best weights in a copy.
import copy
import torch
from nb2pipe import track


class Average:
    def __init__(self, model, decay):
        self.decay = decay
        self.shadow = {name: value.clone() for name, value in model.state_dict().items()}

    def follow(self, model):
        for name, value in model.state_dict().items():
            self.shadow[name].mul_(self.decay).add_(value, alpha=1 - self.decay)


class Stopper:
    def __init__(self, patience):
        self.patience, self.best, self.bad, self.seen = patience, None, 0, []

    def should_stop(self, value):
        self.seen.append(value)
        self.bad = 0 if self.best is None or value < self.best else self.bad + 1
        self.best = value if self.best is None else min(self.best, value)
        return self.bad > self.patience


torch.manual_seed(4)
inputs, checks = torch.randn(30, 4), torch.randn(10, 4)
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.GELU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.RMSprop(net.parameters(), lr=0.01, centered=True, momentum=0.5)
average, stopper = Average(net, 0.9), Stopper(2)
best = copy.deepcopy(net.state_dict())
loader = torch.utils.data.DataLoader(inputs, batch_size=5, shuffle=True)
training = track.training(net, optimizer, state={"average": average, "best": best}, every="4 steps", monitor="loss", mode="min")
for epoch in training.epochs(8):
    for x in epoch.batches(loader):
        trip()
        optimizer.zero_grad()
        (net(x) - x.sum(1, keepdim=True)).pow(2).mean().backward()
        optimizer.step()
        average.follow(net)
    with torch.no_grad():
        loss = (net(checks) - checks.sum(1, keepdim=True)).pow(2).mean().item()
    if loss <= min(stopper.seen, default=loss):
        best = copy.deepcopy(net.state_dict())
    epoch.log(loss=loss)
    print(int(epoch), loss, stopper.bad)
    if stopper.should_stop(loss):
        break
mean = copy.deepcopy(net)
mean.load_state_dict(average.shadow)
last = copy.deepcopy(net)
last.load_state_dict(best)
nets = [net, mean, last]
