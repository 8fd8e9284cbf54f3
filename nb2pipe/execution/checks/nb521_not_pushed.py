"""Not all that a run made could be brought to the store that others use too.

`run --store URL` pushes artifacts and records to the URL as the steps end. That failed; the home has all of it, and
the next run with the same URL pushes what is still missing there.

For example, the network was interrupted, or the credentials allow to read only.

What to do: look at the message, then run again with the same `--store URL`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pipe.records.events import Noted

if TYPE_CHECKING:
    from nb2pipe.errors import StoreError

CODE = "NB521"


def not_pushed(url: str, error: StoreError, *, time: float) -> Noted:
    """The warning of a run that is not, or not as a whole, in the store of the others."""
    again = "the home has all of it; the next run with the same --store pushes the rest"
    hint = f"{error.hint}; {again}" if error.hint else again
    return Noted(
        code=CODE, message=f"not all that the run made was pushed to {url}: {error.message}", time=time, hint=hint
    )
