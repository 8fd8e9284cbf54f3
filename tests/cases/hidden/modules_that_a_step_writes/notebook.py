# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# Modules that a step writes or installs are there in later steps.

# %% tags=["step:write"]
# %%writefile hidden_written.py
SEEN = []


def double(x):
    SEEN.append(x)
    return 2 * x

# %% tags=["step:install"]
# !pip install --quiet --root-user-action ignore pip > installed.txt

# %% tags=["step:use"]
import hidden_written

print(hidden_written.double(3))

# %% tags=["step:again"]
from hidden_written import double

print(double(4), hidden_written.SEEN)
