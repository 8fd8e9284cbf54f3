"""Which content the files had that a step was seen to read, and which of those that it wrote it changed.

A step's process notes the state of files; their digests are taken after it, by who looks at what it told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.records.file_digests import state_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.records.model import WrittenFile


def contents_read(
    seen: Mapping[str, Any], digest_of: Callable[[str], str | None]
) -> tuple[dict[str, str | None], list[str]]:
    """The digests of the files that a step read, as they were when it first opened them, None for no file.

    Args:
        seen: What `Observer.end` told.
        digest_of: The digest of a file as it is now.

    Returns:
        The digests by path; and the files that changed meanwhile, of which that is the new content's.
    """
    reads: dict[str, str | None] = {}
    changed: list[str] = []
    for path, state in seen["reads"].items():
        if state is None or path in seen["known"]:
            reads[path] = seen["known"].get(path)
            continue
        place = _place_now(path, seen["moved"])
        if state_of(place) != tuple(state):
            changed.append(path)
        reads[path] = digest_of(place)
    return reads, changed


def _place_now(path: str, moved: Mapping[str, str]) -> str:
    """Where a file lies now that the step gave another name, perhaps several times."""
    for _ in range(len(moved)):
        if path not in moved:
            break
        path = moved[path]
    return path


def changed_only(writes: Mapping[str, WrittenFile], reads: Mapping[str, str | None]) -> dict[str, WrittenFile]:
    """The files that a step left other than it had found them: to open a database is no change of it."""
    return {path: file for path, file in writes.items() if reads.get(path) != file.sha256}
