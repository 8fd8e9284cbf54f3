# == loc assigns in place
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
# %% b
df.loc[df["a"] > 1, "b"] = 0
# %% c
print(df)
#> a -> b: df
#> b -> c: ~df

# == iloc and at
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
# %% b
df.iloc[0, 0] = 9
# %% c
df.at[1, "b"] = 8
# %% d
print(df.iat[0, 0], df.at[1, "b"])
#> a -> b: df
#> b -> c: ~df
#> c -> d: ~df

# == a column taken and changed leaves the table
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
s = df["a"]
# %% b
s[0] = 9
# %% c
print(df)
# %% d
print(s)
#> a -> b: s
#> a -> c: df
#> b -> d: ~s

# == chained assignment changes nothing under copy-on-write
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2]})
# %% b
sub = df[df.a > 1]
sub.insert(0, "c", 5)
# %% c
print(df)
# %% d
print(sub)
#> a -> b: df
#> a -> c: df
#> b -> d: sub

# == pop, insert, del, drop inplace
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1], "b": [2], "c": [3], "d": [4]})
# %% b
col = df.pop("a")
# %% c
df.insert(0, "z", col)
# %% d
del df["b"]
# %% e
df.drop(columns="c", inplace=True)
# %% f
print(df)
#> a -> b: df
#> b -> c: col, ~df
#> c -> d: ~df
#> d -> e: ~df
#> e -> f: ~df

# == names of the index and of columns
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1], "b": [2]})
# %% b
df.index.name = "id"
# %% c
df.columns = ["x", "y"]
# %% d
df.columns.name = "cols"
# %% e
print(df, df.index.name)
#> a -> b: df
#> b -> c: ~df
#> c -> d: ~df
#> d -> e: ~df

# == attributes and options of a table
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1], "b": [2]})
# %% b
df.attrs["source"] = "x"
# %% c
print(df.attrs)
#> a -> b: df
#> b -> c: ~df

# == a column by attribute
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1], "b": [2]})
# %% b
df.a = [5]
# %% c
print(df)
#> a -> b: df
#> b -> c: ~df

# == many reading methods of a table make no edge
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1, 2, 2], "b": [3.0, 4.0, 5.0], "g": ["x", "y", "x"]})
# %% b
print(df.head(), df.describe(), df.info(), df.corr(numeric_only=True), df.isna().sum())
# %% c
print(df.groupby("g")["b"].mean(), df.groupby("g").agg({"b": ["sum", "max"]}), df.pivot_table(index="g", values="b"))
# %% d
print(df["g"].value_counts(), df.merge(df, on="g").shape, pd.concat([df, df]).shape, df.melt(id_vars="g").shape)
# %% e
print(df.query("a > 1"), df[df.a > 1], df.loc[0], df.iloc[0], df.at[0, "a"], df.sort_values("b"), df.nlargest(1, "b"))
# %% f
for i, row in df.iterrows():
    print(i, row["a"])
for t in df.itertuples():
    print(t.a)
# %% g
print(df.apply(lambda r: r["a"], axis=1), df["a"].map({1: 2}), df.assign(z=1), df.rename(columns=str.upper), df.T, df.to_dict(), df.a.unique(), len(df), df.columns.tolist(), df.dtypes, df.select_dtypes("number").columns)
# %% h
print(df["g"].str.upper(), df.set_index("g").loc["x"], pd.get_dummies(df), pd.crosstab(df.a, df.g), df.rolling(2, on="b")["a"].sum(), df.to_numpy().shape, df.memory_usage(deep=True).sum(), df.sample(1, random_state=0))
# %% i
f = df.fillna(0).astype({"a": float}).round(1)
print(f.equals(df), df.duplicated(), df.copy().drop("a", axis=1), df.values.shape, df.quantile(0.5, numeric_only=True), df.cumsum(numeric_only=True) if False else 1)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> a -> e: df
#> a -> f: df
#> a -> g: df
#> a -> h: df
#> a -> i: df

# == in-place methods of a table
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [2, 1], "b": [None, 1.0]})
other = pd.DataFrame({"b": [7.0, 7.0]})
# %% b
df.fillna(0, inplace=True)
# %% c
df.update(other)
# %% d
df.sort_values("a", inplace=True)
# %% e
df.reset_index(drop=True, inplace=True)
# %% f
df.rename(columns={"a": "x"}, inplace=True)
# %% g
print(df, other)
#> a -> b: df
#> a -> c: other
#> a -> g: other
#> b -> c: ~df
#> c -> d: ~df
#> d -> e: ~df
#> e -> f: ~df
#> f -> g: ~df

# == inplace by a variable
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [2, 1]})
flag = True
# %% b
df.sort_values("a", inplace=flag)
# %% c
print(df)
#> a -> b: df, flag
#> b -> c: ?df

# == a second name of a table and a copy
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [2, 1]})
same = df
cop = df.copy()
shallow = df.copy(deep=False)
# %% b
df["c"] = 1
# %% c
print(same.shape)
# %% d
print(cop.shape, shallow.shape)
#> a -> b: df, same
#> a -> d: cop, shallow
#> b -> c: ~same

