"""Generated notebooks: straight and as a pipeline they are the same. `make fuzz` tries thousands, each time new ones.

Those here are always the same ones, as long as `notebooks.py` and `topics.py` are: a test has to fail for a reason.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

sys.path.insert(0, str(Path(__file__).parent))
from fuzz import compared, differences_in_kernels, tamed
from notebooks import HEAD, Made, Written, notebooks
from shrink import smallest
from topics import LIGHT

SHORT = settings(
    max_examples=50,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@SHORT
@given(written=notebooks(LIGHT))
def test_generated_notebooks_compute_the_same_as_pipelines(written: Written) -> None:
    assert compared(tamed(written)).found == {}


@settings(SHORT, max_examples=25)
@given(written=notebooks())
def test_generated_notebooks_with_large_libraries_compute_the_same_as_pipelines(written: Written) -> None:
    assert compared(tamed(written)).found == {}


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_a_generated_notebook_computes_the_same_in_real_kernels(executor: str) -> None:
    drawn: list[Written] = []

    @settings(SHORT, max_examples=12)
    @given(written=notebooks(LIGHT))
    def draw(written: Written) -> None:
        drawn.append(tamed(written))

    draw()
    chosen = max((one for one in drawn if not one.stops), key=lambda one: len(one.cells))
    assert differences_in_kernels(chosen, executor) == []


def test_a_notebook_that_shows_something_is_made_as_small_as_it_can_be() -> None:
    cells = (
        Made(("step:a", "raises-exception"), "x = [1]\nif x:\n    for n in x:\n        y = n\n        print(n)"),
        Made(("step:b",), "z = 2\nprint(z)"),
    )
    found = smallest(Written(cells), lambda written: "print(n)" in str(written))
    assert str(found).removeprefix(HEAD) == '# %% tags=["step:a"]\nprint(n)\n'
