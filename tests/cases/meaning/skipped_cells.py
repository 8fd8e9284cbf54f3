# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = 1

# %% tags=["skip"]
x = 100
print("never")

# %%
y = x + 1

# %% tags=["step:b"]
print(x, y)
