"""Two steps that have no order touched the same file.

Who reads a file comes after who wrote it above, and before who writes it below. Where the code shows the path, or a
part of it, the steps wait for each other. Here the file was opened in code that cannot be seen in the notebook, and it
turned out afterward that the later step had read or written it, or had looked for it, before the earlier one had ended.

For example, both call a function of a package of your own, one saves `cache/table.parquet`, and the other loads it.

What happens: the later step is run again if nothing in its code touches files or other things outside; otherwise the
run ends here. The next run of this notebook knows the order from the start.

What to do: tag the later step `prev:EARLIER`.
"""

from __future__ import annotations

from nb2pipe.records.events import Noted

CODE = "NB520"
_MOST = 3


def files_in_another_order(earlier: str, later: str, paths: tuple[str, ...], *, time: float, again: bool) -> Noted:
    """The warning of a step that touched files too early; without paths, of one that found something missing."""
    what = ", ".join(f"`{path}`" for path in paths[:_MOST]) + (" and more" if paths[_MOST:] else "")
    end = f"; `{later}` runs again after it" if again else ""
    did = f"touched {what}" if paths else "found a file missing"
    message = f"`{later}` {did} before `{earlier}`, which stands above it, had ended{end}"
    return Noted(code=CODE, message=message, time=time, step=later, hint=f"tag a cell of `{later}` with prev:{earlier}")
