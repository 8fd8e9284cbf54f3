# Two models, one of them lazy, and two optimizers; rounds are counted by `enumerate`, and one of the optimizers sums its gradients.
import torch
from nb2pipe import track

torch.manual_seed(1)
real = torch.randn(24, 4) * 2 + 1
maker = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 4))
judge = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LeakyReLU(), torch.nn.Dropout(0.2), torch.nn.LazyLinear(1))
makes = torch.optim.Adam(maker.parameters(), lr=0.01, betas=(0.5, 0.999))
judges = torch.optim.Adam(judge.parameters(), lr=0.01)
loader = torch.utils.data.DataLoader(real, batch_size=4, shuffle=True)
criterion = torch.nn.BCEWithLogitsLoss()
training = track.training([maker, judge], [makes, judges], every="2 steps")
for epoch in training.epochs(4):
    for i, rows in enumerate(epoch.batches(loader), start=1):
        trip()
        judges.zero_grad()
        made = maker(torch.randn(len(rows), 3))
        loss = criterion(judge(rows), torch.ones(len(rows), 1)) + criterion(judge(made.detach()), torch.zeros(len(rows), 1))
        loss.backward()
        judges.step()
        criterion(judge(made), torch.ones(len(rows), 1)).backward()
        if i % 3 == 0:
            makes.step()
            makes.zero_grad()
            print(int(epoch), i, loss.item())
nets = [maker, judge]
