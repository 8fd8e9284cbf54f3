# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import warnings
import numpy as np
import pandas as pd
warnings.filterwarnings("ignore")
np.set_printoptions(precision=2)
pd.set_option("display.max_columns", 2)

# %% tags=["step:a"]
warnings.warn("never seen")
a = np.array([1 / 3, 2 / 3])
print(a)

# %% tags=["step:b"]
print(a * 2)
pd.DataFrame(np.ones((2, 5)))

# %% tags=["step:c"]
warnings.simplefilter("always")
warnings.warn("seen")

# %% tags=["step:d"]
warnings.warn("seen too")
