"""What all tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

GOLDEN = "--update-golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(GOLDEN, action="store_true", help="write the golden files anew, to be reviewed and committed")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption(GOLDEN) and is_ci(os.environ.items()):
        raise pytest.UsageError(f"{GOLDEN} is refused where CI is set: golden files are reviewed, not made, there")


def is_ci(variables: Iterable[tuple[str, str]]) -> bool:
    """Whether the environment says that this is CI."""
    return dict(variables).get("CI", "").lower() not in {"", "0", "false"}


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be written."""
    return bool(request.config.getoption(GOLDEN))
