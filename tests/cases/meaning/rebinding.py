# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = 1
y = [x]

# %% tags=["step:b"]
x = x + 1
y = y + [x]

# %% tags=["step:c"]
print(x, y)
x, y
