# == printing, counting and formatting
# %% a
import json, pprint, copy, logging, statistics, itertools, collections, warnings
x = {"k": [1, 2], "m": {"n": 1}}
# %% b
print(x, len(x), f"{x}", str(x), repr(x), sorted(x), list(x), sum(x["k"]), max(x["k"]), "k" in x, x == {})
# %% c
pprint.pprint(x)
print(json.dumps(x), copy.deepcopy(x), statistics.mean(x["k"]), [v for v in x.values()], any(x), all(x))
# %% d
logging.info("x %s", x)
warnings.warn("w", stacklevel=1) if len(x) > 5 else None
for key, value in x.items():
    print(key, value)
# %% e
print(dict(x), tuple(x), set(x), x.get("z"), x.keys(), list(itertools.chain(x["k"], [3])), collections.Counter(x["k"]), isinstance(x, dict), type(x), id(x) > 0, hash(str(x)) != 0)
# %% f
assert x["k"] == [1, 2]
if x:
    print(*x, sep=",")
while len(x) > 99:
    pass
#> a -> b: x
#> a -> c: x
#> a -> d: x
#> a -> e: x
#> a -> f: x

# == a progress bar and a clock
#! not compared start: it is a reading of the clock
# %% a
import time
from tqdm import tqdm
from tqdm.auto import trange
x = [[1], [2]]
# %% b
for one in tqdm(x, desc="b"):
    time.sleep(0)
# %% c
start = time.perf_counter()
for one in tqdm(enumerate(x), total=2):
    print(time.time() - start > 1e9)
# %% d
for i in trange(2):
    print(x[i])
# %% e
bar = tqdm(total=2)
bar.update(1)
bar.set_description("e")
bar.set_postfix(loss=1)
bar.close()
bar = None
#> a -> b: x
#> a -> c: x
#> a -> d: x

# == statistics of SciPy read
# %% [imports]
import numpy as np
from scipy import stats, optimize, interpolate, signal, sparse, spatial, linalg
from scipy.stats import norm, ttest_ind
# %% a
x = np.array([1.0, 2.0, 4.0])
y = np.array([2.0, 1.0, 5.0])
# %% b
print(stats.pearsonr(x, y), stats.describe(x), ttest_ind(x, y))
# %% c
print(norm.pdf(x), norm(0, 1).cdf(x), stats.zscore(x), stats.linregress(x, y).slope)
# %% d
print(optimize.minimize(lambda p: ((p - x) ** 2).sum(), [0.0]).x.round(1))
f = interpolate.interp1d(x, y)
print(f(1.5))
# %% e
print(signal.convolve(x, y), sparse.csr_matrix(np.outer(x, y)).toarray(), spatial.distance.euclidean(x, y), linalg.inv(np.outer(x, y) + np.eye(3)).round(2))
# %% g
print(x, y)
#> a -> b: x, y
#> a -> c: x, y
#> a -> d: x, y
#> a -> e: x, y
#> a -> g: x, y

# == draws of SciPy
# %% [imports]
import numpy as np
from scipy import stats
from scipy.stats import norm
# %% a
a = norm.rvs(size=2)
# %% b
b = stats.uniform(0, 1).rvs(2)
# %% c
c = norm.rvs(size=2, random_state=0)
# %% d
d = np.random.rand()
print(b, c)
#> a -> b: random numpy
#> b -> d: b, random numpy
#> c -> d: c

# == plots of arrays on figures of their own
# %% [imports]
import matplotlib.pyplot as plt
import numpy as np
# %% a
x = np.linspace(0, 1, 5)
labels = ["a", "b"]
# %% b
plt.figure(figsize=(2, 2))
plt.plot(x, x**2, label="b")
plt.legend()
plt.show()
# %% c
fig, axes = plt.subplots(1, 2)
for ax, label in zip(axes, labels):
    ax.plot(x)
    ax.set_title(label)
fig.tight_layout()
plt.close(fig)
fig = axes = ax = None
# %% d
plt.imshow(np.outer(x, x))
plt.colorbar()
plt.close("all")
# %% e
plt.hist(x, bins=2)
plt.xticks([0, 1], labels)
plt.savefig("e.png")
plt.close("all")
# %% f
print(x, labels)
#> a -> b: x
#> a -> c: labels, x
#> a -> d: x
#> a -> e: labels, x
#> a -> f: labels, x

# == seaborn with a table and columns
# %% [imports]
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
# %% a
df = pd.DataFrame({"a": [1, 2, 3], "b": [3, 4, 5], "g": ["x", "y", "x"]})
# %% b
sns.histplot(df["a"])
plt.close("all")
# %% c
sns.countplot(x="g", data=df)
plt.close("all")
# %% d
fig, ax = plt.subplots()
sns.lineplot(data=df, x="a", y="b", ax=ax)
plt.close("all")
fig = ax = None
# %% e
sns.pairplot(df, hue="g")
plt.close("all")
# %% f
df["z"] = 1
# %% h
print(df)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> a -> e: df
#> a -> f: df
#> f -> h: ~df

