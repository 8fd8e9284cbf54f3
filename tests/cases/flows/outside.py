# == a file is written and read
# %% [imports]
import pandas as pd
# %% a
pd.DataFrame({"a": [1]}).to_csv("out/table.csv")
# %% b
df = pd.read_csv("./out/table.csv")
# %% c
other = pd.read_csv("other.csv")
#> a -> b: file out/table.csv

# == a reader comes before the next writer
# %% a
open("x.txt", "w").write("1")
# %% b
print(open("x.txt").read())
# %% c
with open("x.txt", "a") as stream:
    stream.write("2")
#> a -> b: file x.txt
#> a -> c: file x.txt
#> b -> c: file x.txt

# == paths are joined
# %% [imports]
import os
from pathlib import Path
# %% a
folder = Path("data")
(folder / "x.txt").write_text("1")
# %% b
print(Path("data/x.txt").read_text(), open(os.path.join("data", "x.txt")).read())
#> a -> b: file data/x.txt

# == a path in a parameter
# %% [parameters]
path = "x.csv"
# %% [imports]
import pandas as pd
# %% a
pd.DataFrame().to_csv(path)
# %% b
pd.read_csv(path)
#> a -> b: file x.csv
#> parameter path: a, b

# == a path in a function
# %% [functions]
import json
def save(data, path):
    with open(path, "w") as stream:
        json.dump(data, stream)
# %% a
save({}, "a.json")
# %% b
with open("a.json") as stream:
    print(json.load(stream))
#> a -> b: file a.json

# == NumPy adds its ending
# %% [imports]
import numpy as np
# %% a
np.save("a", np.zeros(2))
# %% b
np.load("a.npy")
#> a -> b: file a.npy

# == a folder is made before files are put into it
# %% [imports]
import os
# %% a
os.makedirs("out", exist_ok=True)
# %% b
open("out/a.txt", "w").write("1")
# %% c
open("out/b.txt", "w").write("1")
#> a -> b: file out
#> a -> c: file out

# == cells that write a file
# %% a
%%writefile notes.txt
hello
# %% b
!cat notes.txt
# %% c
!echo x > made.txt
# %% d
print(open("made.txt").read())
#> a -> b: file notes.txt
#> c -> d: file made.txt

# == a module is written and imported
# %% a
%%writefile made_here.py
X = 1
# %% b
import made_here
print(made_here.X)
#> a -> b: file made_here.py

# == the working directory concerns who reads files
# %% [imports]
import os
# %% a
os.chdir("data")
# %% b
print(1)
# %% c
print(open("x.txt").read())
#> a -> c: order cwd

# == environment variables concern who reads them
# %% [imports]
import os
# %% a
os.environ["MODE"] = "fast"
# %% b
print(os.environ["MODE"])
# %% c
print(os.getenv("MODE"))
# %% d
print(1)
#> a -> b: order environ
#> a -> c: order environ

# == the search path concerns who imports
# %% [imports]
import sys
# %% a
sys.path.append("lib")
# %% b
import of_nobody
# %% c
import math
#> a -> b: order sys.path

# == who warns comes after who sets filters of warnings
# %% [imports]
import warnings
# %% a
warnings.filterwarnings("ignore")
# %% b
warnings.warn("x")
# %% c
print(1)
#> a -> b: order warnings

# == print options of NumPy concern who uses NumPy
# %% [imports]
import numpy as np
# %% a
np.set_printoptions(precision=2)
# %% b
print(np.zeros(2))
# %% c
print(1)
#> a -> b: order numpy

# == the setters of one state run in order
# %% [imports]
import torch
# %% a
torch.set_default_dtype(torch.float64)
# %% b
torch.backends.cudnn.deterministic = True
# %% c
x = torch.zeros(2)
#> a -> b: order torch
#> b -> c: order torch

# == pickled files
# %% [imports]
import pickle
import joblib
# %% a
model = [1]
joblib.dump(model, "model.joblib")
with open("model.pkl", "wb") as stream:
    pickle.dump(model, stream)
# %% b
one = joblib.load("model.joblib")
two = pickle.load(open("model.pkl", "rb"))
#> a -> b: file model.joblib, file model.pkl

# == a picture is written
# %% [imports]
import matplotlib.pyplot as plt
# %% a
plt.plot([1])
plt.savefig("a.png")
# %% b
image = plt.imread("a.png")
#> a -> b: file a.png

# == who lists a folder stands between those who write into it
# %% [imports]
import glob
import os
from pathlib import Path
# %% a
open("out/one.txt", "w").write("1")
# %% b
print(os.listdir("out"), glob.glob("out/*.txt"))
# %% c
Path("out/two.txt").write_text("2")
# %% d
print(os.listdir(), list(Path("out").glob("*.txt")))
# %% e
open("three.txt", "w").write("3")
# %% f
print(open("three.txt").read(), os.listdir("elsewhere"))
#> a -> b: file out/one.txt
#> a -> d: file out/one.txt
#> b -> c: file out/two.txt
#> c -> d: file out/two.txt
#> d -> e: file three.txt
#> e -> f: file three.txt

# == a level of logging holds in later steps
# %% [imports]
import logging
log = logging.getLogger("mine")
# %% a
logging.basicConfig(level=logging.INFO)
# %% b
log.info("told")
# %% c
x = 1
#> imports -> b: log
#> a -> b: order logging

# == a module written into a folder, and a variable of the environment taken away
# %% [imports]
import os, sys
# %% a
os.environ["KEY"] = "1"
sys.path.insert(0, "lib")
# %% b
with open("lib/mine.py", "w") as stream:
    stream.write("Q = 1")
# %% c
import mine
print(mine.Q)
# %% d
del os.environ["KEY"]
# %% e
print(os.getenv("KEY"))
#> a -> c: order sys.path
#> a -> d: order environ
#> b -> c: file lib/mine.py
#> d -> e: order environ
#> needs a: os, sys

# == the environment and the search path under other names
# %% [imports]
import os
import sys
# %% a
place = os.environ
place["Q"] = "1"
# %% b
print(os.environ["Q"])
# %% c
where = sys.path
where.append("lib")
# %% d
print("lib" in sys.path)
#> a -> b: order environ
#> c -> d: order sys.path

# == what is put into a library is read by who uses the library
#! not compared plain: it goes by reference where the library's function is at its place
# %% [imports]
import json
import math
# %% a
plain = json.dumps
json.dumps = lambda value: plain(value).upper()
# %% b
print(math.pi)
# %% c
print(json.dumps("x"))
#> a -> c: plain, order json

# == filters of warnings concern libraries that may warn
# %% [imports]
import warnings
import pandas as pd
# %% a
warnings.simplefilter("error")
# %% b
print(sum([1, 2]))
# %% c
print(pd.concat([pd.Series([1])]))
#> a -> c: order warnings

# == numbers of decimal depend on its context
# %% [imports]
import decimal
# %% a
decimal.getcontext().prec = 5
# %% b
print(decimal.Decimal(1) / 3)
#> a -> b: order decimal
