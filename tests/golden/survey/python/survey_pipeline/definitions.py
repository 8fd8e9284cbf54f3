"""Imports, functions and classes of `survey.ipynb` that its steps share."""

# ruff: noqa: F401, F821

from nb2pipe.runtime.modules import stand_for_notebook

stand_for_notebook(globals())
# fmt: off

# %% cell 2, line 7
from sklearn.metrics import mean_absolute_error

# %% cell 4
def score(model):
    """The mean absolute error on the test rows."""
    return mean_absolute_error(y_test, model.predict(X_test))
