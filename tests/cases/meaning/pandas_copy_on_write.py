# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import pandas as pd

# %% tags=["step:a"]
df = pd.DataFrame({"a": [1, 2, 3], "b": [1.5, None, 3.0]})
part = df["a"]
other = df

# %% tags=["step:b"]
df.loc[0, "a"] = 100
df["c"] = df["a"] * 2

# %% tags=["step:c"]
part.iloc[1] = -5
print(df)
print(part.tolist(), other is df)

# %% tags=["step:d"]
del other["c"]
df.dropna()
