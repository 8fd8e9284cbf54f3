# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
k = 1
def f():
    return k

# %% tags=["step:b"]
k = 2

# %% tags=["step:c"]
print(f(), k)
