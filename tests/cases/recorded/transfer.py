# %% tags=["imports"]
import copy
import torch, torch.nn as nn
from torch.utils.data import DataLoader, Dataset
# %% tags=["functions"]
class Shapes(Dataset):
    def __init__(self, n, train): self.n, self.train = n, train
    def __len__(self): return self.n
    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        img = torch.rand(1, 8, 8, generator=g); label = i % 3
        img[:, :, label * 2] += 1
        if self.train and torch.rand(1).item() < 0.5: img = img.flip(1)
        return img, label
def train_model(model, criterion, optimizer, scheduler, num_epochs=3):
    best_wts, best_acc = copy.deepcopy(model.state_dict()), 0.0
    for epoch in range(num_epochs):
        for phase in ["train", "val"]:
            model.train() if phase == "train" else model.eval()
            running_loss, running = 0.0, 0
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    outputs = model(inputs); preds = outputs.argmax(1); loss = criterion(outputs, labels)
                    if phase == "train":
                        loss.backward(); optimizer.step()
                running_loss += loss.item() * inputs.size(0); running += torch.sum(preds == labels.data).item()
            if phase == "train": scheduler.step()
            acc = running / len(dataloaders[phase].dataset)
            print(f"{phase} loss {running_loss:.4f} acc {acc:.4f}")
            if phase == "val" and acc > best_acc:
                best_acc, best_wts = acc, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_wts)
    return model
# %% tags=["step:data"]
dataloaders = {p: DataLoader(Shapes(n, p == "train"), batch_size=8, shuffle=p == "train", num_workers=2 if p == "train" else 0) for p, n in (("train", 48), ("val", 24))}
# %% tags=["step:pretrain"]
torch.manual_seed(0)
backbone = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten())
model = nn.Sequential(backbone, nn.Linear(16, 10))
# %% tags=["step:finetune"]
for p in backbone.parameters():
    p.requires_grad = False
model[1] = nn.Linear(16, 3)
opt = torch.optim.SGD(model[1].parameters(), lr=0.01, momentum=0.9)
model = train_model(model, nn.CrossEntropyLoss(), opt, torch.optim.lr_scheduler.StepLR(opt, 2, 0.1))
# %% tags=["step:unfreeze"]
for p in backbone.parameters():
    p.requires_grad = True
opt = torch.optim.SGD([{"params": backbone.parameters(), "lr": 1e-4}, {"params": model[1].parameters()}], lr=1e-3)
model = train_model(model, nn.CrossEntropyLoss(), opt, torch.optim.lr_scheduler.StepLR(opt, 2, 0.1), 2)
torch.save(model.state_dict(), "tuned.pt")
#! series["epoch"] == [1] * 6 + [2] * 6 + [3] * 6
#! series["batch"] == [1, 2, 3, 4, 5, 6] * 3
#! series["epoch/2"] == [1] * 6 + [2] * 6
#! series["lr/group2/2"] == [1e-3] * 12
#! saved == [("tuned.pt", 12, 2)]
