# == pathlib in all its forms
# %% [imports]
from pathlib import Path
# %% a
out = Path("data")
# %% b
(out / "x.txt").write_text("1")
# %% c
print((out / "x.txt").read_text())
# %% d
(out / "x.txt").rename(out / "y.txt")
# %% e
print((out / "y.txt").open().read())
# %% f
(out / "y.txt").unlink()
# %% g
print((out / "y.txt").exists())
#> a -> b: out
#> a -> c: out
#> b -> c: file data/x.txt
#> a -> d: out
#> b -> d: file data/x.txt
#> c -> d: file data/x.txt
#> a -> e: out
#> d -> e: file data/y.txt
#> a -> f: out
#> d -> f: file data/y.txt
#> e -> f: file data/y.txt
#> a -> g: out
#> f -> g: file data/y.txt

# == with open in modes
# %% a
with open("f.txt", "w") as f:
    f.write("1\n")
# %% b
with open("f.txt", "a") as f:
    f.write("2\n")
# %% c
with open("f.txt") as f:
    print(f.read())
# %% d
with open("f.txt", mode="r+") as f:
    f.write("9")
# %% e
print(open("f.txt", encoding="utf-8").read())
#> a -> b: file f.txt
#> b -> c: file f.txt
#> b -> d: file f.txt
#> c -> d: file f.txt
#> d -> e: file f.txt

# == the same file twice, the last one wins
# %% a
open("f.txt", "w").write("1")
# %% b
open("f.txt", "w").write("2")
# %% c
print(open("f.txt").read())
#> a -> b: file f.txt
#> b -> c: file f.txt

# == several steps read one file
# %% a
open("f.txt", "w").write("1")
# %% b
print(open("f.txt").read())
# %% c
print(open("f.txt").read())
# %% d
print(open("f.txt").read())
#> a -> b: file f.txt
#> a -> c: file f.txt
#> a -> d: file f.txt

# == steps that write different files
# %% a
open("a.txt", "w").write("1")
# %% b
open("b.txt", "w").write("1")
# %% c
import os
os.makedirs("out/c", exist_ok=True)
open("out/c/c.txt", "w").write("1")
# %% d
print(open("b.txt").read())
#> b -> d: file b.txt

# == a file is read before it is written anew
# %% a
open("f.txt", "w").write("1")
# %% b
n = open("f.txt").read()
# %% c
open("f.txt", "w").write("5")
# %% d
print(n, open("f.txt").read())
#> a -> b: file f.txt
#> a -> c: file f.txt
#> b -> c: file f.txt
#> b -> d: n
#> c -> d: file f.txt

# == pandas writes and reads
# %% [imports]
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1]})
# %% b
df.to_csv("t.csv", index=False)
# %% c
df.to_pickle("t.pkl")
# %% d
df.to_json("t.json")
# %% e
print(pd.read_csv("t.csv"))
# %% f
print(pd.read_pickle("t.pkl"), pd.read_json("t.json"))
#> a -> b: df
#> a -> c: df
#> a -> d: df
#> b -> e: file t.csv
#> c -> f: file t.pkl
#> d -> f: file t.json

# == parquet and a keyword path
# %% [imports]
import pandas as pd
# %% a
pd.DataFrame({"a": [1]}).to_parquet(path="t.parquet")
pd.DataFrame({"a": [1]}).to_csv(path_or_buf="t.csv")
# %% b
print(pd.read_parquet(path="t.parquet"))
# %% c
print(pd.read_csv(filepath_or_buffer="t.csv"))
#> a -> b: file t.parquet
#> a -> c: file t.csv

# == NumPy's formats
# %% [imports]
import numpy as np
# %% a
np.save("a.npy", np.zeros(1))
# %% b
np.savez("b", x=np.zeros(1))
# %% c
np.savetxt("c.txt", np.zeros(1))
# %% d
print(np.load("a.npy"), np.load("b.npz")["x"])
# %% e
print(np.loadtxt("c.txt"), np.genfromtxt("c.txt"))
# %% f
np.zeros(2).tofile("d.bin")
# %% g
print(np.fromfile("d.bin"))
#> a -> d: file a.npy
#> b -> d: file b.npz
#> c -> e: file c.txt
#> f -> g: file d.bin

