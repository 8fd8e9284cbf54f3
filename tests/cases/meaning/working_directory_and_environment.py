# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import os
import sys

# %% tags=["step:a"]
os.environ["MEANING_CASE"] = "set"
os.makedirs("inner", exist_ok=True)
os.chdir("inner")

# %% tags=["step:b"]
sys.path.insert(0, os.getcwd())
with open("helper_of_a_case.py", "w") as stream:
    stream.write("ANSWER = 42\n")

# %% tags=["step:c"]
from helper_of_a_case import ANSWER
print(os.environ["MEANING_CASE"], os.path.basename(os.getcwd()), ANSWER)
