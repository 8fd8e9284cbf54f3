# %% tags=["imports"]
import torch, torch.nn as nn
# %% tags=["parameters"]
seq_length = 10
n_iters = 30
# %% tags=["step:text"]
text = "the quick brown fox jumps over the lazy dog " * 20
chars = sorted(set(text)); stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
# %% tags=["functions"]
class CharRNN(nn.Module):
    def __init__(self, n, h=24):
        super().__init__()
        self.emb = nn.Embedding(n, 8)
        self.rnn = nn.GRU(8, h, batch_first=True)
        self.out = nn.Linear(h, n)
    def forward(self, x, h=None):
        e, h = self.rnn(self.emb(x), h)
        return self.out(e), h
def detach(h):
    return h.detach() if h is not None else None
# %% tags=["step:train"]
torch.manual_seed(0)
model = CharRNN(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_iters)
h = None
losses = []
for it in range(n_iters):
    i = (it * seq_length) % (len(data) - seq_length - 1)
    xb, yb = data[i:i + seq_length][None], data[i + 1:i + seq_length + 1][None]
    logits, h = model(xb, detach(h))
    loss = nn.functional.cross_entropy(logits.view(-1, len(chars)), yb.view(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5)
    optimizer.step()
    scheduler.step()
    losses.append(loss.item())
    if it % 10 == 0:
        print(f"iter {it}, loss: {loss.item():.4f}, lr {scheduler.get_last_lr()[0]:.5f}")
h = None
torch.save({"model": model.state_dict(), "optim": optimizer.state_dict()}, "ckpt.tar")
# %% tags=["step:generate"]
x = torch.tensor([[stoi["t"]]]); hid = None; out = "t"
for _ in range(20):
    logits, hid = model(x, hid)
    x = torch.multinomial(logits[:, -1].softmax(-1), 1)
    out += chars[x.item()]
hid = None
print(out)
#! series["loss"] == losses
#! series["lr"][0] == 3e-3 and series["lr"] == sorted(series["lr"], reverse=True)
#! "epoch" not in series
#! saved == [("ckpt.tar", 30, None)]
