# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# %% tags=["step:data"]
X, y = make_classification(n_samples=200, random_state=1)
X_train, X_test, y_train, y_test = train_test_split(X, y)

# %% tags=["step:scale"]
scaler = StandardScaler()
X_train = scaler.fit_transform(X_train)
X_test = scaler.transform(X_test)

# %% tags=["step:fit"]
model = LogisticRegression()
model.fit(X_train, y_train)

# %% tags=["step:score"]
accuracy = model.score(X_test, y_test)

# %% tags=["pipeline-metrics"]
print(accuracy)
