# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% tags=["imports"]
import asyncio

# %% tags=["step:a"]
async def work(n):
    await asyncio.sleep(0)
    return n * 2

x = await work(2)

# %% tags=["step:b"]
y = await asyncio.gather(work(x), work(1))
print(x, y)
