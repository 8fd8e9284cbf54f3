# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import glob
import logging
import os
import sys

# %% tags=["step:a"]
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="{levelname}: {message}", style="{")
os.makedirs("out", exist_ok=True)
with open("out/one.txt", "w") as file:
    file.write("1")

# %% tags=["step:b"]
logging.info("two")
logging.debug("not shown")
print(sorted(os.listdir("out")), glob.glob("out/*.txt"))

# %% tags=["step:c"]
with open("out/two.txt", "w") as file:
    file.write("2")
logging.disable(logging.WARNING)

# %% tags=["step:d"]
logging.getLogger("other").warning("not shown")
logging.getLogger("other").error("shown")
print(sorted(os.listdir("out")))