# == torch and joblib
# %% [imports]
import joblib
import torch
# %% a
t = torch.zeros(2)
# %% b
torch.save(t, "t.pt")
# %% c
print(torch.load("t.pt"))
# %% d
joblib.dump([1], "m.joblib")
# %% e
print(joblib.load("m.joblib"))
#> a -> b: t
#> b -> c: file t.pt
#> d -> e: file m.joblib

# == pickle and json by a stream
# %% [imports]
import json
import pickle
# %% a
with open("m.pkl", "wb") as f:
    pickle.dump([1], f)
# %% b
json.dump({"a": 1}, open("m.json", "w"))
# %% c
with open("m.pkl", "rb") as f:
    print(pickle.load(f))
# %% d
with open("m.json") as f:
    print(json.load(f))
#> a -> c: file m.pkl
#> b -> d: file m.json

# == csv and yaml
# %% [imports]
import csv
import yaml
# %% a
with open("r.csv", "w", newline="") as f:
    w = csv.writer(f)
    w.writerow([1, 2])
w = None
f = None
# %% b
with open("r.csv") as f:
    print(list(csv.reader(f)))
f = None
# %% c
yaml.safe_dump({"a": 1}, open("c.yaml", "w"))
# %% d
print(yaml.safe_load(open("c.yaml")))
#> a -> b: file r.csv
#> c -> d: file c.yaml

# == SQLite
# %% [imports]
import sqlite3
# %% a
con = sqlite3.connect("my.db")
con.execute("create table t (a)")
con.commit()
con.close()
con = None
# %% b
con = sqlite3.connect("my.db")
con.execute("insert into t values (1)")
con.commit()
con.close()
con = None
# %% c
con = sqlite3.connect("my.db")
print(con.execute("select * from t").fetchall())
con.close()
con = None
#> a -> b: file my.db
#> b -> c: file my.db

# == SQLite through pandas
# %% [imports]
import sqlite3
import pandas as pd
# %% a
df = pd.DataFrame({"a": [1]})
with sqlite3.connect("my.db") as con:
    df.to_sql("t", con)
con.close()
con = None
# %% b
con = sqlite3.connect("my.db")
print(pd.read_sql("select a from t", con))
con.close()
con = None
#> a -> b: file my.db

# == archives
# %% [imports]
import shutil, tarfile, zipfile
# %% a
open("x.txt", "w").write("1")
# %% b
with zipfile.ZipFile("z.zip", "w") as z:
    z.write("x.txt")
z = None
# %% c
with zipfile.ZipFile("z.zip") as z:
    print(z.namelist())
z = None
# %% d
with tarfile.open("t.tar", "w") as t:
    t.add("x.txt")
t = None
# %% e
with tarfile.open("t.tar") as t:
    print(t.getnames())
t = None
# %% f
shutil.copy("x.txt", "y.txt")
# %% g
print(open("y.txt").read())
#> a -> b: file x.txt
#> b -> c: file z.zip
#> a -> d: file x.txt
#> d -> e: file t.tar
#> a -> f: file x.txt
#> f -> g: file y.txt

# == removed, moved, made
# %% [imports]
import os, shutil
# %% a
open("x.txt", "w").write("1")
# %% b
print(os.path.exists("x.txt"), os.path.getsize("x.txt"))
# %% c
os.rename("x.txt", "y.txt")
# %% d
print(os.path.exists("x.txt"))
# %% e
print(open("y.txt").read())
# %% f
os.remove("y.txt")
# %% g
print(os.path.exists("y.txt"))
#> a -> b: file x.txt
#> a -> c: file x.txt
#> b -> c: file x.txt
#> c -> d: file x.txt
#> c -> e: file y.txt
#> c -> f: file y.txt
#> e -> f: file y.txt
#> f -> g: file y.txt

