# == fit changes, predict reads
# %% [imports]
import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
# %% a
X = np.arange(6.0).reshape(3, 2)
y = np.array([1.0, 2.0, 3.0])
m = LinearRegression()
# %% b
m.fit(X, y)
# %% c
print(m.predict(X).round(2), m.coef_.round(2))
# %% d
print(m.score(X, y), m.get_params())
# %% e
print(Ridge(alpha=2).fit(X, y).coef_.round(2))
#> a -> b: X, m, y
#> a -> c: X
#> a -> d: X, y
#> a -> e: X, y
#> b -> c: ~m
#> b -> d: ~m

# == models that draw nothing stand side by side
# %% [imports]
import numpy as np
from sklearn.linear_model import LogisticRegression, Lasso, LinearRegression, Ridge, RidgeClassifier, ElasticNet, BayesianRidge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler, MinMaxScaler, OneHotEncoder, PolynomialFeatures, LabelEncoder
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.svm import SVR
# %% data
X = np.array([[0.0, 1], [1, 0], [2, 1], [3, 5]])
y = np.array([0, 0, 1, 1])
# %% a
a = LogisticRegression().fit(X, y)
# %% b
b = KNeighborsClassifier(n_neighbors=1).fit(X, y)
# %% c
c = GaussianNB().fit(X, y)
# %% d
d = Lasso().fit(X, y)
d2 = ElasticNet().fit(X, y)
d3 = BayesianRidge().fit(X, y)
d4 = RidgeClassifier().fit(X, y)
# %% e
e = StandardScaler().fit_transform(X)
e2 = MinMaxScaler().fit_transform(X)
# %% f
f = OneHotEncoder().fit(X)
# %% g
g = PolynomialFeatures(2).fit_transform(X)
# %% h
h = PCA(n_components=1).fit_transform(X)
# %% i
i = LinearDiscriminantAnalysis().fit(X, y)
# %% j
j = SVR().fit(X, y)
# %% k
k = LabelEncoder().fit_transform(["a", "b"])
#> data -> a: X, y
#> data -> b: X, y
#> data -> c: X, y
#> data -> d: X, y
#> data -> e: X
#> data -> f: X
#> data -> g: X
#> data -> h: X
#> data -> i: X, y
#> data -> j: X, y

# == models that draw
# %% [imports]
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.cluster import KMeans
from sklearn.neural_network import MLPClassifier
from sklearn.decomposition import TruncatedSVD
from sklearn.tree import DecisionTreeClassifier
# %% data
X = np.array([[0.0, 1], [1, 0], [2, 1], [3, 5]])
y = np.array([0, 0, 1, 1])
# %% a
print(RandomForestClassifier(n_estimators=3).fit(X, y).feature_importances_)
# %% b
print(KMeans(n_clusters=2, n_init=1).fit_predict(X))
# %% c
print(MLPClassifier(max_iter=5).fit(X, y).coefs_[0][0, 0])
# %% d
print(TruncatedSVD(n_components=1).fit_transform(X))
# %% e
print(DecisionTreeClassifier().fit(X, y).get_depth())
# %% f
print(RandomForestClassifier(n_estimators=3, random_state=0).fit(X, y).feature_importances_)
# %% g
print(RandomForestClassifier(n_estimators=3, random_state=None).fit(X, y).feature_importances_)
#> data -> a: X, y
#> data -> b: X
#> data -> c: X, y
#> data -> d: X
#> data -> e: X, y
#> data -> f: X, y
#> data -> g: X, y
#> a -> b: random numpy
#> b -> c: random numpy
#> c -> d: random numpy
#> d -> e: random numpy
#> e -> g: random numpy

# == a grid search clones its estimator
#! not compared search: it holds how long fits took
# %% [imports]
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
# %% data
X = np.arange(12.0).reshape(6, 2)
y = np.arange(6.0)
base = Ridge()
# %% a
search = GridSearchCV(base, {"alpha": [1, 2]}, cv=2)
# %% b
search.fit(X, y)
# %% c
print(base.get_params())
# %% d
print(search.best_params_, search.best_estimator_)
#> data -> a: base
#> data -> b: X, y
#> data -> c: base
#> a -> b: search
#> b -> d: ~search

# == cross validation changes no model
# %% [imports]
import numpy as np
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score, cross_val_predict, cross_validate
# %% data
X = np.arange(12.0).reshape(6, 2)
y = np.arange(6.0)
m = Ridge()
# %% a
print(cross_val_score(m, X, y, cv=2))
# %% b
print(cross_val_predict(m, X, y, cv=2).shape)
# %% c
print(cross_validate(m, X, y, cv=2)["test_score"])
# %% d
print(m)
#> data -> a: X, m, y
#> data -> b: X, m, y
#> data -> c: X, m, y
#> data -> d: m

# == a pipeline fits the steps inside
# %% [imports]
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
# %% data
X = np.array([[0.0, 1], [1, 0], [2, 1], [3, 5]])
y = np.array([0, 0, 1, 1])
scaler = StandardScaler()
clf = LogisticRegression()
# %% a
pipe = Pipeline([("scale", scaler), ("clf", clf)])
# %% b
pipe.fit(X, y)
# %% c
print(scaler.mean_)
# %% d
print(pipe.predict(X), pipe.named_steps["clf"].coef_.shape)
#> data -> a: clf, scaler
#> data -> b: X, y
#> data -> d: X
#> a -> b: pipe, ~scaler
#> b -> c: ~scaler
#> b -> d: ~pipe

