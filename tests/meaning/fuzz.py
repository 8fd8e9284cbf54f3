"""Tries generated notebooks by the thousand: `make fuzz`, or `python tests/meaning/fuzz.py --help`.

Each is run straight and in two of the quick ways (see `quick.py`), a few of them in real kernels too. A divergence is
made smaller and printed as a notebook in the percent format, with what differs; it should become a case in
`tests/cases/`, and is mended then.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parent))
import oracle
from notebooks import HEAD, TOPICS, Written, notebooks
from quick import WAYS, Compared, Trial, compare, in_thread, straight, trial_of
from shrink import smallest

from nb2pipe.notebook.read import read_notebook

if TYPE_CHECKING:
    from collections.abc import Sequence

CURRENT = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}.py"
"""The notebook that is tried; to be looked at where a round does not come to an end."""
MOST_SECONDS = 900
"""For one notebook, made smaller where it diverges; then the round ends, with a traceback."""
MOST_ERRORS = 8
"""Cells of a notebook that are tagged `raises-exception` because they raise."""


def say(text: str) -> None:
    """Prints, also while nobody looks yet."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def trial(written: Written) -> Trial:
    """A generated notebook, read as any other."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.py"
        path.write_text(str(written), encoding="utf-8")
        notebook, report = read_notebook(path)
    return trial_of(notebook, given=written.given, read=report)


def tamed(written: Written) -> Written:
    """The notebook, where cells that raise are tagged so, unless an error is to end it."""
    for _ in range(0 if written.stops else MOST_ERRORS):
        with tempfile.TemporaryDirectory() as folder:
            seen = in_thread(partial(straight, trial(written), Path(folder).resolve()))
        if seen.failed is None or seen.failed[0] is None:
            break
        written = written.may_raise(seen.failed[0] - 1)
    return written


def compared(written: Written, ways: Sequence[str] = ()) -> Compared:
    """A generated notebook, run straight and in some ways; if none are named, in its own."""
    return compare(trial(written), ways or written.ways)


@dataclass
class Fuzz:
    """A round of the fuzz.

    Attributes:
        every: After how many notebooks one is run in real kernels.
        most: Divergences to print; then the round ends.
        counts: What came of the notebooks.
        printed: The divergences, as texts.
    """

    every: int
    most: int
    began: float = field(default_factory=time.monotonic)
    counts: Counter[str] = field(default_factory=Counter)
    printed: set[str] = field(default_factory=set)

    def take(self, written: Written) -> None:
        """Tries a notebook."""
        if len(self.printed) >= self.most:
            return
        self.counts["tried"] += 1
        CURRENT.write_text(str(written), encoding="utf-8")
        faulthandler.dump_traceback_later(MOST_SECONDS, exit=True)
        written = tamed(written)
        found = outcome(written)
        if isinstance(found, Compared):
            self._count(found)
        else:
            self.counts["diverged"] += 1
            self._show(written, found)
        if self.counts["tried"] % self.every == 0 and not written.stops:
            self._run_for_real(written)
        if self.counts["tried"] % 50 == 0:
            self.tell()

    def _run_for_real(self, written: Written) -> None:
        self.counts["run in real kernels"] += 1
        for executor in ("papermill", "subprocess"):
            found = differences_in_kernels(written, executor)
            if found:
                self.printed.add(str(written))
                say(f"\n{'=' * 40} diverges in real kernels, {executor}\n{str(written).removeprefix(HEAD)}")
                say("\n".join(found))

    def _count(self, one: Compared) -> None:
        self.counts["ended by an error"] += one.straight.failed is not None
        for way in ("check", "steps"):
            if way in one.refused:
                self.counts[f"refused by {way}: {one.refused[way].split(' ')[0 if way == 'check' else 1]}"] += 1

    def _show(self, written: Written, found: frozenset[str]) -> None:
        written = smallest(written, lambda each: not isinstance(now := outcome(each), Compared) and bool(now & found))
        text = str(written).removeprefix(HEAD)
        if text in self.printed:
            return
        self.printed.add(text)
        say(f"\n{'=' * 40} diverges\n{text}")
        if written.given:
            say(f"given: {written.given}")
        try:
            for way, lines in compared(written, WAYS).found.items():
                say("\n".join([f"{way}:", *(f"    {line}" for line in lines)]))
        except Exception:  # noqa: BLE001  # a crash is a divergence too
            say(traceback.format_exc())

    def tell(self) -> None:
        """Prints how far it is."""
        counts = ", ".join(f"{count} {what}" for what, count in self.counts.items())
        say(f"{time.monotonic() - self.began:.0f} s: {counts}")


def differences_in_kernels(written: Written, executor: str) -> list[str]:
    """Where a notebook's run as a pipeline in real kernels differs from its straight run in one."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name / "work" / "made.py" for name in ("straight", "pipeline")]
        for path in paths:
            path.parent.mkdir(parents=True)
            path.write_text(str(written), encoding="utf-8")
        one = oracle.straight(paths[0], paths[0].parent, written.given, seed=11)
        two = oracle.pipeline(paths[1], Path(folder) / ".nb2pipe", written.given, seed=11, executor=executor)
    seen = oracle.printed if executor == "subprocess" else (lambda observed: observed)
    return oracle.differences(seen(one), seen(two))


def outcome(written: Written) -> Compared | frozenset[str]:
    """What came of a notebook where all is well; else the ways in which it diverges, or how it crashes."""
    try:
        found = compared(written)
    except Exception as error:  # noqa: BLE001  # whatever goes wrong is to be found
        return frozenset({f"{type(error).__name__}: {str(error)[:30]}"})
    return frozenset(found.found) or found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a round; the exit code is 1 where something diverged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=2000, help="notebooks to try (2000)")
    parser.add_argument("--real", type=int, default=10, help="how many of them to run in real kernels too (10)")
    parser.add_argument("--seed", type=int, default=None, help="to have a round again; printed at its beginning")
    parser.add_argument("--topics", default=",".join(TOPICS), help="what notebooks are about, with commas between")
    parser.add_argument("--most", type=int, default=10, help="divergences after which the round ends (10)")
    options = parser.parse_args(arguments)
    number = options.seed if options.seed is not None else random.randrange(2**32)
    say(f"seed {number}")
    fuzz = Fuzz(max(1, options.n // max(1, options.real)), options.most)

    @seed(number)
    @settings(
        max_examples=options.n,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(notebooks(tuple(options.topics.split(","))))
    def round_of(written: Written) -> None:
        fuzz.take(written)

    round_of()
    faulthandler.cancel_dump_traceback_later()
    CURRENT.unlink(missing_ok=True)
    fuzz.tell()
    return 1 if fuzz.printed else 0


if __name__ == "__main__":
    sys.exit(main())
