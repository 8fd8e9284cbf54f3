# A batch sampler of the notebook's that draws lazily, from Python's generator: checkpoints lie between epochs.
import random
import torch
from nb2pipe import track


class Buckets:
    def __init__(self, lengths, size):
        self.lengths, self.size, self.rounds = lengths, size, 0

    def __len__(self):
        return len(self.lengths) // self.size

    def __iter__(self):
        self.rounds += 1
        left = sorted(range(len(self.lengths)), key=lambda place: (self.lengths[place] + self.rounds) % 7)
        for _ in range(len(self)):
            yield [left.pop(random.randrange(len(left))) for _ in range(self.size)]


torch.manual_seed(6), random.seed(6)
rows = [torch.randn(4) * (place + 1) for place in range(24)]
net = torch.nn.Linear(4, 1)
optimizer = torch.optim.Adagrad(net.parameters(), lr=0.05)
buckets = Buckets([len(row) + place for place, row in enumerate(rows)], 4)
loader = torch.utils.data.DataLoader(rows, batch_sampler=buckets, num_workers=WORKERS)
training = track.training(net, optimizer, every="2 steps")
for epoch in training.epochs(5):
    for x in epoch.batches(loader):
        trip()
        optimizer.zero_grad()
        loss = torch.nn.functional.dropout(net(x), 0.2).pow(2).mean()
        loss.backward()
        optimizer.step()
    print(int(epoch), loss.item())
nets = [net]
