"""Connects to a kernel that was started, and knows when it listens, without the waits of Jupyter's own client."""

from __future__ import annotations

import asyncio
import queue
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nb2pipe.executors.kernels.cold import Started

_GLANCE = 0.005
"""Seconds between two looks at whether the kernel's sockets are there."""
_ANSWER = 0.1
"""Seconds in which a kernel that listens has told of a request; one that was lost is made again."""


async def connect(manager: Any, kernel: Started, seconds: float) -> Any:
    """A client of the kernel, whose answers and output it gets.

    Args:
        manager: Jupyter's, that knows the connection.
        kernel: The kernel.
        seconds: How long it may take to be ready.

    Raises:
        RuntimeError: The kernel has ended.
        TimeoutError: It is not ready in time.
    """
    end = time.monotonic() + seconds
    while not kernel.is_bound():
        _check(kernel, end)
        await asyncio.sleep(_GLANCE)
    client = manager.client()
    client.start_channels(hb=False)  # whether the kernel lives, its process tells
    try:
        await _until_it_tells(client, kernel, end)
    except BaseException:
        client.stop_channels()
        raise
    client.allow_stdin = False
    return client


async def _until_it_tells(client: Any, kernel: Started, end: float) -> None:
    """Asks until an answer and a message on the output channel came: the first may be sent before anybody hears it."""
    asked: set[str] = set()
    answered = told = False
    while not (answered and told):
        _check(kernel, end)
        asked.add(client.kernel_info())
        with suppress(queue.Empty):
            message = await client.get_shell_msg(timeout=_ANSWER)
            answered = answered or message["parent_header"].get("msg_id") in asked
        with suppress(queue.Empty):
            while not told:
                message = await client.get_iopub_msg(timeout=_ANSWER)
                told = message["parent_header"].get("msg_id") in asked
    # What follows in the channels are answers to these questions; nobody waits for them.


def _check(kernel: Started, end: float) -> None:
    if kernel.process.look() is not None:
        raise RuntimeError("the kernel ended as it began")
    if time.monotonic() > end:
        raise TimeoutError("the kernel did not answer in time")
