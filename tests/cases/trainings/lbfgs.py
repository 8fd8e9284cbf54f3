# A closure that the optimizer calls as often as it likes.
import torch
from nb2pipe import track

torch.manual_seed(2)
inputs = torch.randn(40, 3)
targets = inputs.pow(2).sum(1, keepdim=True)
net = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1))
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=4, history_size=5, line_search_fn="strong_wolfe")
losses = []
training = track.training(net, optimizer, state={"losses": losses}, every="1 epoch")
for epoch in training.epochs(range(5)):
    trip()

    def closure():
        optimizer.zero_grad()
        loss = (net(inputs) - targets).pow(2).mean()
        loss.backward()
        return loss

    losses.append(optimizer.step(closure).item())
    print(losses[-1])
nets = [net]
