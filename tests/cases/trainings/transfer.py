# A frozen part that is trained from the third epoch on, in a group of parameters of its own.
import torch
from nb2pipe import track

torch.manual_seed(11)
pairs = torch.utils.data.TensorDataset(torch.randn(24, 6), torch.randint(0, 2, (24,)))
body = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU())
net = torch.nn.Sequential(body, torch.nn.Dropout(0.2), torch.nn.Linear(8, 2))
body.requires_grad_(False)
optimizer = torch.optim.Adam(net[2].parameters(), lr=0.01)
loader = torch.utils.data.DataLoader(pairs, batch_size=6, shuffle=True)
training = track.training(net, optimizer, every="2 steps")
for epoch in training.epochs(5):
    if epoch == 2:
        body.requires_grad_(True)
        optimizer.add_param_group({"params": body.parameters(), "lr": 0.001})
    for x, y in epoch.batches(loader):
        trip()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    print(int(epoch), loss.item(), len(optimizer.param_groups))
nets = [net]
