# == a view writes to its base
# %% [imports]
import numpy as np
# %% a
a = np.zeros(4)
v = a[1:3]
# %% b
v[0] = 5
# %% c
print(a)
#> a -> b: a, v
#> b -> c: ~a

# == a transposed array is a view
# %% [imports]
import numpy as np
# %% a
a = np.zeros((2, 2))
t = a.T
r = a.reshape(4)
# %% b
a[0, 0] = 1
# %% c
print(t, r)
#> a -> b: a, r, t
#> b -> c: ~r, ~t

# == arithmetic, masks and copies are new
# %% [imports]
import numpy as np
# %% a
a = np.zeros(4)
b = a + 1
c = a[a > 0]
d = np.array(a)
e = a.copy()
# %% b
a[0] = 1
# %% c
print(b, c, d, e)
#> a -> b: a
#> a -> c: b, c, d, e

# == in-place functions of NumPy
# %% [imports]
import numpy as np
# %% a
a = np.zeros((2, 2))
# %% b
np.fill_diagonal(a, 1)
# %% c
a.sort()
# %% d
print(a.mean(), np.mean(a), a.shape)
#> a -> b: a
#> b -> c: ~a
#> c -> d: ~a

# == the argument out is changed
# %% [imports]
import numpy as np
# %% a
a = np.zeros(2)
b = np.zeros(2)
# %% b
np.add(a, 1, out=b)
# %% c
print(b)
#> a -> b: a, b
#> b -> c: ~b

# == seeds and draws of one generator run in order
# %% [imports]
import random
import numpy as np
# %% a
np.random.seed(0)
# %% b
x = random.random()
# %% c
y = np.random.rand(3)
# %% d
random.shuffle([1, 2])
#> a -> c: random numpy
#> b -> d: random random

# == a shuffle changes and draws
# %% [imports]
import random
# %% a
deck = [1, 2, 3]
random.seed(1)
# %% b
random.shuffle(deck)
# %% c
print(deck)
#> a -> b: deck, random random
#> b -> c: ~deck

# == a generator object is a variable of its own
# %% [imports]
import numpy as np
# %% a
rng = np.random.default_rng(0)
# %% b
x = rng.normal(size=3)
# %% c
y = rng.normal(size=3)
#> a -> b: rng
#> b -> c: ~rng

# == reading a table makes no edge between its readers
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
# %% b
print(df.head(), df.describe(), len(df), df.shape, df["a"].mean())
df.info()
# %% c
clean = df.dropna()
total = df["a"].sum()
groups = df.groupby("a").size()
# %% d
df
#> a -> b: df
#> a -> c: df
#> a -> d: df

# == a new column is a change
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
# %% b
df["b"] = df["a"] * 2
# %% c
df.loc[0, "a"] = 5
# %% d
print(df)
#> a -> b: df
#> b -> c: ~df
#> c -> d: ~df

# == inplace changes a table
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
# %% b
df.drop(columns=["a"], inplace=True)
df.columns = ["x"]
# %% c
print(df)
#> a -> b: df
#> b -> c: ~df

# == columns are copies, second names are not
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
column = df["a"]
other = df
# %% b
df["a"] = 0
# %% c
print(column)
# %% d
print(other)
#> a -> b: df, other
#> a -> c: column
#> b -> d: ~other

# == the raw values of a table are its memory
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1.0, 2.0]})
values = df["a"].values
# %% b
df.loc[0, "a"] = 5.0
# %% c
print(values)
#> a -> b: df, values
#> b -> c: ~values

# == an array of a table's column is its memory
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
column = df["a"].to_numpy()
whole = df.to_numpy()
# %% b
df.loc[0, "a"] = 5.0
# %% c
print(column, whole)
#> a -> b: column, df, whole
#> b -> c: ~column, ~whole

# == a table made on an array's memory follows it
# %% [imports]
import numpy as np
import pandas as pd
# %% a
array = np.zeros((3, 2))
df = pd.DataFrame(array, copy=False)
# %% b
array[1] = 7
# %% c
print(df)
#> a -> b: array, df
#> b -> c: ~df

# == another column leaves raw values alone
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1.0, 2.0]})
values = df["a"].values
# %% b
df["b"] = 1
# %% c
print(values)
#> a -> b: df
#> a -> c: values

