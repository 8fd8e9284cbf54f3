"""The notice that a run failed, sent where the notebook's metadata ask for it; platforms call it in their own way."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Final

from nb2pipe.errors import StoreError, UsageError
from nb2pipe.runtime.elsewhere.named import RUN

if TYPE_CHECKING:
    from nb2pipe.runtime.description import Description

_BY_VARIABLE: Final = "secret:"
_SECONDS: Final = 20.0


def send_notice(description: Description) -> str:
    """Tells that a run of a pipeline failed: JSON by POST, with a `text` for people, as webhooks of chats take it.

    The run is the one that the variable `NB2PIPE_RUN` names.

    Args:
        description: The pipeline.

    Returns:
        What was told.

    Raises:
        UsageError: The notebook asks for no notice, or the variable with the webhook's URL is not set.
        StoreError: Nobody took it.
    """
    import urllib.error  # noqa: PLC0415  # only a failure needs it
    import urllib.request  # noqa: PLC0415  # as above

    run = os.environ.get(RUN, "")
    words = [f"the pipeline {description.name} failed", f"run {run}" if run else "", f"owner {description.owner or ''}"]
    text = ", ".join(word for word in words if word and word != "owner ")
    content = {"text": text, "pipeline": description.name, "owner": description.owner, "run": run or None}
    url = _url(description)
    try:
        request = urllib.request.Request(  # noqa: S310  # the scheme is checked below
            url, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        if request.type not in {"http", "https"}:
            raise UsageError("the notice of a failure goes to a webhook: its URL begins with https:// or http://")
        with urllib.request.urlopen(request, timeout=_SECONDS):  # noqa: S310  # as above
            return text
    except (OSError, ValueError) as cause:
        reason = f"{cause.code} {cause.reason}" if isinstance(cause, urllib.error.HTTPError) else type(cause).__name__
        # the URL may be a secret, and other messages hold it
        raise StoreError(f"nobody took the notice: {reason}", hint="look at `on_failure` of the notebook") from None


def _url(description: Description) -> str:
    asked = description.on_failure
    if asked is None:
        hint = "the metadata `nb2pipe` may hold `on_failure`, the URL of a webhook"
        raise UsageError(f"the notebook of `{description.name}` asks for no notice of failures", hint=hint)
    if not asked.startswith(_BY_VARIABLE):
        return asked
    variable = asked.rpartition(":")[2]
    url = os.environ.get(variable, "").strip()
    if not url:
        raise UsageError(f"the environment variable {variable} is not set", hint="it holds the URL of the webhook")
    return url
