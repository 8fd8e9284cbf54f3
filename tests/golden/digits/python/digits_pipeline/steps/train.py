"""Step `train` of the pipeline `digits`."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import optim
from torch.utils.data import DataLoader

from digits_pipeline.definitions import Net


class Train(NamedTuple):
    """What the step `train` leaves."""

    losses: Any
    net: Any


def train(
    train_ds: Any,
    *,
    lr: float = 0.05,
    momentum: float = 0.9,
    epochs: int = 10,
    batch_size: int = 64,
    hidden: int = 64,
    random_state: int = 1,
) -> Train:
    """Train."""
    # fmt: off
    # %% cell 9
    torch.manual_seed(random_state)
    net = Net(hidden)
    optimizer = optim.SGD(net.parameters(), lr=lr, momentum=momentum)
    data_loader = DataLoader(train_ds, batch_size=batch_size, shuffle=True)

    # %% cell 10
    losses = []
    for epoch in range(1, epochs + 1):
        net.train()
        total = 0.0
        for data, target in data_loader:
            optimizer.zero_grad()
            output = net.forward(data)
            loss = F.nll_loss(output, target)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(data)
        losses.append(total / len(train_ds))
        print(f"epoch {epoch}: loss {losses[-1]:.4f}")
        if epoch % 2 == 0:
            torch.save(net, "net.pt")
    # fmt: on
    return Train(losses=losses, net=net)


if __name__ == "__main__":
    from nb2pipe.runtime.program import run_step

    sys.exit(run_step("digits_pipeline", "train"))
