# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
items = [1]
table = {}

# %% tags=["step:b"]
items.append(2)
table["n"] = len(items)

# %% tags=["step:c"]
items += [3]
table.setdefault("m", []).append(items[-1])

# %% tags=["step:d"]
print(items, table)
