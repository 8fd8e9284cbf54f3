# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["functions"]
def make_counter():
    n = 0
    def count():
        nonlocal n
        n += 1
        return n
    return count

def apply_all(functions, value):
    return [f(value) for f in functions]

# %% tags=["step:a"]
counter = make_counter()
counter()
log = []
callbacks = [log.append, lambda v: log.append(v * 2)]

# %% tags=["step:b"]
counter()
apply_all(callbacks, 4)

# %% tags=["step:c"]
print(counter(), log)
list(map(callbacks[0], "xy"))

# %% tags=["step:d"]
print(log)
