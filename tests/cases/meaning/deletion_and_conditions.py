# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
x = 5
temporary = 1
found = None

# %% tags=["step:b"]
del temporary
if x > 3:
    found = "big"
try:
    value = undefined_thing
except NameError:
    value = "absent"

# %% tags=["step:c"]
for i in range(3):
    last = i
print(found, value, "temporary" in globals(), i, last)
