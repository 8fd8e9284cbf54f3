# A weighted sampler with a generator of its own, random augmentation by NumPy and Python, and a plateau of the rate.
import random
import numpy as np
import torch
from nb2pipe import track


class Rows(torch.utils.data.Dataset):
    def __init__(self, rows):
        self.rows, self.drawn, self.served = rows, np.random.default_rng(5), 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, place):
        self.served += 1
        noise = np.random.normal(size=4) * 0.1 + self.drawn.normal() + random.random() + self.served * 0.001
        return self.rows[place] + torch.as_tensor(noise, dtype=torch.float32)


torch.manual_seed(5), random.seed(5), np.random.seed(5)
rows = Rows(torch.randn(32, 4))
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Dropout(0.3), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.AdamW([{"params": net[0].parameters()}, {"params": net[3].parameters(), "lr": 0.02}], lr=0.01)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=0.5)
sampler = torch.utils.data.WeightedRandomSampler(torch.rand(32), 32, generator=torch.Generator().manual_seed(9))
loader = torch.utils.data.DataLoader(rows, batch_size=4, sampler=sampler, num_workers=WORKERS)
total = 0.0
training = track.training(net, optimizer, scheduler=scheduler, state={"total": total}, every="3 steps")
for epoch in training.epochs(range(1, 5)):
    total = 0.0
    for x in epoch.batches(loader):
        trip()
        loss = net(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    scheduler.step(total)
    print(int(epoch), total, scheduler.get_last_lr())
nets = [net]
