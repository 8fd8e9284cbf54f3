# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["step:a"]
import math
from dataclasses import dataclass

@dataclass
class Point:
    x: float
    y: float = 0.0

    def norm(self):
        return math.hypot(self.x, self.y)

origin = Point(3.0, 4.0)

# %% tags=["step:b"]
origin.y = 0.5
print(origin, origin.norm())

# %% tags=["step:c"]
other = Point(1.0)
print(other == Point(1.0), isinstance(origin, Point))
