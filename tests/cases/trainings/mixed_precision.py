# Mixed precision with a scaler, gradients summed over batches, clipping, and counted rounds behind a progress bar.
import torch
from tqdm import tqdm
from nb2pipe import track

torch.manual_seed(3)
rows = torch.utils.data.TensorDataset(torch.randn(36, 5), torch.randint(0, 3, (36,)))
net = torch.nn.Sequential(torch.nn.Linear(5, 16), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(16, 3))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=3)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.2, total_steps=16)
loader = torch.utils.data.DataLoader(rows, batch_size=3, shuffle=True, drop_last=True)
training = track.training(net, optimizer, scheduler=scheduler, scaler=scaler, every="5 steps")
for epoch in training.epochs(4):
    for step, (x, y) in enumerate(tqdm(epoch.batches(loader), disable=True)):
        trip()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(net(x), y) / 3
        scaler.scale(loss).backward()
        if (step + 1) % 3 == 0:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad(set_to_none=True)
            scheduler.step()
    print(int(epoch), scaler.get_scale(), scheduler.get_last_lr())
nets = [net]
