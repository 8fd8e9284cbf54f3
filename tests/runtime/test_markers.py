from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from nb2pipe.runtime.markers import Place, find, markers, place_of


@pytest.mark.parametrize(
    "place",
    [
        Place(cell=1),
        Place(cell=12, line=30),
        Place(cell=2, definitions=True, may_raise=True),
        Place(cell=3, notebook="a, cell 4, line 2.ipynb"),
        Place(cell=3, line=5, notebook="with (may raise).ipynb", may_raise=True),
    ],
    ids=lambda place: place.comment,
)
def test_a_place_is_read_as_it_is_written(place: Place) -> None:
    assert place_of("    " + place.comment) == place


@pytest.mark.parametrize(
    "line", ["# %%", "# %% cell", "# %% cell x", "x = 1  # %% cell 3", "# %% cell 3, line 4 and more"]
)
def test_other_comments_name_no_place(line: str) -> None:
    assert place_of(line) is None


def test_a_file_name_with_line_breaks_makes_no_second_line() -> None:
    assert "\n" not in Place(cell=1, notebook="a\nimport os\n.ipynb").comment


def places(text: str) -> dict[str, str]:
    source = dedent(text).lstrip("\n")
    found = markers(source, ast.parse(source))
    lines = enumerate(source.splitlines(), 1)
    return {line.strip(): place.shown("n.ipynb") for number, line in lines if (place := find(found, number))}


def test_lines_count_up_from_the_marker_to_the_end_of_its_text() -> None:
    assert places(
        """
        import sys

        def step():
            # fmt: off
            # %% cell 4, line 3
            a = 1

            b = 2
            # %% inner.ipynb, cell 7
            c = 3
            # fmt: on
            return a
        """
    ) == {
        "a = 1": "n.ipynb, cell 4, line 3",
        "": "n.ipynb, cell 4, line 4",
        "b = 2": "n.ipynb, cell 4, line 5",
        "c = 3": "inner.ipynb, cell 7, line 1",
    }


def test_a_marker_within_a_string_of_the_author_is_text() -> None:
    found = places(
        '''
        # %% cell 1
        text = """
        # %% cell 9
        """
        last = 1
        '''
    )
    assert found["last = 1"] == "n.ipynb, cell 1, line 4"


def test_what_the_author_switched_off_and_on_again_ends_nothing() -> None:
    found = places(
        """
        # %% cell 1
        # fmt: off
        a = 1
        # fmt: on
        b = 2
        # fmt: on
        c = 3
        """
    )
    assert found["b = 2"] == "n.ipynb, cell 1, line 4"
    assert "c = 3" not in found
