# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = [1]
z = [9]

# %% tags=["step:b"]
pair = (x, z)

# %% tags=["step:c"]
pair[0].append(2)

# %% tags=["step:d"]
x.append(3)
print(x, pair, pair[0] is x)
