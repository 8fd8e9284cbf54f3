"""Takes digests of files in a process of its own, under `nice`, so that no loop waits for them.

Run as a program, with the file that digests are noted in: it is sent open files through the socket that is its standard
input, each with its number, and answers with the digest. When nobody sends any more, it does what is left and ends.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import sys

_BLOCK = 1 << 20
_NICE = 10
MESSAGE = struct.Struct("<q")
"""What is sent with a file: its number."""
ANSWER = struct.Struct("<q32s")
"""What is answered: its number and digest; one of zeros if it changed meanwhile."""
CHANGED = bytes(32)


def digest_of(handle: int) -> bytes:
    """The SHA-256 of an open file, or `CHANGED`."""
    before = os.fstat(handle)
    whole = hashlib.sha256()
    place = 0
    while block := os.pread(handle, _BLOCK, place):
        whole.update(block)
        place += len(block)
    after = os.fstat(handle)
    same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size) and place == after.st_size
    return whole.digest() if same else CHANGED


def line_of(number: int, digest: bytes) -> bytes:
    """What is noted of a digest."""
    return b'{"number": %d, "sha256": "%s"}\n' % (number, digest.hex().encode())


def append(path: str, line: bytes) -> None:
    """Adds a whole line to a file."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def _serve(path: str) -> None:
    with socket.socket(fileno=os.dup(0)) as told:
        while True:
            data, handles, _, _ = socket.recv_fds(told, MESSAGE.size, 1)
            if not data:
                return
            (number,) = MESSAGE.unpack(data)
            digest = CHANGED
            for handle in handles:
                try:
                    digest = digest_of(handle)
                except OSError:
                    digest = CHANGED
                os.close(handle)
            if digest != CHANGED:
                append(path, line_of(number, digest))
            try:
                told.sendall(ANSWER.pack(number, digest))
            except OSError:  # who asked was killed
                continue


def _main() -> None:
    if os.fork():  # it is no child of who started it, whose code may wait for its own
        os._exit(0)
    os.setsid()
    os.nice(_NICE)
    # Linux may share processors out among sessions first, and this process has one of its own: `man 7 sched`.
    try:
        with open("/proc/self/autogroup", "w") as group:  # noqa: PTH123  # it starts quickly
            group.write(str(_NICE))
    except OSError:  # it does not
        pass
    _serve(sys.argv[1])


if __name__ == "__main__":
    _main()
