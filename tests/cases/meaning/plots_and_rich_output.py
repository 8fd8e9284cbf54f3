# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown, display

# %% tags=["step:a"]
data = pd.DataFrame({"x": [1, 2, 3], "y": [1, 4, 9]})
display(Markdown("**bold**"))
data

# %% tags=["step:b"]
plt.plot(data.x, data.y)
plt.title("squares")
plt.show()

# %% tags=["step:c"]
figure, ax = plt.subplots(figsize=(2, 2))
ax.bar(data.x, data.y)

# %% tags=["step:d"]
ax.set_title("later")
figure
