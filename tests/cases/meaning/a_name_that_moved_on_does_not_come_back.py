# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:s0"]
class Box:
    def __init__(self, value):
        self.value = value
x = [1]
z = [4]
box = Box(x)
# %% tags=["step:s1"]
print(x)
x = z
# %% tags=["step:s2"]
box.value.append(5)
# %% tags=["step:last"]
print(x, box.value)
