# %% tags=["imports"]
import torch, numpy as np
from torch import nn
from torch.distributions import Categorical
from collections import deque
# %% tags=["functions"]
class Corridor:
    def __init__(self, n=6): self.n = n
    def reset(self):
        self.pos, self.t = 0, 0
        return self.obs()
    def obs(self): return np.eye(self.n, dtype=np.float32)[self.pos]
    def step(self, a):
        self.pos = max(0, self.pos + (1 if a == 1 else -1)); self.t += 1
        done = self.pos == self.n - 1 or self.t > 30
        return self.obs(), (1.0 if self.pos == self.n - 1 else -0.05), done
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Linear(6, 2); self.critic = nn.Linear(6, 1)
    def forward(self, s): return self.actor(s), self.critic(s)
# %% tags=["step:train"]
torch.manual_seed(5)
env = Corridor(); policy = Policy()
actor_opt = torch.optim.Adam(policy.actor.parameters(), lr=0.05)
critic_opt = torch.optim.SGD(policy.critic.parameters(), lr=0.1)
scores = deque(maxlen=10); returns_seen = []
for episode in range(15):
    s, logps, values, rewards, done = env.reset(), [], [], [], False
    while not done:
        logits, v = policy(torch.from_numpy(s)); d = Categorical(logits=logits); a = d.sample()
        s, r, done = env.step(a.item())
        logps.append(d.log_prob(a)); values.append(v); rewards.append(r)
    R, returns = 0, []
    for r in rewards[::-1]:
        R = r + 0.99 * R; returns.insert(0, R)
    returns = torch.tensor(returns); values = torch.cat(values)
    adv = returns - values.detach()
    actor_loss = -(torch.stack(logps) * adv).sum()
    critic_loss = nn.functional.mse_loss(values, returns)
    actor_opt.zero_grad(); actor_loss.backward(); actor_opt.step()
    critic_opt.zero_grad(); critic_loss.backward(); critic_opt.step()
    scores.append(sum(rewards)); returns_seen.append(sum(rewards))
print(np.mean(scores))
logps = values = adv = actor_loss = critic_loss = logits = v = d = None
# %% tags=["step:show"]
print([p.detach().numpy().round(4).tolist() for p in policy.parameters()][0][0])
#! len(series["loss"]) == len(series["loss/critic_opt"]) == 15
#! min(series["loss/critic_opt"]) > 0
