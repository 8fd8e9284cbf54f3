# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["parameters"]
rate = 2
names = [1]
derived = rate * 10

# %% tags=["functions"]
class Box:
    count = 0

    def __init__(self, value):
        self.value = value
        Box.count += 1


class Sub(Box):
    """Its base keeps what steps change, though one cell makes both."""


# %% tags=["step:fill"]
items = [1]
size = 1
one, two = Box(items), Sub(names)
rate += 1

# %% tags=["functions"]
def filled(first=size, kept=items, many=len(items)):
    return first, kept, many


# %% tags=["step:change"]
size = 2
items.append(2)

# %% tags=["step:look"]
print(filled(), size, Box.count, one.value, two.value)

# %% tags=["imports"]
print(rate, names, derived)
