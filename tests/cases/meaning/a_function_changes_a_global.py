# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["functions"]
def remember(value):
    history.append(value)
    return len(history)

def count():
    global calls
    calls += 1

# %% tags=["step:a"]
history = []
calls = 0

# %% tags=["step:b"]
remember("b")
count()

# %% tags=["step:c"]
count()
print(remember("c"), history, calls)