# == a function of the notebook cleans a table
# %% [functions]
def clean(table):
    table["x"] = table["x"].fillna(0)
    return table.dropna()
# %% [imports]
import pandas as pd
# %% a
df = pd.read_csv("raw.csv")
# %% b
good = clean(df)
# %% c
print(df, good)
#> a -> b: df
#> b -> c: good, ~df

# == apply calls a function of the notebook
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
rates = {1: 0.5}
# %% b
df2 = df["a"].apply(lambda v: rates.get(v, 0))
# %% c
print(df2)
#> a -> b: df, rates
#> b -> c: df2

# == a sample without a seed draws
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
# %% b
one = df.sample(1)
# %% c
two = df.sample(1, random_state=1)
# %% d
three = df.sample(1)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> b -> d: random numpy

# == five models side by side
# %% [imports]
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
# %% data
X, y = make_classification(random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
# %% forest
forest = RandomForestClassifier(random_state=0).fit(X_train, y_train)
forest_score = forest.score(X_test, y_test)
# %% boosting
boosting = GradientBoostingClassifier(random_state=0)
boosting.fit(X_train, y_train)
boosting_score = accuracy_score(y_test, boosting.predict(X_test))
# %% logistic
logistic = LogisticRegression()
logistic.fit(X_train, y_train)
logistic_score = logistic.score(X_test, y_test)
# %% neighbors
neighbors = KNeighborsClassifier().fit(X_train, y_train)
neighbors_score = neighbors.score(X_test, y_test)
# %% tree
tree = DecisionTreeClassifier(random_state=0).fit(X_train, y_train)
tree_score = tree.score(X_test, y_test)
# %% compare
print(max(forest_score, boosting_score, logistic_score, neighbors_score, tree_score))
#> data -> forest: X_test, X_train, y_test, y_train
#> data -> boosting: X_test, X_train, y_test, y_train
#> data -> logistic: X_test, X_train, y_test, y_train
#> data -> neighbors: X_test, X_train, y_test, y_train
#> data -> tree: X_test, X_train, y_test, y_train
#> forest -> compare: forest_score
#> boosting -> compare: boosting_score
#> logistic -> compare: logistic_score
#> neighbors -> compare: neighbors_score
#> tree -> compare: tree_score

# == models without a seed draw from NumPy when they are fitted
# %% [imports]
from sklearn.ensemble import RandomForestClassifier
# %% a
X, y = [[0], [1]], [0, 1]
# %% b
one = RandomForestClassifier()
# %% c
two = RandomForestClassifier().fit(X, y)
# %% d
one.fit(X, y)
# %% e
print(one.predict(X), two.predict(X))
#> a -> c: X, y
#> a -> d: X, y
#> a -> e: X
#> b -> d: one
#> c -> d: random numpy
#> c -> e: two
#> d -> e: ~one

# == predicting and scoring change no model
# %% [imports]
from sklearn.linear_model import LinearRegression
# %% a
X, y = [[0], [1]], [0, 1]
model = LinearRegression().fit(X, y)
# %% b
print(model.score(X, y), model.coef_)
# %% c
p = model.predict(X)
#> a -> b: X, model, y
#> a -> c: X, model

# == a scaler is changed by fitting it
# %% [imports]
from sklearn.preprocessing import StandardScaler
# %% a
X = [[0.0], [1.0]]
scaler = StandardScaler()
# %% b
X2 = scaler.fit_transform(X)
# %% c
X3 = scaler.transform(X)
# %% d
print(X2, X3)
#> a -> b: X, scaler
#> a -> c: X
#> b -> c: ~scaler
#> b -> d: X2
#> c -> d: X3

# == a pipeline fits the estimators that it holds
# %% [imports]
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
# %% a
X, y = [[0.0], [1.0]], [0.0, 1.0]
scaler = StandardScaler()
pipe = make_pipeline(scaler, Ridge())
# %% b
pipe.fit(X, y)
# %% c
print(scaler.mean_)
#> a -> b: X, pipe, scaler, y
#> b -> c: ~scaler

# == a split without a seed draws
# %% [imports]
from sklearn.model_selection import train_test_split
# %% a
X = [1, 2, 3, 4]
# %% b
one, two = train_test_split(X)
# %% c
three, four = train_test_split(X)
# %% d
print(one)
#> a -> b: X
#> a -> c: X
#> b -> c: random numpy
#> b -> d: one

# == cross validation clones its model
# %% [imports]
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
# %% a
X, y = [[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0]
model = Ridge()
# %% b
print(cross_val_score(model, X, y, cv=2))
# %% c
print(cross_val_score(model, X, y, cv=2))
#> a -> b: X, model, y
#> a -> c: X, model, y

# == an optimizer trains its model
# %% [imports]
import torch
from torch import nn
# %% model
net = nn.Linear(2, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
# %% data
x = torch.ones(4, 2)
y = torch.ones(4, 1)
# %% train
optimizer.zero_grad()
loss = nn.functional.mse_loss(net(x), y)
loss.backward()
optimizer.step()
# %% look
with torch.no_grad():
    print(net(x))
#> model -> train: net, optimizer
#> data -> train: x, y
#> data -> look: x
#> train -> look: ~net

# == backward changes the gradients of what the loss was computed from
# %% [imports]
import torch
from torch import nn
# %% model
net = nn.Linear(2, 1)
x = torch.ones(4, 2)
# %% loss
net(x).sum().backward()
# %% look
print(net.weight.grad)
# %% data
print(x)
#> model -> loss: net, x
#> loss -> look: ~net
#> model -> data: x

# == evaluating under no_grad only reads, but for the mode of the model
# %% [imports]
import torch
from torch import nn
# %% model
net = nn.Linear(2, 1)
x = torch.ones(4, 2)
# %% one
with torch.no_grad():
    print(net(x))
# %% two
print(net(x).argmax())
# %% three
net.eval()
# %% four
print(net(x))
#> model -> one: net, x
#> model -> two: net, x
#> model -> three: net
#> model -> four: x
#> three -> four: ~net

# == dropout draws where it is called
# %% [imports]
import torch
from torch import nn
# %% model
net = nn.Sequential(nn.ReLU(), nn.Dropout(0.5))
x = torch.ones(4, 2)
# %% one
print(net(x))
# %% two
print(net(x))
#> model -> one: net, x
#> model -> two: net, x
#> one -> two: random torch

# == layers draw their weights
# %% [imports]
import torch
from torch import nn
# %% a
torch.manual_seed(0)
# %% b
one = nn.Linear(2, 2)
# %% c
relu = nn.ReLU()
# %% d
two = nn.Linear(2, 2)
#> a -> b: random torch
#> b -> d: random torch

# == a class of the notebook draws where it is made
# %% [functions]
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 1)
    def forward(self, x):
        return self.layer(x)
# %% a
one = Net()
# %% b
two = Net()
#> a -> b: random torch
#> needs a: Net, nn

# == a loader draws where it is iterated
# %% [imports]
import torch
from torch.utils.data import DataLoader, TensorDataset
# %% a
loader = DataLoader(TensorDataset(torch.arange(4)), shuffle=True)
# %% b
for batch in loader:
    pass
# %% c
for number, batch in enumerate(loader):
    pass
# %% d
print(len(loader))
#> a -> b: loader
#> a -> c: loader
#> a -> d: loader
#> b -> c: random torch

# == a data set of the notebook reads its globals when a loader iterates
# %% [imports]
from torch.utils.data import DataLoader, Dataset
# %% [functions]
class Rows(Dataset):
    def __len__(self):
        return len(rows)
    def __getitem__(self, index):
        return rows[index] * factor
# %% a
rows = [1, 2]
factor = 2
loader = DataLoader(Rows())
# %% b
factor = 3
# %% c
for batch in loader:
    pass
#> a -> c: loader, rows
#> b -> c: factor

# == in-place methods of tensors
# %% [imports]
import torch
# %% a
x = torch.zeros(3)
v = x.view(3, 1)
# %% b
x.add_(1)
# %% c
print(v)
#> a -> b: v, x
#> b -> c: ~v

# == a training function of the notebook
# %% [functions]
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset
class Net(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.fc1 = nn.Linear(2, hidden)
        self.fc2 = nn.Linear(hidden, 2)
    def forward(self, x):
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)
def train(model, loader, optimizer, epochs):
    model.train()
    for epoch in range(epochs):
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()
def test(model, loader):
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in loader:
            correct += (model(data).argmax(1) == target).sum().item()
    return correct
# %% setup
device = "cpu"
# %% data
ds = TensorDataset(torch.zeros(8, 2), torch.zeros(8, dtype=torch.long))
loader = DataLoader(ds, batch_size=2, shuffle=True)
# %% model
net = Net(4).to(device)
optimizer = optim.SGD(net.parameters(), lr=0.1)
# %% train
train(net, loader, optimizer, 2)
# %% test
print(test(net, DataLoader(ds)))
#> setup -> model: device
#> setup -> train: device
#> data -> train: loader
#> model -> train: net, optimizer, random torch
#> data -> test: ds
#> train -> test: ~net, random torch

# == loading weights changes a model
# %% [imports]
import torch
from torch import nn
# %% a
net = nn.ReLU()
other = nn.ReLU()
# %% b
torch.save(net.state_dict(), "net.pt")
# %% c
other.load_state_dict(torch.load("net.pt"))
# %% d
print(other)
#> a -> b: net
#> a -> c: other
#> b -> c: file net.pt
#> c -> d: ~other

# == an array and a tensor share memory
# %% [imports]
import numpy as np
import torch
# %% a
a = np.zeros(3)
t = torch.from_numpy(a)
# %% b
t[0] = 1
# %% c
print(a)
#> a -> b: a, t
#> b -> c: ~a

# == plotting values changes no values
# %% [imports]
import matplotlib.pyplot as plt
# %% a
losses = [1, 2]
# %% b
plt.plot(losses)
plt.title("loss")
plt.show()
# %% c
fig, ax = plt.subplots()
ax.plot(losses, label="x")
ax.legend()
# %% d
print(losses)
#> a -> b: losses
#> a -> c: losses
#> a -> d: losses

# == a plot on axes changes their figure
# %% [imports]
import matplotlib.pyplot as plt
# %% a
fig, ax = plt.subplots()
# %% b
ax.plot([1, 2])
# %% c
fig.savefig("plot.png")
#> a -> b: ax, fig
#> b -> c: ~fig

# == seaborn draws on given axes
# %% [imports]
import matplotlib.pyplot as plt
import seaborn as sns
# %% a
fig, ax = plt.subplots()
data = [1, 2]
# %% b
sns.histplot(data, ax=ax)
# %% c
fig
#> a -> b: ax, data, fig
#> b -> c: ~fig

# == the style of plots holds in later steps
# %% [imports]
import matplotlib.pyplot as plt
# %% a
plt.style.use("ggplot")
# %% b
plt.plot([1])
# %% c
print("no plot")
#> a -> b: order rcParams

# == a plot of a table
# %% [imports]
import matplotlib.pyplot as plt
import pandas as pd
# %% a
plt.rcParams["figure.figsize"] = (2, 2)
# %% b
df = pd.DataFrame({"a": [1]})
# %% c
df.plot()
df["a"].plot.hist()
# %% d
df.plot.bar()
#> a -> c: order rcParams
#> a -> d: order rcParams
#> b -> c: df
#> b -> d: df

# == a list of losses grows in a loop
# %% [imports]
import numpy as np
# %% a
losses = []
# %% b
for epoch in range(3):
    losses.append(float(np.mean([1, 2])))
# %% c
print(losses)
# %% d
best = min(losses)
#> a -> b: losses
#> b -> c: ~losses
#> b -> d: ~losses

# == a local module's function changes its argument
# %% [imports]
import helpers
# %% a
x = []
n = 3
# %% b
helpers.put(x, 1)
# %% c
print(x, helpers.area(n))
#> a -> b: x
#> a -> c: n
#> b -> c: ~x

# == a local module's function by its name
# %% [imports]
from helpers import area, put
# %% a
x = []
# %% b
put(x, area(2))
# %% c
print(x)
#> a -> b: x
#> b -> c: ~x

# == an estimator calls the functions that it was made of, which read globals
# %% [imports]
from sklearn.feature_extraction.text import TfidfVectorizer
# %% a
stop = {"a"}
def words(text):
    return [word for word in text.split() if word not in stop]
vectorizer = TfidfVectorizer(tokenizer=words, token_pattern=None).fit(["a b"])
# %% b
print(vectorizer.transform(["a b"]))
#> a -> b: stop, vectorizer

# == a loader calls its function, which reads a global
# %% [imports]
from torch.utils.data import DataLoader
# %% a
scale = 2
def collect(batch):
    return [one / scale for one in batch]
loader = DataLoader([1.0, 2.0], collate_fn=collect)
# %% b
for batch in loader:
    print(batch)
#> a -> b: loader, scale

# == the text of a query names variables
#! raises b: UndefinedVariableError: local variable 'unknown' is not defined
# %% [imports]
import pandas as pd
# %% a
table = pd.DataFrame({"n": [1, 2]})
low = 1
# %% b
print(table.query("n > @low and n < @unknown"))
# %% c
def pick(rows):
    return rows.query(f"n == @low")
print(pick(table))
#> a -> b: low, table
#> a -> c: low, table

# == a library's function is given what holds a function
# %% [imports]
from sklearn.linear_model import LinearRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
# %% a
penalty, factor = 1, 2
def score(y, found):
    return abs(y - found).mean() - penalty
def scaled(rows):
    return [[x * factor for x in row] for row in rows]
scorer = make_scorer(score)
model = make_pipeline(FunctionTransformer(scaled), LinearRegression())
# %% b
print(cross_val_score(LinearRegression(), [[1], [2], [3], [4]], [1, 2, 3, 4], scoring=scorer, cv=2))
# %% c
print(cross_val_score(model, [[1], [2], [3], [4]], [1, 2, 3, 4], cv=2))
#> a -> b: penalty, scorer
#> a -> c: factor, model

# == drawing what an estimator decides, and asking a plot for its legend, reads
#! not compared display: drawing changes caches of its figure
# %% imports
import matplotlib.pyplot as plt
from sklearn.datasets import load_iris
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.neighbors import KNeighborsClassifier
# %% a
iris = load_iris()
X = iris.data[:, [0, 1]]
points = plt.scatter(X[:, 0], X[:, 1])
# %% b
nearest = KNeighborsClassifier().fit(X, iris.target)
display = DecisionBoundaryDisplay.from_estimator(nearest, X, xlabel=iris.feature_names[0])
display.ax_.scatter(X[:, 0], X[:, 1], c=iris.target)
# %% c
handles = points.legend_elements()[0]
# %% d
print(X.shape, iris.target_names)
points.set_alpha(0.5)
#> a -> b: X, iris
#> a -> c: points
#> a -> d: X, iris, points

# == what methods of texts make is new, and may be changed
# %% [imports]
import json
import re
# %% a
text = "c b a"
words, rows = text.split(), "1 2".strip().splitlines()
found, data = re.findall("[a-z]", text), json.loads("[1]")
# %% b
words.sort()
rows.append("x")
found[0] = "y"
data.append(2)
# %% c
print(words, rows, found, data)
#> a -> b: data, found, rows, words
#> b -> c: ~data, ~found, ~rows, ~words

# == what arrays and tables give as lists is new, and may be changed
# %% [imports]
import numpy as np
import pandas as pd
import torch
# %% a
a, df = np.arange(3), pd.DataFrame({"x": [1], "y": [2]})
one, two, three = a.tolist(), torch.ones(2).tolist(), df.columns.tolist()
four, five = df["x"].to_list(), df.to_dict()
six = np.exp(a)
# %% b
one.reverse()
two.append(0)
three.remove("y")
four[0] = 7
five["z"] = 1
six[0] = 0
# %% c
print(one, two, three, four, five, six, np.sqrt(2.0))
#> a -> b: five, four, one, six, three, two
#> b -> c: ~five, ~four, ~one, ~six, ~three, ~two

# == a tensor on the memory of an array changes it
# %% [imports]
import numpy as np
import torch
# %% a
a = np.zeros(2)
t = torch.from_numpy(a)
# %% b
t.add_(1)
# %% c
print(a)
#> a -> b: a, t
#> b -> c: ~a
