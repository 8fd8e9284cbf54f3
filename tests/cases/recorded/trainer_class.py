# %% tags=["imports"]
import torch, threading, os, tempfile
from dataclasses import dataclass, field
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, IterableDataset
# %% tags=["functions"]
class Stream(IterableDataset):
    def __init__(self, n): self.n = n
    def __iter__(self):
        g = torch.Generator().manual_seed(0)
        for _ in range(self.n):
            x = torch.randn(3, generator=g); yield x, x.sum()
class Module(nn.Module):
    def training_step(self, batch, i): raise NotImplementedError
    def configure_optimizers(self): raise NotImplementedError
class LitReg(Module):
    def __init__(self):
        super().__init__(); self.l = nn.Linear(3, 1)
    def training_step(self, batch, i):
        x, y = batch; return {"loss": nn.functional.smooth_l1_loss(self.l(x)[:, 0], y)}
    def configure_optimizers(self):
        o = torch.optim.NAdam(self.parameters(), lr=0.05)
        return [o], [torch.optim.lr_scheduler.ExponentialLR(o, 0.9)]
class Trainer:
    def __init__(self, max_epochs, callbacks=()):
        self.max_epochs, self.callbacks, self.logged = max_epochs, list(callbacks), []
    def fit(self, module, loader):
        (opt,), (sch,) = module.configure_optimizers()
        for self.epoch in range(self.max_epochs):
            for i, batch in enumerate(loader):
                def closure():
                    opt.zero_grad()
                    out = module.training_step(batch, i)
                    out["loss"].backward()
                    return out["loss"]
                loss = opt.step(closure)
                self.logged.append(loss.item())
            sch.step()
            for c in self.callbacks: c(self, module)
class Checkpoint:
    def __call__(self, trainer, module):
        with tempfile.NamedTemporaryFile(dir=".", delete=False) as f:
            torch.save(module.state_dict(), f)
        os.replace(f.name, "last.ckpt")
# %% tags=["step:fit"]
torch.manual_seed(2)
model = LitReg(); trainer = Trainer(3, [Checkpoint()])
trainer.fit(model, DataLoader(Stream(40), batch_size=8))
print(trainer.logged[-1])
# %% tags=["step:check"]
print(model.l.weight.tolist())
#! series["loss"] == trainer.logged
#! series["epoch"] == [1] * 5 + [2] * 5 + [3] * 5
#! saved == [("last.ckpt", 5, 1), ("last.ckpt", 10, 2), ("last.ckpt", 15, 3)]
