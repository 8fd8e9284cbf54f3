# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
# %matplotlib inline
import os

# %% tags=["step:a"]
word = "hello"
# !echo $word
# lines = !echo one; echo two

# %% tags=["step:b"]
# %%bash
# echo from bash

# %% tags=["step:c"]
# %time total = sum(range(10))
print(lines, total, word)
