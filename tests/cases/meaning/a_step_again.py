# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = 1

# %% tags=["step:b"]
y = 10

# %% tags=["step:a"]
z = x + 1

# %% tags=["step:c"]
print(x, y, z)
