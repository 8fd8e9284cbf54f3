# All of it in functions: what the loop binds are variables of a function.
import torch
from nb2pipe import track


def train(model, data, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, amsgrad=True)
    scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.001, 0.02, step_size_up=5, cycle_momentum=False)
    best, history, seen = float("inf"), [], 0
    state = {"best": best, "history": history, "seen": seen}
    training = track.training(model, optimizer, scheduler=scheduler, state=state, every="3 steps")
    for epoch in training.epochs(epochs):
        model.train()
        for x, y in epoch.batches(data):
            trip()
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            scheduler.step()
            seen += len(x)
        value = evaluate(model, data)
        history.append(value)
        if value < best:
            best = value
        print(int(epoch), value, best, seen)
    return best, history, seen


@torch.no_grad()
def evaluate(model, data):
    model.eval()
    return sum(torch.nn.functional.mse_loss(model(x), y).item() for x, y in data)


torch.manual_seed(7)
pairs = torch.utils.data.TensorDataset(torch.randn(25, 3), torch.randn(25, 1))
net = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 1))
print(train(net, torch.utils.data.DataLoader(pairs, batch_size=5, shuffle=True), 4))
nets = [net]
