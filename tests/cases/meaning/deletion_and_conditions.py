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
early = error = [1]
flag = True

# %% tags=["step:b"]
del temporary
if x > 3:
    found = "big"
try:
    value = undefined_thing
except NameError:
    value = "absent"
if flag:
    del early
try:
    int("no")
except ValueError as error:
    pass

# %% tags=["step:c"]
for i in range(3):
    last = i
for name in ("early", "error"):
    try:
        print(early if name == "early" else error)
    except NameError:
        print(name, "is gone")
print(found, value, "temporary" in globals(), i, last)
