"""Imports, functions and classes of `digits.ipynb` that its steps share."""

# ruff: noqa: F401

from nb2pipe.runtime.modules import stand_for_notebook

stand_for_notebook(globals())
# fmt: off

# %% cell 2, line 3
import torch
import torch.nn.functional as F

# %% cell 2, line 8
from torch import nn, optim

# %% cell 4
class Net(nn.Module):
    """64 pixels in, the logarithms of 10 probabilities out."""

    def __init__(self, hidden):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc2 = nn.Linear(hidden, 10)

    def forward(self, pixels):
        return F.log_softmax(self.fc2(F.relu(self.fc1(pixels))), dim=1)


def predictions(net, data_loader):
    """The digit that the network takes each image for."""
    net.eval()
    with torch.no_grad():
        return torch.cat([net.forward(data).argmax(dim=1) for data, _ in data_loader])
