"""The values of the small cases in `tests/cases/flows/`: run straight and in every quick way as a pipeline.

Every case is run, or says why not, in lines with `#!` right below its title:

- `#! raises a: NameError: missing`: the straight run ends with this error in the cell `a`. A case that raises and does
  not say so fails: nothing after that cell would be tested.
- `#! not run: REASON`: it is not run at all, such as where a library is missing.
- `#! not as steps|edges|modules|namespace|files: REASON`: one way to run it cannot give its values, and is left out;
  `check` says so, or the reason says where it is told.
- `#! refused VARIABLE: REASON`: a step cannot pass the variable on, and says so; modules in one process can.
- `#! not compared VARIABLE: REASON`: its values are not compared, such as those that hold how long something took.
- `#! parameter NAME = LITERAL`: a value to give, beside the run with the defaults.

Cases that expect an error of `check` (`#> error NBnnn CELL`) are not run: the product does not run them either. Beside
the notebook lie the files in `FILES`; `strange` is a module that the analysis knows nothing of.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "analysis")]
from quick import WAYS, Compared, compare, trial_of  # noqa: E402  # there is no package of tests
from test_flows import ENVIRONMENT, HELPERS, Case, notebook_of, read_cases  # noqa: E402

STRANGE = """
def work(thing):
    if isinstance(thing, list):
        thing.append("strange")
    return 1

class Thing:
    poked = 0

    def poke(self):
        self.poked += 1

    def __str__(self):
        return f"poked {self.poked} times"
"""
FILES = {
    "helpers.py": HELPERS,
    "known.py": "other = 2\ndef something():\n    return 1\n",
    "strange.py": STRANGE,
    "lib/of_nobody.py": "",
    "raw.csv": "x,y\n1,2\n,3\n",
    "other.csv": "a\n1\n",
    "data/x.txt": "1",
    "out/here.txt": "",
    "elsewhere/here.txt": "",
}
"""What cases find beside the notebook, or in another folder."""


def said(case: Case, pattern: str) -> list[re.Match[str]]:
    return [found for line in case.said if (found := re.fullmatch(pattern, line))]


def ways_of(case: Case) -> tuple[str, ...]:
    left_out = {found[1] for found in said(case, r"not as (\w+): .+")}
    assert left_out <= set(WAYS)
    return tuple(way for way in WAYS if way not in left_out)


def ended(case: Case, compared: Compared) -> str | None:
    """How the straight run ended, as the case would say it."""
    if compared.straight.failed is None:
        return None
    cell, error = compared.straight.failed
    return f"{case.cells[(cell or 0) - 1][0]}: {error}".split("\n")[0]


def found_in(case: Case, compared: Compared) -> dict[str, list[str]]:
    left_out = [f" value of {found[1]}" for found in said(case, r"not compared (\w+): .+")]
    kept = {
        way: [line for line in lines if not any(f"{each} " in f" {line} " for each in left_out)]
        for way, lines in compared.found.items()
    }
    return {way: lines for way, lines in kept.items() if lines}


def assert_refused(case: Case, compared: Compared) -> None:
    names = [found[1] for found in said(case, r"refused (\w+): .+")]
    for way in ways_of(case):
        told = compared.refused.get(way, "")
        expected = bool(names) and way not in {"modules", "namespace"}
        assert bool(told) == expected, told
        assert not expected or f"`{names[0]}` cannot be passed to another step" in told


def is_run(case: Case) -> bool:
    return not said(case, "not run: .+") and not any(line.startswith("error ") for line in case.expected)


CASES = [case for case in read_cases() if is_run(case)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file}: {case.title}")
def test_values_are_those_of_the_straight_run(case: Case) -> None:
    given = {found[1]: ast.literal_eval(found[2]) for found in said(case, r"parameter (\w+) = (.+)")}
    expected = next((found[1] for found in said(case, "raises (.+)")), None)
    for values in [{}, given] if given else [{}]:
        compared = compare(trial_of(notebook_of(case), ENVIRONMENT, given=values, files=FILES), ways_of(case))
        assert ended(case, compared) == expected
        assert found_in(case, compared) == {}
        assert_refused(case, compared)


def test_what_cases_say_is_understood() -> None:
    known = r"raises .+|refused \w+: .+|not compared \w+: .+|not run: .+|not as \w+: .+|parameter \w+ = .+"
    assert [line for case in read_cases() for line in case.said if not re.fullmatch(known, line)] == []
