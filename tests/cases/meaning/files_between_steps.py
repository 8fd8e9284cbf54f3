# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import json
from pathlib import Path
import numpy as np
import pandas as pd

# %% tags=["step:write"]
pd.DataFrame({"a": [1, 2]}).to_csv("table.csv", index=False)
np.save("array.npy", np.arange(3))
with open("notes.json", "w") as stream:
    json.dump({"n": 1}, stream)
Path("words.txt").write_text("some words")

# %% tags=["step:read"]
table = pd.read_csv("table.csv")
array = np.load("array.npy")
with open("notes.json") as stream:
    notes = json.load(stream)
words = Path("words.txt").read_text()

# %% tags=["step:show"]
print(table, array, notes, words)
