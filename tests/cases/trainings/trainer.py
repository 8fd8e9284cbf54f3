# A class that holds the model, the numbers and the loop; and a loss with a state that an optimizer of its own trains.
import torch
from nb2pipe import track


class Centers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.centers = torch.nn.Parameter(torch.randn(3, 4))
        self.register_buffer("seen", torch.zeros(3))
        self.last = torch.zeros(3)
        self.log = []

    def forward(self, x, y):
        self.seen += torch.bincount(y, minlength=3)
        self.last = 0.5 * self.last + torch.bincount(y, minlength=3)
        self.log.append(int(y[0]))
        weight = (self.last.max() - self.last + len(self.log) % 5)[y]
        return ((x - self.centers[y]).pow(2).sum(1) * weight).mean()


class Trainer:
    def __init__(self, net, criterion, loader):
        self.net, self.criterion, self.loader = net, criterion, loader
        self.optimizers = [torch.optim.SGD(net.parameters(), 0.01, momentum=0.9), torch.optim.SGD(criterion.parameters(), 0.1)]
        self.history, self.best, self.step = {"loss": []}, None, 0
        self.training = track.training([net, criterion], self.optimizers, every="4 steps")

    def fit(self, epochs):
        for epoch in self.training.epochs(epochs):
            for x, y in epoch.batches(self.loader):
                trip()
                self.round(x, y)
            self.close(epoch)

    def round(self, x, y):
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss = self.criterion(self.net(x), y)
        loss.backward()
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.history["loss"].append(loss.item())

    def close(self, epoch):
        mean = sum(self.history["loss"][-6:]) / 6
        self.best = mean if self.best is None else min(mean, self.best)
        print(int(epoch), self.step, mean, self.best)


torch.manual_seed(8)
pairs = torch.utils.data.TensorDataset(torch.randn(30, 5), torch.randint(0, 3, (30,)))
net, criterion = torch.nn.Linear(5, 4), Centers()
trainer = Trainer(net, criterion, torch.utils.data.DataLoader(pairs, 5, shuffle=True))
trainer.fit(4)
print(trainer.history, criterion.log)
nets = [net, criterion]
