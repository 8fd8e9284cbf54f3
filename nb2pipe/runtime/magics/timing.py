"""`%time` and `%timeit` for modules: they run the code, and print times in IPython's form."""

from __future__ import annotations

import gc
import itertools
import math
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MINUTE = 60.0
_LONG_ENOUGH = 0.2
_MOST = 10
_UNEVEN = 4
_SHORT = 1e-6


@contextmanager
def timed() -> Iterator[None]:
    """`%time` and `%%time`: prints the times that a block took, also where it ends with an error."""
    before, began = _processor_times(), time.time()
    try:
        yield
    finally:
        after, wall = _processor_times(), time.time() - began
        user, system = after[0] - before[0], after[1] - before[1]
        if sys.platform == "win32":
            print(f"CPU times: total: {duration(user + system)}")  # noqa: T201
        else:
            print(  # noqa: T201
                f"CPU times: user {duration(user)}, sys: {duration(system)}, total: {duration(user + system)}"
            )
        print(f"Wall time: {duration(wall)}")  # noqa: T201


def time_calls(
    call: Callable[[], object], *, number: int = 0, repeat: int = 7, precision: int = 3, quiet: bool = False
) -> None:
    """`%timeit`: calls a function many times, and prints how long a call takes.

    Args:
        call: The function.
        number: Calls in a run; by default as many as take a fifth of a second.
        repeat: Runs.
        precision: Digits that are printed.
        quiet: Prints nothing.
    """
    for _ in timing(number=number, repeat=repeat, precision=precision, quiet=quiet):
        call()


def timing(*, number: int = 0, repeat: int = 7, precision: int = 3, quiet: bool = False) -> Iterator[None]:
    """`%%timeit`: a loop that prints how long its body takes.

    Args:
        number: As for `time_calls`.
        repeat: As for `time_calls`.
        precision: As for `time_calls`.
        quiet: As for `time_calls`.

    Yields:
        Nothing; once for each time that the body is to run.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        if not number:
            for power in range(_MOST):
                number = 10**power
                began = time.perf_counter()
                yield from itertools.repeat(None, number)
                if time.perf_counter() - began >= _LONG_ENOUGH:
                    break
        runs = []
        for _ in range(repeat):
            began = time.perf_counter()
            yield from itertools.repeat(None, number)
            runs.append((time.perf_counter() - began) / number)
    finally:
        if collects:
            gc.enable()
    if not quiet:
        _tell(runs, number, precision)


def duration(seconds: float, precision: int = 3) -> str:
    """A time as IPython prints it.

    >>> duration(0.0123), duration(75), duration(0)
    ('12.3 ms', '1min 15s', '0 ns')
    """
    if seconds >= _MINUTE:
        return _long(seconds)
    units = ["s", "ms", "\u03bcs" if _prints("\u03bc") else "us", "ns"]
    order = min(-int(math.floor(math.log10(seconds)) // 3), 3) if seconds > 0 else 3
    return f"{seconds * 1000**order:.{precision}g} {units[order]}"


def _long(seconds: float) -> str:
    found = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        value = int(seconds / length)
        if value > 0:
            seconds %= length
            found.append(f"{value}{unit}")
        if seconds < 1:
            break
    return " ".join(found)


def _tell(runs: list[float], number: int, precision: int) -> None:
    best, worst = min(runs), max(runs)
    if worst > _UNEVEN * best > 0 and worst > _SHORT:
        print(  # noqa: T201
            f"The slowest run took {worst / best:0.2f} times longer than the fastest. "
            "This could mean that an intermediate result is being cached."
        )
    mean = math.fsum(runs) / len(runs)
    spread = (math.fsum((run - mean) ** 2 for run in runs) / len(runs)) ** 0.5
    sign = "\xb1" if _prints("\xb1") else "+-"
    print(  # noqa: T201
        f"{duration(mean, precision)} {sign} {duration(spread, precision)} per loop "
        f"(mean {sign} std. dev. of {len(runs)} run{'' if len(runs) == 1 else 's'}, "
        f"{number:,} loop{'' if number == 1 else 's'} each)"
    )


def _prints(character: str) -> bool:
    try:
        character.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _processor_times() -> tuple[float, float]:
    try:
        import resource  # noqa: PLC0415  # not everywhere
    except ImportError:
        return time.process_time(), 0.0
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime, used.ru_stime
