# A training in each of several folds, and then one with another one in each of its epochs.
import torch
from nb2pipe import track

torch.manual_seed(9)
inputs = torch.randn(24, 3)
targets = inputs.sum(1, keepdim=True)
nets, scores = [], []
for fold in range(2):
    held = torch.arange(24) % 2 == fold
    net = torch.nn.Linear(3, 1)
    optimizer = torch.optim.NAdam(net.parameters(), lr=0.05)
    loader = torch.utils.data.DataLoader(inputs[~held], batch_size=4, shuffle=True)
    training = track.training(net, optimizer, every="2 steps")
    for epoch in training.epochs(2):
        for x in epoch.batches(loader):
            trip()
            optimizer.zero_grad()
            (net(x) - x.sum(1, keepdim=True)).pow(2).mean().backward()
            optimizer.step()
    scores.append((net(inputs[held]) - targets[held]).pow(2).mean().item())
    print(fold, scores[-1])
    nets.append(net)
start = torch.nn.Linear(3, 1)
outer = track.training(start, torch.optim.SGD(start.parameters(), lr=0.1))
for task in outer.epochs(2):
    learner = torch.nn.Linear(3, 1)
    learner.load_state_dict(start.state_dict())
    learns = torch.optim.SGD(learner.parameters(), lr=0.1)
    for epoch in track.training(learner, learns).epochs(2):
        trip()
        learns.zero_grad()
        (learner(inputs) - targets * (task + 1) + torch.randn(24, 1)).pow(2).mean().backward()
        learns.step()
        print(int(task), int(epoch), learner.bias.item())
    with torch.no_grad():
        for one, two in zip(start.parameters(), learner.parameters()):
            one += 0.5 * (two - one)
nets.append(start)
