"""What a program tells people, on its standard error."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def tell(text: str) -> None:
    """Writes a line for people, if anybody reads it."""
    if sys.stderr is None:
        return
    try:
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # that is what a program does
    except (OSError, ValueError):
        return


def warn(sentences: Sequence[str]) -> None:
    """Tells what went wrong that the step can do without."""
    for sentence in sentences:
        tell(f"warning: {sentence}")


def metrics_shown(metrics: Mapping[str, float]) -> str:
    """Numbers by name, as they end a line."""
    return "".join(f", {name} {value:g}" for name, value in metrics.items())


def show(error: BaseException) -> None:
    """Shows an error with its traceback, as Python does."""
    try:
        traceback.print_exception(error)
    except Exception:  # noqa: BLE001  # the author's `__str__` may fail too
        traceback.print_tb(error.__traceback__)


def text_of(error: BaseException) -> str:
    """What an error says."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # as above
        return "(its text cannot be made)"
