# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["functions"]
import math

class Circle:
    made = 0

    def __init__(self, r):
        self.r = r

    def area(self):
        return math.pi * self.r**2

# %% tags=["step:a"]
c = Circle(2)

# %% tags=["step:b"]
c.r = 3

# %% tags=["step:c"]
print(c.area(), isinstance(c, Circle), type(c).__name__)
