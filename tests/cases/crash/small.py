# %% tags=["parameters"]
size = 30
# %% tags=["imports"]
import random
import time
from nb2pipe import track
# %% tags=["functions"]
def slowly(values):
    for value in values:
        time.sleep(0.004)
        yield value
# %% tags=["step:draw"]
numbers = [random.random() for _ in slowly(range(size))]
print(len(numbers), sum(numbers))
# %% tags=["step:write"]
with open("left_numbers.txt", "w") as file:
    for number in slowly(numbers):
        file.write(f"{number!r}\n")
        file.flush()
print("written")
# %% tags=["step:train"]
weights = {"w": 0.0}
history = [weights]
for epoch in slowly(range(25)):
    weights["w"] += random.gauss(0, 1) * numbers[epoch]
    track.log(loss=abs(weights["w"]), step=epoch)
    print("epoch", epoch, weights["w"])
# %% tags=["step:aside"]
bulk = [bytes([number % 251]) * 40_000 for number in slowly(range(size))]
print(sum(map(len, bulk)))
# %% tags=["step:shuffle"]
random.shuffle(numbers)
order = sorted(slowly(range(size)), key=numbers.__getitem__)
# %% tags=["step:join"]
text = open("left_numbers.txt").read()
history[0]["w"] += 1
total = weights["w"] + sum(order[::2]) + len(text) + sum(bulk[3][:10]) + random.random()
track.log(final=total)
open("left_total.txt", "w").write(repr(total))
print(order)
total
# %% tags=["pipeline-metrics"]
print(total)
