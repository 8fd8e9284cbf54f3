# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# Settings of Python and its standard library hold in later steps.

# %% tags=["imports"]
import copyreg
import csv
import decimal
import gc
import io
import locale
import mimetypes
import os
import pickle
import socket
import sys
import time


# %% tags=["functions"]
class Plain:
    def __init__(self, x):
        self.x = x


def reduced(plain):
    return Plain, (plain.x + 1,)


# %% tags=["step:set"]
decimal.getcontext().prec = 5
decimal.getcontext().traps[decimal.DivisionByZero] = False
sys.setrecursionlimit(2345)
gc.disable()
gc.set_threshold(500, 5, 5)
socket.setdefaulttimeout(12)
csv.register_dialect("bars", delimiter="|", quoting=csv.QUOTE_ALL)
mimetypes.add_type("text/own", ".own")
os.umask(0o027)
os.environ["TZ"] = "Asia/Tokyo"
time.tzset()
locale.setlocale(locale.LC_ALL, "C.UTF-8")
copyreg.pickle(Plain, reduced)

# %% tags=["step:read"]
print(decimal.Decimal(1) / 3, decimal.Decimal(1) / 0, sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold())
text = io.StringIO()
csv.writer(text, dialect="bars").writerow([1, 2])
print(text.getvalue().strip(), mimetypes.guess_type("a.own"), socket.getdefaulttimeout())
with open("made.txt", "w") as file:
    file.write("x")
print(oct(os.stat("made.txt").st_mode), time.strftime("%H %Z", time.localtime(0)), locale.setlocale(locale.LC_NUMERIC))
print(pickle.loads(pickle.dumps(Plain(1))).x)
with decimal.localcontext() as context:
    context.prec = 2
    print(decimal.Decimal(1) / 3)

# %% tags=["step:reset"]
decimal.setcontext(decimal.DefaultContext)
gc.enable()
csv.unregister_dialect("bars")
socket.setdefaulttimeout(None)

# %% tags=["step:again"]
print(decimal.getcontext().prec, gc.isenabled(), csv.list_dialects(), socket.getdefaulttimeout())
