# Two loaders side by side, which only a whole pass can repeat; and a memory of features that an object keeps.
import torch
from nb2pipe import track


class Bank:
    def __init__(self):
        self.rows, self.next = torch.zeros(12, 4), 0

    def take(self, rows):
        for row in rows:
            self.rows[self.next] = row.detach()
            self.next = (self.next + 1) % 12


torch.manual_seed(13)
loader = torch.utils.data.DataLoader(torch.randn(20, 4), batch_size=4, shuffle=True)
others = torch.utils.data.DataLoader(torch.randn(20, 4), batch_size=4, shuffle=True)
net = torch.nn.Linear(4, 4)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
bank = Bank()
training = track.training(net, optimizer, state={"bank": bank}, every="2 steps")
for epoch in training.epochs(5):
    for one, two in zip(epoch.batches(loader), others):
        trip()
        optimizer.zero_grad()
        made = net(one)
        loss = (made - net(two)).pow(2).mean() + (made @ bank.rows.T).pow(2).mean() + (made.sum() - 1).pow(2)
        loss.backward()
        optimizer.step()
        bank.take(made)
    print(int(epoch), loss.item(), bank.next)
nets = [net]
