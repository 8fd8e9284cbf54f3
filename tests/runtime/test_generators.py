from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from nb2pipe.runtime.generators import ALL, Generators

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMPY = np.random.mtrand._rand
"""NumPy's global generator."""


@pytest.fixture(autouse=True)
def _states() -> Iterator[None]:
    kept = [(generator, generator.read()) for generator in ALL]
    yield
    for generator, state in kept:
        generator.write(state)


def draw() -> list[float]:
    # A normal number from NumPy keeps a second one in its state.
    return [random.random(), float(NUMPY.normal()), float(torch.randn(1)), float(torch.rand(1))]


def begun(given: dict[str, bytes]) -> Generators:
    generators = Generators(3, given)
    generators.begin()
    return generators


def test_the_seed_is_that_of_each_library() -> None:
    begun({})
    drawn = draw()
    random.seed(3)
    NUMPY.seed(3)
    torch.manual_seed(3)
    assert draw() == drawn


def test_states_are_handed_on_exactly() -> None:
    one = begun({})
    draw()
    left = one.changed()
    expected = [draw(), draw()]
    begun(left)
    assert [draw(), draw()] == expected


def test_only_what_was_drawn_from_counts_as_changed() -> None:
    generators = begun({})
    assert generators.changed() == {}
    random.random()
    assert set(generators.changed()) == {"random"}
    torch.manual_seed(3)  # the same seed again is the same state
    assert set(generators.changed()) == {"random"}


def test_what_repeated_imports_drew_is_undone_where_a_state_was_given() -> None:
    first = begun({})
    draw()
    given = first.changed()
    del given["torch"]
    generators = begun(given)
    before = draw()
    generators.settle()
    again = draw()
    assert again[:2] == before[:2]
    assert again[2:] != before[2:]


def test_equal_states_are_equal_bytes() -> None:
    one = begun({})
    draw()
    left = one.changed()
    two = begun({})
    draw()
    assert two.changed() == left
