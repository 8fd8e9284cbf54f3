# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# What modules beside the notebook hold is handed on: lists, names, class attributes, what their functions remember.

# %% tags=["imports"]
import helpers
import helpers_of_helpers
from helpers import TABLE, Config, count

# %% tags=["step:one"]
helpers.SEEN.append("one")
helpers.rate = 0.5
TABLE["one"] = 1
Config.debug = True
helpers.remember("one")
print(count(), count(), helpers.tally())
helpers_of_helpers.register("one")

# %% tags=["step:two"]
TABLE["two"] = TABLE["one"] + 1
print(helpers.SEEN, helpers.rate, TABLE, helpers.TABLE is TABLE, Config.debug)
helpers.remember("two")
print(count(), helpers.tally())

# %% tags=["step:three"]
print(helpers.remember("three"), count(), helpers.tally(), Config().debug, helpers.REGISTRY is helpers_of_helpers.REGISTRY)
print(helpers.REGISTRY, helpers.shared["seen"] is helpers.SEEN, helpers.rate)
helpers.SEEN.clear()
del helpers.rate
helpers.area = lambda r: 3 * r * r

# %% tags=["step:four"]
print(helpers.SEEN, hasattr(helpers, "rate"), helpers.area(2), helpers.twice(2))
