# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["functions"]
def scaled(value):
    return [v * factor for v in value]

# %% tags=["step:a"]
factor = 3
data = [1, 2]

# %% tags=["step:b"]
data = scaled(data)

# %% tags=["step:c"]
factor = 10
print(scaled(data))
