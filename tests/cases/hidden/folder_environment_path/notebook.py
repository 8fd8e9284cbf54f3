# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# The working directory, environment variables and `sys.path` hold in later steps.

# %% tags=["imports"]
import os
import sys
from pathlib import Path

os.environ["HIDDEN_FIRST"] = "imports"

# %% tags=["step:one"]
Path("inner/modules").mkdir(parents=True)
os.chdir("inner")
os.environ["HIDDEN_SECOND"] = "one"
os.environ["HIDDEN_THIRD"] = "one"
sys.path.insert(0, str(Path("modules").resolve()))

# %% tags=["step:two"]
Path("modules/hidden_found.py").write_text("VALUE = 7\n")
del os.environ["HIDDEN_THIRD"]
print(Path.cwd().name, os.environ["HIDDEN_FIRST"], os.getenv("HIDDEN_SECOND"))

# %% tags=["step:three"]
from hidden_found import VALUE

print(VALUE, Path.cwd().name, sorted(name for name in os.environ if name.startswith("HIDDEN")))
# !echo $HIDDEN_SECOND $(basename $(pwd))
os.chdir("..")

# %% tags=["step:four"]
print(sorted(os.listdir(".") and [p.name for p in Path("inner").iterdir()]), Path("inner").is_dir())