# == a column transformer clones its parts
# %% [imports]
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler
# %% data
df = pd.DataFrame({"a": [1.0, 2.0]})
scaler = StandardScaler()
# %% a
ct = ColumnTransformer([("s", scaler, ["a"])])
# %% b
print(ct.fit_transform(df))
# %% c
print(hasattr(scaler, "mean_"))
# %% d
print(ct.get_feature_names_out())
#> data -> a: scaler
#> data -> b: df
#> data -> c: scaler
#> a -> b: ct
#> b -> d: ~ct

# == partial_fit, set_params, attributes
# %% [imports]
import numpy as np
from sklearn.linear_model import SGDClassifier
# %% a
m = SGDClassifier(random_state=0)
X = np.array([[0.0], [1.0]])
# %% b
m.partial_fit(X, [0, 1], classes=[0, 1])
# %% c
m.set_params(alpha=0.1)
# %% d
m.alpha = 0.2
# %% e
print(m.alpha, m.coef_)
#> a -> b: X, m
#> b -> c: ~m
#> c -> d: ~m
#> d -> e: ~m

# == metrics only read
# %% [imports]
import numpy as np
from sklearn.metrics import accuracy_score, classification_report, confusion_matrix, mean_squared_error, r2_score, roc_auc_score
from sklearn import metrics
# %% a
y = np.array([0, 1, 1])
p = np.array([0, 1, 0])
# %% b
print(accuracy_score(y, p), confusion_matrix(y, p))
# %% c
print(classification_report(y, p), mean_squared_error(y, p), r2_score(y, p))
# %% d
print(metrics.f1_score(y, p), roc_auc_score(y, p))
# %% e
print(y, p)
#> a -> b: p, y
#> a -> c: p, y
#> a -> d: p, y
#> a -> e: p, y

# == models in a dictionary are fitted in a loop
# %% [imports]
import numpy as np
from sklearn.linear_model import LinearRegression, Ridge
# %% a
X, y = np.arange(4.0).reshape(2, 2), np.arange(2.0)
models = {"ols": LinearRegression(), "ridge": Ridge()}
# %% b
for name, model in models.items():
    model.fit(X, y)
# %% c
scores = {name: model.score(X, y) for name, model in models.items()}
# %% d
print(scores, models["ols"].coef_.round(1))
#> a -> b: X, models, y
#> a -> c: X, y
#> b -> c: ~models
#> b -> d: ~models
#> c -> d: scores

# == a clone and a deep copy are apart
# %% [imports]
import copy
import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
# %% a
X, y = np.arange(4.0).reshape(2, 2), np.arange(2.0)
m = LinearRegression()
c = clone(m)
d = copy.deepcopy(m)
# %% b
c.fit(X, y)
# %% e
d.fit(X, y)
# %% f
print(hasattr(m, "coef_"))
# %% g
print(c.coef_.shape, d.coef_.shape)
#> a -> b: X, c, y
#> a -> e: X, d, y
#> a -> f: m
#> b -> g: ~c
#> e -> g: ~d

# == splits and shuffles
# %% [imports]
import numpy as np
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split
from sklearn.utils import shuffle
# %% a
X, y = np.arange(8).reshape(4, 2), np.arange(4)
# %% b
X1, X2, y1, y2 = train_test_split(X, y, test_size=0.5, random_state=0)
# %% c
X3, X4 = train_test_split(X, test_size=0.5)
# %% d
Xs, ys = shuffle(X, y)
# %% e
for i, j in KFold(2).split(X):
    print(i, j)
# %% f
for i, j in KFold(2, shuffle=True).split(X):
    print(i, j)
# %% g
print(X1, X3, Xs)
#> a -> b: X, y
#> a -> c: X
#> a -> d: X, y
#> a -> e: X
#> a -> f: X
#> c -> d: random numpy
#> d -> f: random numpy
#> b -> g: X1
#> c -> g: X3
#> d -> g: Xs

# == data sets
# %% [imports]
from sklearn.datasets import load_iris, make_blobs, make_moons
import pandas as pd
# %% a
iris = load_iris()
X, y = iris.data, iris.target
# %% b
df = pd.DataFrame(iris.data, columns=iris.feature_names)
# %% c
P, q = make_blobs(n_samples=4, random_state=0)
# %% d
P2, q2 = make_moons(4)
# %% e
P3, q3 = make_blobs(n_samples=4)
# %% f
print(X.shape, df.shape, P2, P3)
#> a -> b: iris
#> a -> f: X
#> b -> f: df
#> d -> e: random numpy
#> d -> f: P2
#> e -> f: P3

# == an array scaled in place
# %% [imports]
import numpy as np
from sklearn.preprocessing import StandardScaler, scale
# %% a
X = np.array([[0.0], [2.0]])
s = StandardScaler(copy=False).fit(X)
# %% b
s.transform(X)
# %% c
print(X)
#> a -> b: X, s
#> b -> c: ~X

# == an ensemble of given estimators clones them
# %% [imports]
import numpy as np
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression, Ridge
# %% a
X, y = np.arange(4.0).reshape(2, 2), np.arange(2.0)
one, two = LinearRegression(), Ridge()
# %% b
v = VotingRegressor([("one", one), ("two", two)])
v.fit(X, y)
# %% c
print(hasattr(one, "coef_"))
# %% d
print(v.predict(X).round(2))
#> a -> b: X, one, two, y
#> a -> c: one
#> a -> d: X
#> b -> d: v
