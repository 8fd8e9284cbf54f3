"""The program of the process that writes checkpoints, beside the loop: `python writer.py MEMORY MEMORY`.

It is run as a file of its own and knows nothing of nb2pipe. Each line that it reads is a job: bytes that lie in one of
the memories that it shares with the training, by their descriptors, are written to a file, and what is told of them to
one beside it. Both have a temporary name first. It takes time only where nobody else wants it, and ends with the
training: when nothing more can come, or when its parent is gone and only workers of loaders keep the pipe open.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import mmap
import os
import select
import sys
import time
from typing import Any

TENSORS = ".safetensors"
"""The ending of a checkpoint."""
BESIDE = ".json"
"""The ending of what is told of it; a checkpoint without that is not whole."""

_BLOCK = 1 << 20
_NICE = 19
_LOOK = 1.0


def main(memories: list[int]) -> None:
    """Writes until nothing is asked for any more.

    Args:
        memories: Descriptors.
    """
    _give_way()
    parent = os.getppid()
    rest = b""
    while True:
        if not select.select([0], [], [], _LOOK)[0]:
            if os.getppid() != parent:
                return
            continue
        data = os.read(0, _BLOCK)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if not line:  # workers of loaders have the pipe too, so its end is said, rather than seen
                return
            job = json.loads(line)
            with contextlib.suppress(OSError):
                os.write(1, json.dumps(_told(job, memories[job["memory"]])).encode() + b"\n")


def _give_way() -> None:
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    # Linux may share processors out among sessions first, and this process has one of its own: `man 7 sched`.
    with contextlib.suppress(OSError), open("/proc/self/autogroup", "w") as group:  # noqa: PTH123  # no pathlib here
        group.write(str(_NICE))


def _told(job: dict[str, Any], memory: int) -> dict[str, Any]:
    began = time.process_time()
    try:
        return {"name": job["name"], "sha256": write(job, memory), "seconds": time.process_time() - began}
    except OSError as error:
        return {"name": job["name"], "error": error.strerror or str(error)}


def write(job: dict[str, Any], memory: int) -> str:
    """Writes a checkpoint, and removes those that are not to be kept any more.

    Args:
        job: What `writing.Writer` asks for.
        memory: The descriptor of the memory that holds the bytes.

    Returns:
        The SHA-256 of the file.

    Raises:
        OSError: It cannot be written; what was there is as it was.
    """
    folder, name = str(job["folder"]), str(job["name"])
    path = os.path.join(folder, name + TENSORS)  # noqa: PTH118  # as little as possible is imported
    digest = hashlib.sha256()
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    new = f".{os.getpid()}.tmp"  # another one may write here still, of a training that was killed
    with mmap.mmap(memory, job["size"], access=mmap.ACCESS_READ) as data, open(path + new, "wb") as stream:  # noqa: PTH123
        with memoryview(data) as view:
            for begin in range(0, job["size"], _BLOCK):
                with view[begin : begin + _BLOCK] as block:
                    digest.update(block)
                    stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(path + new, path)  # noqa: PTH105
    beside = os.path.join(folder, name + BESIDE)  # noqa: PTH118
    with open(beside + new, "w", encoding="utf-8") as stream:  # noqa: PTH123
        json.dump({**job["told"], "sha256": digest.hexdigest(), "size": job["size"]}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(beside + new, beside)  # noqa: PTH105
    _settle(folder)
    for old in job["remove"]:
        for ending in (BESIDE, TENSORS):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, old + ending))  # noqa: PTH108, PTH118
    return digest.hexdigest()


def _settle(folder: str) -> None:
    """Waits until the disk knows the names in a folder."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]])
