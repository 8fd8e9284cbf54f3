# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
größe = 3
_hidden = [größe]
__dunder = "d"

# %% tags=["step:b"]
_hidden.append(größe * 2)

# %% tags=["step:c"]
print(größe, _hidden, __dunder)
