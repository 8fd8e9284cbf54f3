from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Other

FOLDER = Path(__file__).with_name("cases")


@dataclass(frozen=True, slots=True)
class Case:
    """Code that defines variables here, what the other process has defined, a check there, and the groups.

    What `read` holds runs here and there, and changes no digest.
    """

    name: str
    here: str
    there: str
    before: str
    read: str
    groups: str | None


def _cases() -> list[Case]:
    texts = [text for path in sorted(FOLDER.glob("*.txt")) for text in path.read_text().split("=== ")[1:]]
    return [_case(text) for text in texts]


def _case(text: str) -> Case:
    head, *sections = text.split("--- ")
    name, *options = head.strip().splitlines()
    code = dict(section.split("\n", 1) for section in sections)
    groups = next((option.removeprefix("groups: ") for option in options), None)
    return Case(name, code["here"], code["there"], code.get("defined there", ""), code.get("read", ""), groups)


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case.name)
def test_values_are_the_same_in_another_process(case: Case, other: Other) -> None:
    groups = other.round_trip(case.here, case.there, case.before, case.read)
    if case.groups is not None:
        assert "|".join(",".join(group.names) for group in groups) == case.groups
