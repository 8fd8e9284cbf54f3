# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
def add(value, seen=[]):
    seen.append(value)
    return seen
add(1)

# %% tags=["step:b"]
add(2)

# %% tags=["step:c"]
print(add(3))
