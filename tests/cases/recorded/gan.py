# %% tags=["imports"]
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset
# %% tags=["parameters"]
epochs = 3
nz = 4
# %% tags=["step:data"]
torch.manual_seed(7)
real_data = torch.randn(120, 2) * 0.3 + torch.tensor([1.0, -1.0])
dataloader = DataLoader(TensorDataset(real_data), batch_size=16, shuffle=True, drop_last=True)
# %% tags=["step:model"]
netG = nn.Sequential(nn.Linear(nz, 16), nn.ReLU(), nn.Linear(16, 2))
netD = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
# %% tags=["step:train"]
G_losses = []
D_losses = []
for epoch in range(epochs):
    for i, (data,) in enumerate(dataloader):
        netD.zero_grad()
        b = data.size(0)
        errD_real = criterion(netD(data), torch.ones(b, 1))
        errD_real.backward()
        noise = torch.randn(b, nz)
        fake = netG(noise)
        errD_fake = criterion(netD(fake.detach()), torch.zeros(b, 1))
        errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), torch.ones(b, 1))
        errG.backward()
        optimizerG.step()
        G_losses.append(errG.item())
        D_losses.append(errD_real.item() + errD_fake.item())
    print(f"[{epoch}/{epochs}] D {D_losses[-1]:.5f} G {G_losses[-1]:.5f}")
    torch.save(netG.state_dict(), "netG.pth")
# %% tags=["step:evaluate"]
with torch.no_grad():
    sample = netG(torch.randn(5, nz))
print(sample.mean().item())
#! series["loss"] == D_losses
#! series["loss/optimizerG"] == G_losses
#! series["epoch/optimizerG"] == [1] * 7 + [2] * 7 + [3] * 7
#! series["lr"] == [2e-4] * 21
#! saved == [("netG.pth", 7, 1), ("netG.pth", 14, 2), ("netG.pth", 21, 3)]
