# Reinforcement learning: an environment that draws, a memory of named tuples, a target network, no loader at all.
import collections
import random
import numpy as np
import torch
from nb2pipe import track

Move = collections.namedtuple("Move", "state action reward after")


class Walk:
    def __init__(self, seed):
        self.drawn, self.place, self.moves = np.random.default_rng(seed), 0.0, 0

    def reset(self):
        self.place, self.moves = float(self.drawn.normal()), 0
        return self.place

    def act(self, action):
        self.moves += 1
        self.place += (0.5 if action else -0.5) + float(self.drawn.normal()) * 0.1
        return self.place, -abs(self.place), self.moves >= 6


torch.manual_seed(10), random.seed(10)
walk = Walk(3)
net = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
target = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
memory, baseline, epsilon = collections.deque(maxlen=40), 0.0, 0.5
saved = {"memory": memory, "baseline": baseline, "epsilon": epsilon, "target": target}
training = track.training(net, optimizer, state=saved, every="1 epoch", keep=1)
for episode in training.epochs(8):
    state, over, total = walk.reset(), False, 0.0
    while not over:
        trip()
        values = net(torch.tensor([state]))
        action = random.randrange(2) if random.random() < epsilon else int(values.argmax())
        after, reward, over = walk.act(action)
        memory.append(Move(state, action, reward, torch.tensor([after])))
        state, total = after, total + reward
        if len(memory) >= 8:
            moves = random.sample(memory, 4)
            wanted = torch.stack([one.reward + 0.9 * target(one.after).max().detach() for one in moves])
            found = torch.stack([net(torch.tensor([one.state]))[one.action] for one in moves])
            optimizer.zero_grad()
            (wanted - found).pow(2).mean().backward()
            optimizer.step()
    epsilon *= 0.9
    baseline = 0.9 * baseline + 0.1 * total
    if episode % 3 == 2:
        target.load_state_dict(net.state_dict())
    print(int(episode), total, baseline, len(memory))
nets = [net, target]