# == a folder removed with all that is in it
# %% [imports]
import os, shutil
# %% a
os.makedirs("out/in", exist_ok=True)
open("out/in/x.txt", "w").write("1")
# %% b
print(open("out/in/x.txt").read())
# %% c
shutil.rmtree("out")
# %% d
print(os.path.exists("out/in/x.txt"))
#> a -> b: file out/in, file out/in/x.txt
#> a -> c: file out/in, file out/in/x.txt
#> b -> c: file out/*
#> a -> d: file out/in, file out/in/x.txt
#> c -> d: file out, file out/*

# == paths by f-strings and constants
# %% a
name, number = "run", 3
# %% b
open(f"{name}_{number}.txt", "w").write("1")
# %% c
print(open("run_3.txt").read())
#> a -> b: name, number
#> b -> c: file run_*.txt

# == paths by a loop: only a part is known
# %% a
for i in range(3):
    open(f"part_{i}.txt", "w").write(str(i))
# %% b
print(open("part_1.txt").read())
# %% c
print(open("other.txt", "w").write("1"))
#> a -> b: file part_*.txt

# == a loop over names that are written out
# %% [imports]
import pandas as pd
# %% a
for name in ["x", "y"]:
    pd.DataFrame({"a": [1]}).to_csv(name + ".csv")
# %% b
print(pd.read_csv("x.csv"))
# %% c
print(pd.read_csv("y.csv"))
#> a -> b: file x.csv
#> a -> c: file y.csv

# == a path in a dictionary
# %% a
paths = {"raw": "raw.txt", "clean": "clean.txt"}
# %% b
open(paths["raw"], "w").write("1")
# %% c
print(open(paths["raw"]).read())
# %% d
open(paths["clean"], "w").write("2")
#> a -> b: paths
#> a -> c: paths
#> a -> d: paths
#> b -> c: file raw.txt

# == a path in a class and in an instance
# %% [functions]
class Config:
    folder = "data"
    def __init__(self):
        self.path = "m.txt"
# %% a
config = Config()
# %% b
open(config.path, "w").write("1")
open(f"{Config.folder}/n.txt", "w").write("1")
# %% c
print(open("m.txt").read())
# %% d
print(open("data/n.txt").read())
#> a -> b: config
#> b -> c: file m.txt
#> b -> d: file data/n.txt

# == an unknown path may be any file
# %% [imports]
import sys
# %% a
target = sys.argv[0][:0] + "x.txt"
# %% b
open(target, "w").write("1")
# %% c
print(open("x.txt").read())
# %% d
print(1)
#> a -> b: target
#> b -> c: file *x.txt

# == a folder is listed after files were written
# %% [imports]
import glob, os
from pathlib import Path
# %% a
for n in range(2):
    Path(f"data/{n}.txt").write_text("1")
# %% b
print(sorted(os.listdir("data")))
# %% c
print(sorted(glob.glob("data/*.txt")))
# %% d
print(sorted(str(p) for p in Path("data").rglob("*.txt")))
# %% e
print(sorted(f for _, _, fs in os.walk("data") for f in fs))
#> a -> b: file data/*.txt
#> a -> c: file data/*.txt
#> a -> d: file data/*.txt
#> a -> e: file data/*.txt

# == a pattern lists only what it matches
# %% [imports]
import glob
# %% a
open("x.csv", "w").write("1")
# %% b
print(glob.glob("*.csv"))
# %% c
open("notes.txt", "w").write("1")
#> a -> b: file x.csv

# == relative and absolute forms
# %% [imports]
import os
# %% a
open("x.txt", "w").write("1")
# %% b
print(open(os.path.abspath("x.txt")).read())
# %% c
print(open("./data/../x.txt").read())
# %% d
print(open(os.path.join(os.getcwd(), "x.txt")).read())
#> a -> b: file x.txt
#> a -> c: file x.txt
#> a -> d: file x.txt

# == the working directory moves
# %% [imports]
import os
# %% a
os.chdir("data")
# %% b
open("x.txt", "w").write("1")
# %% c
os.chdir("..")
# %% d
print(open("data/x.txt").read())
#> a -> b: order cwd
#> b -> d: file data/x.txt
#> a -> c: order cwd
#> c -> d: order cwd

