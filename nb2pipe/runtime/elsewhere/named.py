"""The store and the run that the environment of a step elsewhere names."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Sequence

STORE = "NB2PIPE_STORE"
"""The variable that names the store."""
RUN = "NB2PIPE_RUN"
"""The variable that names the run, where whoever starts the steps has a name for it."""

_ID = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,100}")
_SEEDS = 2**32


def run_id(given: str, runs: Sequence[str]) -> str:
    """The run's id: the one that is given, made safe; that of the steps before; or a new one.

    >>> run_id("scheduled 2026", ())
    'scheduled_2026.259594f0'
    >>> run_id("", ("20261122-103000-ab12", "20261121-090000-cd34"))
    '20261122-103000-ab12'
    """
    if given:
        safe = re.sub(r"[^0-9A-Za-z_-]+", "_", given)[:80]
        return given if _ID.fullmatch(given) else f"{safe}.{hashlib.sha256(given.encode()).hexdigest()[:8]}"
    known = [run for run in runs if _ID.fullmatch(run)]
    return max(known, default="") or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def seed_of_run(run: str) -> int:
    """The initial random state of a run: a step of it that is tried again, on any machine, begins with the same.

    >>> seed_of_run("nightly-1")
    3831040958
    """
    return int(Digest.of("initial random state", run).hex[:16], 16) % _SEEDS
