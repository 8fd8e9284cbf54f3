# %% tags=["imports"]
import random
import numpy as np
import torch
# %% tags=["step:data"]
inputs = torch.randn(64, 8)
noise = np.random.standard_normal(64)
targets = inputs.sum(dim=1, keepdim=True) + torch.tensor(noise).float().unsqueeze(1)
print(inputs.sum().item())
# %% tags=["step:model"]
model = torch.nn.Linear(8, 1)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
shadow = model.weight
# %% tags=["step:train"]
for epoch in range(10):
    optimizer.zero_grad()
    loss = ((model(inputs) - targets) ** 2).mean()
    loss.backward()
    optimizer.step()
    print(epoch, loss.item())
torch.save(model.state_dict(), "left_model.pt")
loss = loss.item()
# %% tags=["step:score"]
assert shadow is model.weight
with torch.no_grad():
    error = (model(torch.randn(16, 8)) ** 2).mean().item() + random.random()
print(error)
# %% tags=["pipeline-metrics"]
print(error)
