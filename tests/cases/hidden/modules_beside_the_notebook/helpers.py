from helpers_of_helpers import REGISTRY

SEEN = []
TABLE = {}
shared = {"seen": SEEN}
rate = 1
_count = 0


class Config:
    debug = False


def remember(value, seen=[]):
    seen.append(value)
    return seen


def count():
    global _count
    _count += 1
    return _count


def _tally():
    number = 0

    def tally():
        nonlocal number
        number += 1
        return number

    return tally


tally = _tally()


def area(r):
    return r


def twice(r):
    return 2 * area(r)
