# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
lr = 0.5
epochs = 3
name = "it's \"quoted\""
flags = [True, None, -1]
table = {"a": {"b": 1}}
nothing = None
scaled = lr * 10

# %% tags=["step:a"]
values = [lr * e for e in range(epochs)]
print(name, flags, table, nothing, scaled)

# %% tags=["step:b"]
epochs = epochs + 1

# %% tags=["step:c"]
print(values, epochs, lr)
