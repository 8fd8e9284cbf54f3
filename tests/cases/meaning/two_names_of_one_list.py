# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
a = [1]
b = a

# %% tags=["step:b"]
b.append(2)

# %% tags=["step:c"]
print(a, b, a is b)