# == pictures
# %% [imports]
import matplotlib.pyplot as plt
import numpy as np
# %% a
plt.plot([1, 2])
plt.savefig("p.png")
plt.close("all")
# %% b
plt.imsave("q.png", np.zeros((2, 2)))
# %% c
print(plt.imread("p.png").shape)
# %% d
print(plt.imread("q.png").shape)
# %% e
fig, ax = plt.subplots()
ax.plot([1])
fig.savefig("r.png")
plt.close(fig)
# %% f
from PIL import Image
print(Image.open("r.png").size)
#> a -> c: file p.png
#> b -> d: file q.png
#> e -> f: file r.png

# == a temporary file
#! not compared path: it is another one in each run
# %% [imports]
import tempfile, os
# %% a
folder = tempfile.mkdtemp()
path = os.path.join(folder, "x.txt")
open(path, "w").write("1")
# %% b
print(open(path).read())
#> a -> b: path, file /tmp/*/x.txt

# == a function of the notebook saves and loads
# %% [functions]
import json
def save(x, name):
    with open(f"data/{name}.json", "w") as f:
        json.dump(x, f)
def load(name):
    with open(f"data/{name}.json") as f:
        return json.load(f)
# %% a
save([1], "one")
# %% b
save([2], "two")
# %% c
print(load("one"))
# %% d
print(load("two"))
#> a -> c: file data/one.json
#> b -> d: file data/two.json

# == writing inside of what another step reads
# %% [imports]
import os
# %% a
print(os.path.exists("m.txt"))
# %% b
open("m.txt", "w").write("1")
# %% c
print(os.path.exists("m.txt"))
#> a -> b: file m.txt
#> b -> c: file m.txt

# == shelve and dbm
# %% [imports]
import shelve
# %% a
with shelve.open("s") as s:
    s["a"] = 1
s = None
# %% b
with shelve.open("s") as s:
    print(s["a"])
s = None
#> a -> b: file s

# == gzip, bz2 and text in bytes
# %% [imports]
import gzip
# %% a
with gzip.open("x.gz", "wt") as f:
    f.write("1")
f = None
# %% b
with gzip.open("x.gz", "rt") as f:
    print(f.read())
f = None
#> a -> b: file x.gz

# == print into a file
# %% a
with open("o.txt", "w") as f:
    print("hi", file=f)
# %% b
print(open("o.txt").read())
#> a -> b: file o.txt

# == a file of a figure and of a model, read by nobody
# %% [imports]
import pickle
import matplotlib.pyplot as plt
# %% a
model = {"w": 1}
# %% b
plt.plot([1])
plt.savefig("a.png")
plt.close("all")
# %% c
pickle.dump(model, open("m.pkl", "wb"))
# %% d
print(model)
#> a -> c: model
#> a -> d: model

# == a logging file
#! not run: the root logger keeps the file open, in the process of the tests too
# %% [imports]
import logging
# %% a
logging.basicConfig(filename="app.log", level=logging.INFO, force=True)
# %% b
logging.info("x")
# %% c
logging.shutdown()
print(open("app.log").read())
#> a -> b: file app.log, order logging
#> b -> c: file app.log

# == what is unpickled finds the classes of the notebook
# %% a
import pickle
class Kept:
    def __init__(self, value):
        self.value = value
# %% b
with open("kept.pkl", "wb") as stream:
    pickle.dump(Kept(3), stream)
# %% c
with open("kept.pkl", "rb") as stream:
    print(pickle.load(stream).value)
#! not compared stream: it names the folder of the run
#> a -> b: Kept()
#> a -> c: Kept()
#> b -> c: file kept.pkl

# == weights alone need no class
# %% a
import torch
class Net(torch.nn.Linear):
    pass
torch.save(Net(1, 1).state_dict(), "net.pt")
# %% b
print(len(torch.load("net.pt", weights_only=True)))
# %% c
print(len(torch.load("net.pt", weights_only=False)))
#> a -> b: file net.pt
#> a -> c: Net(), file net.pt
