# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
numbers = iter([1, 2, 3, 4])

# %% tags=["step:b"]
first = next(numbers)

# %% tags=["step:c"]
print(first, next(numbers))

# %% tags=["step:d"]
print(list(numbers))

# %% tags=["step:e"]
print(next(numbers, "none"))
