# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# Files that one step writes and another reads: an edge each, and the same content.

# %% tags=["imports"]
import json
import pickle
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import torch

# %% tags=["step:plain"]
with open("plain.txt", "w") as file:
    file.write("one\n")
Path("path.txt").write_text("two\n")
with open("data.pkl", "wb") as file:
    pickle.dump({"three": 3}, file)
with open("data.json", "w") as file:
    json.dump({"four": 4}, file)

# %% tags=["step:tables"]
pd.DataFrame({"x": [1, 2]}).to_csv("table.csv", index=False)
np.save("array.npy", np.arange(3))
torch.save({"w": torch.ones(2)}, "model.pt")

# %% tags=["step:database"]
connection = sqlite3.connect("rows.db")
connection.execute("create table rows (x)")
connection.execute("insert into rows values (5)")
connection.commit()
connection.close()
del connection

# %% tags=["step:shell"]
# !echo six > shell.txt

# %% tags=["step:append"]
with open("plain.txt", "a") as file:
    file.write("more\n")

# %% tags=["step:read"]
print(open("plain.txt").read(), Path("path.txt").read_text())
with open("data.pkl", "rb") as file:
    print(pickle.load(file))
print(json.loads(Path("data.json").read_text()))

# %% tags=["step:read_tables"]
print(pd.read_csv("table.csv"), np.load("array.npy"), torch.load("model.pt"))

# %% tags=["step:read_database"]
with sqlite3.connect("rows.db") as rows:
    print(rows.execute("select * from rows").fetchall())
rows.close()
del rows
# !cat shell.txt
