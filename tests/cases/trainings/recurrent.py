# A network that keeps its hidden state from batch to batch, in a tensor that is no buffer, and noise of its own.
import torch
from nb2pipe import track


class Reader(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.out = torch.nn.Embedding(9, 5), torch.nn.GRU(5, 6), torch.nn.Linear(6, 9)
        self.hidden = torch.zeros(1, 3, 6)
        self.noise = torch.Generator().manual_seed(3)

    def forward(self, letters):
        drawn = torch.rand(letters.shape, generator=self.noise) < 0.1
        made, hidden = self.cell(self.embed(letters.masked_fill(drawn, 0)), self.hidden)
        self.hidden = hidden.detach()
        return self.out(made)


torch.manual_seed(12)
text = torch.randint(0, 9, (60, 3))
chunks = [(text[place : place + 6], text[place + 1 : place + 7]) for place in range(0, 54, 6)]
net = Reader()
reader = torch.nn.Sequential(net)
optimizer = torch.optim.Adamax(net.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.SequentialLR(
    optimizer,
    [torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=2), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)],
    milestones=[2],
)
training = track.training(reader, optimizer, scheduler=scheduler, every="4 steps")
for epoch in training.epochs(4):
    for letters, following in epoch.batches(chunks):
        trip()
        net.zero_grad()
        loss = torch.nn.functional.cross_entropy(reader(letters).reshape(-1, 9), following.reshape(-1))
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(int(epoch), loss.item())
nets = [net]