# == tables in a dictionary
# %% [imports]
import pandas as pd
# %% a
tables = {"one": pd.DataFrame({"a": [1]}), "two": pd.DataFrame({"a": [2]})}
# %% b
for name, t in tables.items():
    t["n"] = name
# %% c
print(tables["one"])
#> a -> b: tables
#> b -> c: ~tables

# == apply calls a function that changes a global
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [2, 1]})
seen = []
# %% b
def note(v):
    seen.append(v)
    return v
df["a"].apply(note)
# %% c
print(seen)
#> a -> b: df, seen
#> b -> c: ~seen

# == pipe hands a table to a function
# %% [imports]
import pandas as pd
# %% [functions]
def clean(t):
    t["new"] = 1
    return t
# %% a
df = pd.DataFrame({"a": [2, 1]})
# %% b
out = df.pipe(clean)
# %% c
print(df)
# %% d
print(out)
#> a -> b: df
#> b -> c: ~df
#> b -> d: out

# == a series is changed by its table's loc only in the table
# %% [imports]
import pandas as pd
# %% a
s = pd.Series([1, 2], index=["x", "y"])
# %% b
s["z"] = 3
# %% c
s.loc["x"] = 7
# %% d
s.name = "n"
# %% e
print(s)
#> a -> b: s
#> b -> c: ~s
#> c -> d: ~s
#> d -> e: ~s

# == groups of a table are a view of it
#! not compared by: it fills caches as it is read
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"g": ["x", "y"], "a": [1, 2]})
by = df.groupby("g")
# %% b
print(by["a"].mean())
# %% c
for key, part in by:
    print(key, len(part))
#> a -> b: by
#> a -> c: by

# == an excel-like styler and plots read only
# %% [imports]
import pandas as pd
import matplotlib.pyplot as plt
# %% a
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
# %% b
df.plot(x="a", y="b")
df["a"].hist()
df.plot.scatter("a", "b")
plt.show()
# %% c
plt.scatter(df["a"], df["b"])
plt.hist(df.a)
plt.bar(df.index, df["a"])
# %% d
ax = df.plot()
ax.set_title("x")
# %% e
print(df)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> a -> e: df

# == seaborn reads tables
# %% [imports]
import pandas as pd
import seaborn as sns
# %% a
df = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
# %% b
sns.scatterplot(data=df, x="a", y="b")
# %% c
sns.heatmap(df.corr(), annot=True)
# %% d
sns.boxplot(x=df["a"])
# %% e
print(df)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> a -> e: df

# == a list of tables grows
# %% [imports]
import pandas as pd
# %% a
parts = []
# %% b
for i in range(2):
    parts.append(pd.DataFrame({"i": [i]}))
# %% c
df = pd.concat(parts, ignore_index=True)
# %% d
df["x"] = 1
# %% e
print(len(parts), parts[0].shape)
#> a -> b: parts
#> b -> c: ~parts
#> b -> e: ~parts
#> c -> d: df

# == a function returns a table that it was given
# %% [imports]
import pandas as pd
# %% [functions]
def add(t):
    t = t.copy()
    t["new"] = 1
    return t
# %% a
df = pd.DataFrame({"a": [2, 1]})
# %% b
out = add(df)
# %% c
print(df.shape)
# %% d
print(out.shape)
#> a -> b: df
#> a -> c: df
#> b -> d: out

# == dates, cuts, dummies
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"d": ["2020-01-01"], "v": [3]})
# %% b
df["d"] = pd.to_datetime(df["d"])
df["y"] = df["d"].dt.year
# %% c
print(df.dtypes, pd.cut(df["v"], 2), pd.to_numeric(df["v"]))
# %% d
print(df["d"].dt.month_name())
#> a -> b: df
#> b -> c: ~df
#> b -> d: ~df

# == where, mask, replace return new ones
# %% [imports]
import pandas as pd
# %% a
s = pd.Series([1, 2])
# %% b
t = s.where(s > 1, 0)
u = s.replace(1, 5)
# %% c
t[0] = 9
u[1] = 9
# %% d
print(s)
# %% e
print(t, u)
#> a -> b: s
#> a -> d: s
#> b -> c: t, u
#> c -> e: ~t, ~u

# == numpy made from a table and a table made from numpy
# %% [imports]
import numpy as np
import pandas as pd
# %% a
m = np.zeros((2, 2))
df = pd.DataFrame(m, columns=["a", "b"])
# %% b
m[0, 0] = 5
# %% c
print(df)
#> a -> b: m
#> a -> c: df

# == sample and shuffle of a table
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": range(9)})
# %% b
s = df.sample(frac=1)
print(s.index.tolist())
# %% c
print(df["a"].sample(2).tolist())
# %% d
print(df.sample(2, random_state=1).a.tolist())
# %% e
print(df.groupby("a").sample(1).shape)
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> a -> e: df
#> b -> c: random numpy
#> c -> e: random numpy

# == a column that somebody looks at is copied when its table is written to
# %% a
import pandas as pd
table = pd.DataFrame({"x": [1, 2], "y": [3, 4]})
column = table["x"]
# %% b
table.loc[0, "x"] = 100
table["z"] = table["x"] * 2
# %% c
print(table, column)
#> a -> b: table
#> a -> c: column
#> b -> c: ~table
