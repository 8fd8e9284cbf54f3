# == in-place operations of tensors
# %% [imports]
import torch
# %% a
x, y, z, w = torch.ones(2), torch.ones(2), torch.ones(2), torch.ones(2)
# %% b
x.zero_()
# %% c
y.copy_(torch.full((2,), 3.0))
# %% d
z += 1
# %% e
torch.add(w, 1, out=w)
# %% f
print(x, y, z, w)
#> a -> b: x
#> a -> c: y
#> a -> d: z
#> a -> e: w
#> b -> f: ~x
#> c -> f: ~y
#> d -> f: z
#> e -> f: ~w

# == data of a parameter
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1, bias=False)
# %% b
net.weight.data.fill_(1.0)
# %% c
net.weight.data = torch.zeros(1, 2)
# %% d
with torch.no_grad():
    net.weight += 1
# %% e
print(net.weight)
#> a -> b: net
#> b -> c: ~net
#> c -> d: ~net
#> d -> e: ~net

# == init functions change a layer
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
other = nn.Linear(2, 1)
# %% b
nn.init.zeros_(net.bias)
# %% c
nn.init.normal_(other.weight)
# %% d
print(net.bias, other.weight)
#> a -> b: net
#> a -> c: other, random torch
#> b -> d: ~net
#> c -> d: ~other

# == apply with a function
# %% [imports]
import torch
from torch import nn
# %% [functions]
def init(m):
    if isinstance(m, nn.Linear):
        nn.init.ones_(m.weight)
# %% a
net = nn.Sequential(nn.Linear(2, 1))
# %% b
net.apply(init)
# %% c
print(net[0].weight)
#> a -> b: net
#> b -> c: ~net

# == state dicts
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
saved = net.state_dict()
# %% b
net.weight.data.add_(1)
# %% c
print(saved["weight"])
#> a -> b: net, saved
#> b -> c: ~saved

# == a copied state is apart
# %% [imports]
import copy
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
best = copy.deepcopy(net.state_dict())
# %% b
net.weight.data.add_(1)
# %% c
print(best["weight"])
# %% d
net.load_state_dict(best)
# %% e
print(net.weight)
#> a -> b: net
#> a -> c: best
#> a -> d: best
#> b -> d: ~net
#> d -> e: ~net

# == batch norm in training mode keeps statistics
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.BatchNorm1d(2)
x = torch.arange(6.0).reshape(3, 2)
# %% b
out = net(x).detach()
# %% c
print(net.running_mean)
#> a -> b: net, x
#> b -> c: ~net

# == batch norm inside a sequence
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
x = torch.arange(6.0).reshape(3, 2)
# %% b
with torch.no_grad():
    net(x)
# %% c
print(net.state_dict()["1.running_mean"])
#> a -> b: net, x
#> b -> c: ~net

# == batch norm inside a class
# %% [imports]
import torch
from torch import nn
# %% [functions]
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(2)
    def forward(self, x):
        return self.bn(x)
# %% a
net = Net()
x = torch.arange(6.0).reshape(3, 2)
# %% b
out = net(x).detach()
# %% c
print(net.bn.running_mean)
#> a -> b: net, x
#> b -> c: ~net

# == evaluation in eval mode only reads
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
net.eval()
x = torch.arange(6.0).reshape(3, 2)
# %% b
with torch.no_grad():
    print(net(x))
# %% c
with torch.no_grad():
    print(net(x).sum())
# %% d
print(net.training)
#> a -> b: net, x
#> a -> c: net, x
#> a -> d: net

# == freezing layers
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
# %% b
for p in net.parameters():
    p.requires_grad = False
# %% c
print(net.weight.requires_grad)
#> a -> b: net
#> b -> c: ~net

# == requires_grad_ and a hook
# %% [imports]
import torch
# %% a
x = torch.ones(2)
# %% b
x.requires_grad_()
# %% c
print(x.requires_grad)
#> a -> b: x
#> b -> c: ~x

# == to and eval of a module are the module
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
same = net.to("cpu")
# %% b
same.weight.data.zero_()
# %% c
print(net.weight)
#> a -> b: net, same
#> b -> c: ~net

