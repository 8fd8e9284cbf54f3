# %% tags=["imports"]
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, SubsetRandomSampler
# %% tags=["step:data"]
np.random.seed(1)
X = np.random.randn(90, 4).astype(np.float32); y = (X[:, 0] * X[:, 1] > 0).astype(np.int64)
dataset = TensorDataset(torch.from_numpy(X), torch.from_numpy(y))
# %% tags=["functions"]
def reset_weights(m):
    if hasattr(m, "reset_parameters"):
        m.reset_parameters()
# %% tags=["step:cv"]
torch.manual_seed(42)
k = 3; idx = np.random.permutation(len(dataset)); results = {}
loss_function = nn.CrossEntropyLoss()
for fold in range(k):
    test_ids = idx[fold::k]; train_ids = np.setdiff1d(idx, test_ids)
    trainloader = DataLoader(dataset, batch_size=10, sampler=SubsetRandomSampler(train_ids))
    testloader = DataLoader(dataset, batch_size=10, sampler=SubsetRandomSampler(test_ids))
    network = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    network.apply(reset_weights)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for epoch in range(2):
        current_loss = 0.0
        for i, data in enumerate(trainloader, 0):
            inputs, targets = data
            optimizer.zero_grad()
            loss = loss_function(network(inputs), targets)
            loss.backward()
            optimizer.step()
            current_loss += loss.item()
    torch.save(network.state_dict(), f"model-fold-{fold}.pth")
    correct, total = 0, 0
    with torch.no_grad():
        for inputs, targets in testloader:
            correct += (network(inputs).argmax(1) == targets).sum().item(); total += len(targets)
    results[fold] = 100.0 * correct / total
    print(f"fold {fold}: {results[fold]:.2f} % loss {current_loss:.5f}")
loss = None
# %% tags=["step:summary"]
print(np.mean(list(results.values())))
#! {name for name in series if name.startswith("loss")} == {"loss", "loss/2", "loss/3"}
#! series["epoch/3"] == [1] * 6 + [2] * 6
#! abs(sum(series["loss/3"][-6:]) - current_loss) < 1e-9
#! saved == [(f"model-fold-{fold}.pth", 12, 2) for fold in range(3)]
