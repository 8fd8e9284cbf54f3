# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = 1

# %% tags=["raises-exception"]
x = 2
1 / 0
x = 3

# %%
y = x

# %% tags=["step:b"]
print(x, y)