# == a training loop
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(1, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.ones(4, 1), torch.zeros(4, 1)
loss_fn = nn.MSELoss()
# %% b
losses = []
for _ in range(2):
    opt.zero_grad()
    loss = loss_fn(net(x), y)
    loss.backward()
    opt.step()
    losses.append(loss.item())
# %% c
print(losses)
# %% d
with torch.no_grad():
    print(loss_fn(net(x), y))
# %% e
print(x, y)
#> a -> b: loss_fn, net, opt, x, y
#> a -> d: loss_fn, x, y
#> a -> e: x, y
#> b -> c: losses
#> b -> d: ~net

# == a scheduler changes its optimizer
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(1, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
sched = torch.optim.lr_scheduler.StepLR(opt, 1)
# %% b
opt.step()
sched.step()
# %% c
print(opt.param_groups[0]["lr"])
#> a -> b: opt, sched
#> b -> c: ~opt

# == a learning rate set by hand
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(1, 1)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
# %% b
for group in opt.param_groups:
    group["lr"] = 0.5
# %% c
print(opt.param_groups[0]["lr"])
#> a -> b: opt
#> b -> c: ~opt

# == views of tensors
# %% [imports]
import torch
# %% a
x = torch.arange(6.0)
m = x.view(2, 3)
row = m[0]
flat = x.numpy()
# %% b
row.fill_(9)
# %% c
print(x, flat)
#> a -> b: flat, row, x
#> b -> c: ~flat, ~x

# == detached tensors share, clones do not
# %% [imports]
import torch
# %% a
x = torch.ones(2)
d = x.detach()
c = x.clone()
# %% b
d[0] = 5
# %% e
print(x)
# %% f
print(c)
#> a -> b: d, x
#> a -> f: c
#> b -> e: ~x

# == draws of torch
# %% [imports]
import torch
from torch.utils.data import random_split, DataLoader
# %% a
a = torch.rand(2)
# %% b
b = torch.randperm(3)
# %% c
c = torch.zeros(2).uniform_()
# %% d
one, two = random_split(list(range(4)), [2, 2])
# %% e
for batch in DataLoader(torch.arange(3), shuffle=True):
    print(batch)
# %% f
g = torch.Generator().manual_seed(0)
print(torch.rand(1, generator=g))
# %% h
print(torch.zeros(3), torch.arange(3), torch.linspace(0, 1, 2), torch.eye(2))
#> a -> b: random torch
#> b -> c: random torch
#> c -> d: random torch
#> d -> e: random torch

# == a loader without a shuffle draws its base seed
# %% [imports]
import torch
from torch.utils.data import DataLoader
# %% a
loader = DataLoader(torch.arange(3))
# %% b
for batch in loader:
    pass
# %% c
print(torch.rand(1))
#> a -> b: loader
#> b -> c: random torch

# == an iterator over a loader
# %% [imports]
import torch
from torch.utils.data import DataLoader
# %% a
loader = DataLoader(torch.arange(4), batch_size=1)
# %% b
batch = next(iter(loader))
print(batch)
# %% c
print(len(loader))
#> a -> b: loader
#> a -> c: loader

# == an embedding of a tensor in a dictionary
# %% [imports]
import torch
# %% a
x = torch.zeros(2)
d = {"x": x}
# %% b
d["x"] += 1
# %% c
print(x)
#> a -> b: d, x
#> b -> c: ~x

# == gradients of a leaf
# %% [imports]
import torch
# %% a
w = torch.ones(2, requires_grad=True)
x = torch.ones(2)
# %% b
loss = (w * x).sum()
loss.backward()
loss = loss.item()
# %% c
print(w.grad)
# %% d
print(x)
#> a -> b: w, x
#> a -> d: x
#> b -> c: ~w

# == clipping changes gradients
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(1, 1)
net(torch.ones(1, 1)).sum().backward()
# %% b
torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
# %% c
print(net.weight.grad)
#> a -> b: net
#> b -> c: ~net

# == reading a model
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
# %% b
print(sum(p.numel() for p in net.parameters()), net)
# %% c
for name, p in net.named_parameters():
    print(name, p.shape)
# %% d
w = net.weight.detach().numpy().copy()
print(net.state_dict().keys())
# %% e
print(net.weight.mean().item(), net.in_features)
#> a -> b: net
#> a -> c: net
#> a -> d: net
#> a -> e: net

# == tied weights
# %% [imports]
import torch
from torch import nn
# %% a
one, two = nn.Linear(2, 2), nn.Linear(2, 2)
two.weight = one.weight
# %% b
one.weight.data.zero_()
# %% c
print(two.weight)
#> a -> b: one, two
#> b -> c: ~two

# == a module list filled later
# %% [imports]
from torch import nn
# %% a
layers = nn.ModuleList()
lin = nn.Linear(1, 1)
# %% b
layers.append(lin)
# %% c
nn.init.zeros_(layers[0].weight)
# %% d
print(lin.weight)
#> a -> b: layers, lin
#> b -> c: ~layers, ~lin
#> c -> d: ~lin

# == einsum, softmax, losses, stack read only
# %% [imports]
import torch
import torch.nn.functional as F
# %% a
x = torch.arange(4.0).reshape(2, 2)
y = torch.tensor([0, 1])
# %% b
print(F.softmax(x, dim=1), F.cross_entropy(x, y), torch.einsum("ij->i", x), torch.stack([x, x]).shape)
# %% c
print(torch.cat([x, x]), x.max(dim=1), x.mean(), x.sum().item(), torch.argmax(x), x @ x.T, torch.allclose(x, x))
# %% d
print(x.shape, x[0], x[x > 1], x.tolist(), (x == 1).float().mean(), x.numpy().sum())
#> a -> b: x, y
#> a -> c: x
#> a -> d: x

# == an in-place activation
# %% [imports]
import torch
import torch.nn.functional as F
from torch import nn
# %% a
x = torch.tensor([-1.0, 1.0])
y = torch.tensor([-1.0, 1.0])
# %% b
F.relu(x, inplace=True)
# %% c
nn.ReLU(inplace=True)(y)
# %% d
print(x, y)
#> a -> b: x
#> a -> c: y
#> b -> d: ~x
#> c -> d: ~y

# == a hook of a module reads what the notebook holds
# %% a
import torch
shapes = []
def hook(module, given, made):
    shapes.append(tuple(made.shape))
net = torch.nn.Linear(2, 1)
net.register_forward_hook(hook)
# %% b
net(torch.zeros(3, 2))
# %% c
print(shapes)
#! not compared net: hooks are counted by process
#> a -> b: net, shapes
#> b -> c: ~shapes

# == parameters that are taken out of a model are its own
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.Linear(2, 1)
# %% b
state = net.state_dict()
state["bias"].add_(1)
# %% c
with torch.no_grad():
    list(net.parameters())[0].mul_(2)
# %% d
for name, parameter in net.named_parameters():
    parameter.data.sub_(1)
# %% e
dict(net.named_parameters())["bias"].data.zero_()
# %% f
print(len(list(net.parameters())), sorted(net.state_dict()))
# %% g
print(net.weight, net.bias)
#> a -> b: net
#> b -> c: ~net
#> c -> d: ~net
#> d -> e: ?net
#> e -> f: ?net
#> e -> g: ?net
