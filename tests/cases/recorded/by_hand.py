# %% tags=["imports"]
import random, torch
# %% tags=["functions"]
def synthetic_data(w, b, n):
    X = torch.normal(0, 1, (n, len(w))); y = torch.matmul(X, w) + b
    return X, (y + torch.normal(0, 0.01, y.shape)).reshape((-1, 1))
def data_iter(batch_size, features, labels):
    indices = list(range(len(features))); random.shuffle(indices)
    for i in range(0, len(features), batch_size):
        j = torch.tensor(indices[i:i + batch_size]); yield features[j], labels[j]
def linreg(X, w, b): return torch.matmul(X, w) + b
def squared_loss(y_hat, y): return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2
def sgd(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()
# %% tags=["step:data"]
random.seed(0); torch.manual_seed(0)
features, labels = synthetic_data(torch.tensor([2, -3.4]), 4.2, 100)
# %% tags=["step:train"]
w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True); b = torch.zeros(1, requires_grad=True)
for epoch in range(3):
    for X, y in data_iter(10, features, labels):
        l = squared_loss(linreg(X, w, b), y)
        l.sum().backward()
        sgd([w, b], 0.03, 10)
    with torch.no_grad():
        print(f"epoch {epoch + 1}, loss {float(squared_loss(linreg(features, w, b), labels).mean()):f}")
l = None
# %% tags=["step:result"]
print(w.tolist(), b.item())
#! len(series["loss"]) == 30 and series["loss"][-1] < series["loss"][0]
#! "lr" not in series