# == a graph of networkx
# %% [imports]
import networkx as nx
# %% a
g = nx.Graph()
g.add_edge(1, 2)
# %% b
print(nx.shortest_path(g, 1, 2), g.number_of_nodes(), nx.density(g))
# %% c
print(list(g.nodes()), list(g.edges()), nx.degree_centrality(g))
# %% d
g.add_node(3)
# %% e
print(g.number_of_nodes())
#> a -> b: g
#> a -> c: g
#> a -> d: g
#> d -> e: ~g

# == pictures of PIL
# %% [imports]
import numpy as np
from PIL import Image, ImageFilter
# %% a
im = Image.new("RGB", (4, 4))
# %% b
print(im.size, im.mode, np.array(im).shape)
# %% c
small = im.resize((2, 2)).convert("L").filter(ImageFilter.BLUR)
# %% d
im.putpixel((0, 0), (255, 0, 0))
# %% e
print(im.getpixel((0, 0)), small.size)
#> a -> b: im
#> a -> c: im
#> a -> d: im
#> c -> e: small
#> d -> e: ~im

# == joblib and pools read
# %% [imports]
from concurrent.futures import ThreadPoolExecutor
from joblib import Parallel, delayed
# %% [functions]
def square(v):
    return v * v
# %% a
x = [1, 2]
# %% b
print(Parallel(n_jobs=1)(delayed(square)(v) for v in x))
# %% c
with ThreadPoolExecutor(1) as pool:
    print(list(pool.map(square, x)))
pool = None
# %% d
print(x)
#> a -> b: x
#> a -> c: x
#> a -> d: x

# == copies of models
# %% [imports]
import copy
import pickle
import torch
from torch import nn
# %% a
net = nn.Linear(1, 1)
# %% b
best = copy.deepcopy(net)
# %% c
print(len(pickle.dumps(net)) > 0, torch.numel(net.weight))
# %% d
best.weight.data.zero_()
print(best.weight)
# %% e
print(net.weight.shape)
#> a -> b: net
#> a -> c: net
#> b -> d: best
#> a -> e: net

# == a network evaluated by a function
# %% [imports]
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
# %% [functions]
@torch.no_grad()
def accuracy(net, loader):
    return sum((net(x).argmax(1) == y).sum().item() for x, y in loader)
# %% a
net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
data = TensorDataset(torch.zeros(4, 2), torch.zeros(4, dtype=torch.long))
# %% b
print(accuracy(net, [(torch.zeros(1, 2), torch.zeros(1, dtype=torch.long))]))
# %% c
print(net(torch.ones(1, 2)).detach())
# %% d
print(len(data), data[0])
#> a -> b: net
#> a -> c: net
#> a -> d: data

# == five models side by side, with a table of scores
# %% [imports]
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
# %% data
X = np.array([[0.0, 1], [1, 0], [2, 1], [3, 5]])
y = np.array([0, 0, 1, 1])
# %% forest
forest = RandomForestClassifier(n_estimators=2, random_state=0)
forest.fit(X, y)
forest_score = accuracy_score(y, forest.predict(X))
# %% logistic
logistic = LogisticRegression().fit(X, y)
logistic_score = logistic.score(X, y)
# %% bayes
bayes = GaussianNB().fit(X, y)
bayes_score = bayes.score(X, y)
# %% knn
knn = KNeighborsClassifier(1).fit(X, y)
knn_score = knn.score(X, y)
# %% svm
svm = SVC().fit(X, y)
svm_score = svm.score(X, y)
# %% table
print({"forest": forest_score, "logistic": logistic_score, "bayes": bayes_score, "knn": knn_score, "svm": svm_score})
#> data -> forest: X, y
#> data -> logistic: X, y
#> data -> bayes: X, y
#> data -> knn: X, y
#> data -> svm: X, y
#> forest -> table: forest_score
#> logistic -> table: logistic_score
#> bayes -> table: bayes_score
#> knn -> table: knn_score
#> svm -> table: svm_score

# == queries of folders and dates
# %% [imports]
import datetime, os, platform, sys
from pathlib import Path
# %% a
x = 1
# %% b
print(Path("data").exists(), os.path.basename("a/b"), sys.version_info > (3,), platform.system() != "")
# %% c
print(datetime.date(2020, 1, 1), sys.getsizeof(x) > 0)
# %% d
open("d.txt", "w").write("1")
#> a -> c: x

# == explained by permutations and dependence
# %% [imports]
import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression
# %% a
X, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
m = LinearRegression().fit(X, y)
# %% b
print(permutation_importance(m, X, y, random_state=0).importances_mean.shape)
# %% c
print(m.coef_.round(2))
#> a -> b: X, m, y
#> a -> c: m

# == text features
# %% [imports]
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
import re, string
# %% a
docs = ["aa bb", "bb cc"]
# %% b
v = CountVectorizer()
m = v.fit_transform(docs)
# %% c
t = TfidfVectorizer(stop_words="english").fit(docs)
# %% d
words = [re.sub("aa", "", d).split() for d in docs]
print(string.punctuation[:2])
# %% e
print(v.get_feature_names_out(), m.toarray(), words)
#> a -> b: docs
#> a -> c: docs
#> a -> d: docs
#> b -> e: m, v
#> d -> e: words
