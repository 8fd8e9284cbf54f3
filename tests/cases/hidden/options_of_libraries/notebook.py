# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# Options of libraries and of Python hold in later steps.

# %% tags=["imports"]
import logging
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import sklearn
import torch

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(levelname)s %(message)s")
pd.set_option("display.precision", 2)
np.set_printoptions(precision=3, suppress=True)
plt.rcParams["font.size"] = 7

# %% tags=["step:set"]
warnings.filterwarnings("error", category=UserWarning)
pd.options.display.max_columns = 3
np.seterr(divide="raise")
torch.set_default_dtype(torch.float64)
torch.use_deterministic_algorithms(True)
torch.set_grad_enabled(False)
torch.set_num_threads(1)
torch.set_printoptions(precision=2)
plt.style.use("ggplot")
plt.rcParams.update({"lines.linewidth": 5})
sklearn.set_config(transform_output="pandas")
logging.getLogger("quiet").setLevel(logging.ERROR)
logging.getLogger("chatty").setLevel(logging.DEBUG)
logging.getLogger("own").propagate = False
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("own: %(message)s"))
logging.getLogger("own").addHandler(handler)
del handler

# %% tags=["step:read"]
try:
    warnings.warn("told")
except UserWarning as error:
    print("raised", error)
print(pd.DataFrame([[1 / 3, 2, 3, 4, 5]]), np.array([1 / 3]))
try:
    np.array([1.0]) / 0
except FloatingPointError as error:
    print("raised", error)
print(torch.ones(1).dtype, torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled())
print(torch.get_num_threads(), torch.tensor([1 / 3]))
print(plt.rcParams["font.size"], plt.rcParams["lines.linewidth"], plt.rcParams["axes.facecolor"])
print(sklearn.get_config()["transform_output"])
logging.getLogger("quiet").warning("not shown")
logging.getLogger("chatty").debug("shown")
logging.getLogger("own").warning("shown once")
logging.info("shown too")

# %% tags=["step:reset"]
warnings.resetwarnings()
pd.reset_option("display.max_columns")
np.seterr(divide="ignore")
torch.set_grad_enabled(True)
logging.getLogger("quiet").setLevel(logging.NOTSET)

# %% tags=["step:again"]
print(pd.get_option("display.max_columns"), np.array([1.0]) / 0, torch.is_grad_enabled(), np.geterr())
with np.errstate(divide="raise"):
    print(np.geterr()["divide"])
with pd.option_context("display.precision", 1):
    print(pd.Series([1 / 3]))
logging.getLogger("quiet").warning("shown again")
warnings.simplefilter("ignore")
warnings.warn("not shown")
