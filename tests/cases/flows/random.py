# == functions of the module random
# %% [imports]
import random
# %% a
a = random.random()
# %% b
b = random.randint(1, 9)
# %% c
c = random.choice("abc")
# %% d
d = random.sample(range(9), 2)
# %% e
e = random.gauss(0, 1)
# %% f
print(random.Random(3).random())
# %% g
print(b, c, d, e)
#> a -> b: random random
#> b -> c: random random
#> c -> d: random random
#> d -> e: random random
#> b -> g: b
#> c -> g: c
#> d -> g: d
#> e -> g: e

# == a generator object of random
# %% [imports]
import random
# %% a
r = random.Random(0)
# %% b
print(r.random())
# %% c
print(r.choice([1, 2]))
#> a -> b: r
#> b -> c: ~r

# == draws in a function of the notebook
# %% [functions]
import random
import numpy as np
def noise(x):
    return x + np.random.normal()
def pick(items):
    return random.choice(items)
# %% a
a = noise(1)
# %% b
b = pick([1, 2])
# %% c
c = noise(2)
# %% d
print(a, b, c)
#> a -> c: random numpy
#> a -> d: a
#> b -> d: b
#> c -> d: c

# == draws in a method, a property and a lambda
# %% [functions]
import random
class Die:
    def roll(self):
        return random.randint(1, 6)
    @property
    def side(self):
        return random.random()
# %% a
die = Die()
# %% b
print(die.roll())
# %% c
print(die.side)
# %% d
draw = lambda: random.random()
# %% e
print(draw())
#> a -> b: die
#> a -> c: die
#> b -> c: random random
#> c -> e: random random
#> d -> e: draw()

# == draws in callbacks
# %% [imports]
import random
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
# %% b
df["b"] = df["a"].apply(lambda v: v + random.random())
# %% c
x = sorted([3, 1], key=lambda v: random.random())
# %% d
print(df, x)
#> a -> b: df
#> b -> c: random random
#> b -> d: ~df
#> c -> d: x

# == seeds stand before what they seed
# %% [imports]
import random
import numpy as np
import torch
# %% a
random.seed(1)
np.random.seed(1)
torch.manual_seed(1)
# %% b
print(random.random())
# %% c
print(np.random.rand())
# %% d
print(torch.rand(1))
#> a -> b: random random
#> a -> c: random numpy
#> a -> d: random torch

# == a seed function of the notebook
# %% [functions]
import random
import numpy as np
def set_seed(n):
    random.seed(n)
    np.random.seed(n)
# %% a
set_seed(1)
# %% b
print(np.random.rand())
# %% c
set_seed(1)
# %% d
print(random.random(), np.random.rand())
#> a -> b: random numpy
#> a -> c: random random
#> b -> c: random numpy
#> c -> d: random numpy, random random

# == initial weights, dropout and shuffles of torch
# %% [imports]
import torch
from torch import nn
import torch.nn.functional as F
# %% a
a = nn.Conv2d(1, 1, 2)
# %% b
b = F.dropout(torch.ones(3))
# %% c
c = torch.bernoulli(torch.full((2,), 0.5))
# %% d
d = nn.init.xavier_uniform_(torch.empty(2, 2))
# %% e
e = torch.empty(2).normal_()
# %% f
f = nn.MultiheadAttention(2, 1)
# %% g
print(b, c, d, e)
#> a -> b: random torch
#> b -> c: random torch
#> c -> d: random torch
#> d -> e: random torch
#> e -> f: random torch
#> b -> g: b
#> c -> g: c
#> d -> g: d
#> e -> g: e

# == new and older generators side by side
# %% [imports]
import numpy as np
# %% a
print(np.random.default_rng(0).normal())
# %% b
print(np.random.default_rng(1).normal())
# %% c
print(np.random.RandomState(2).rand())
#> nothing

# == a generator handed to a function
# %% [functions]
import numpy as np
def noise(rng):
    return rng.normal()
# %% a
rng = np.random.default_rng(0)
# %% b
print(noise(rng))
# %% c
print(noise(rng))
#> a -> b: rng
#> b -> c: ~rng

# == an estimator fitted in a function draws
# %% [functions]
from sklearn.ensemble import RandomForestClassifier
def train(X, y, seed=None):
    return RandomForestClassifier(n_estimators=2, random_state=seed).fit(X, y)
# %% a
X, y = [[0.0], [1.0], [2.0]], [0, 1, 1]
# %% b
print(train(X, y).feature_importances_)
# %% c
print(train(X, y).feature_importances_)
#> a -> b: X, y
#> a -> c: X, y
#> b -> c: random numpy

# == a constant seed handed over by name draws nothing
# %% [imports]
from sklearn.ensemble import RandomForestClassifier
# %% [parameters]
SEED = 3
# %% a
X, y = [[0.0], [1.0], [2.0]], [0, 1, 1]
# %% b
print(RandomForestClassifier(n_estimators=2, random_state=SEED).fit(X, y).n_classes_)
# %% c
print(RandomForestClassifier(n_estimators=2, random_state=SEED).fit(X, y).n_classes_)
#> a -> b: X, y
#> a -> c: X, y
#> parameter SEED: b, c

# == draws of pandas and of sklearn's helpers
# %% [imports]
import numpy as np
import pandas as pd
from sklearn.utils import resample
from sklearn.datasets import make_classification
from sklearn.model_selection import ShuffleSplit, cross_val_score, KFold
from sklearn.linear_model import LogisticRegression
# %% a
X, y = make_classification(20, random_state=0)
# %% b
r = resample(X)
# %% c
print([t.tolist() for _, t in ShuffleSplit(1).split(X)])
# %% d
print(cross_val_score(LogisticRegression(), X, y, cv=KFold(2, shuffle=True)))
# %% e
print(cross_val_score(LogisticRegression(), X, y, cv=2))
# %% f
print(r)
#> a -> b: X
#> a -> c: X
#> a -> d: X, y
#> a -> e: X, y
#> b -> c: random numpy
#> c -> d: random numpy
#> b -> f: r
