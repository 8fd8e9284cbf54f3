# %% tags=["imports"]
import numpy as np
from sklearn.experimental import enable_iterative_imputer
from sklearn.impute import IterativeImputer

# %% tags=["step:holes"]
table = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])

# %% tags=["step:filled"]
filled = IterativeImputer(random_state=0).fit_transform(table)
print(filled.shape, filled[1, 1].round(3))
