# %% tags=["step:one"]
import time
print("here", flush=True)
while True:
    try:
        time.sleep(60)
    except BaseException:
        pass
# %% tags=["step:two"]
import time
print("here", flush=True)
time.sleep(60)
# %% tags=["step:three"]
three = 3
