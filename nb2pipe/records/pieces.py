"""What code prints comes in pieces, and a secret value may lie across two of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.records.events import CellFinished, OutputWritten, StepFailed, StepFinished
from nb2pipe.records.forms import by_letter, pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.records.events import Event
    from nb2pipe.records.masking import Masking


class Pieces:
    """Masks events; the end of a printed piece that may begin a secret value waits for the next piece.

    Args:
        masking: Replaces secret values.
    """

    def __init__(self, masking: Masking) -> None:
        self._masking = masking
        self._held: dict[tuple[str, str], OutputWritten] = {}

    def through(self, event: Event) -> Iterator[Event]:
        """The event without secret values, after what had waited for it; none where all of it waits."""
        match event:
            case OutputWritten():
                yield from self._printed(event)
                return
            case CellFinished(step=step) | StepFinished(step=step) | StepFailed(step=step):
                yield from self._rest(step)
            case _:
                pass
        yield self._masking.event(event)

    def _printed(self, event: OutputWritten) -> Iterator[Event]:
        before = self._held.pop((event.step, event.stream), None)
        text = before.text + event.text if before is not None else event.text
        end = len(text) - self._open(text)
        if end < len(text):
            self._held[event.step, event.stream] = replace(event, text=text[end:])
        if end:
            yield self._masking.event(replace(event, text=text[:end]))

    def _rest(self, step: str) -> Iterator[Event]:
        for key in [key for key in self._held if key[0] == step]:
            yield self._masking.event(self._held.pop(key))

    def _open(self, text: str) -> int:
        """How many characters at the end of a text may begin a secret value."""
        values = self._masking.all
        known = by_letter(values)
        longest = max((len(form) for forms in known.values() for form in forms), default=1)
        tails = (text[start:] for start in range(max(0, len(text) - longest + 1), len(text)) if text[start] in known)
        begun = [tail for tail in tails if any(form.startswith(tail) for form in known[tail[0]])]
        found = pattern(values)
        if not begun or found is None:
            return 0
        ended = max((match.end() for match in found.finditer(text)), default=0)
        return next((len(tail) for tail in begun if len(text) - len(tail) >= ended), 0)
