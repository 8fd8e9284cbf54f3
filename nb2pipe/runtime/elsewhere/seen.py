"""What a step was seen to read and write, with the SHA-256 of each file, taken as it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.records.file_digests import state_of
from nb2pipe.records.model import StepTrace, WrittenFile
from nb2pipe.runtime.observing.contents import changed_only, contents_read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def trace_of(seen: Mapping[str, Any], counts: Callable[[str], bool]) -> StepTrace:
    """The trace of what an observer saw.

    Args:
        seen: What it saw.
        counts: Whether a path is the author's, rather than a file of ours.
    """
    seen = {**seen, "reads": {path: state for path, state in seen["reads"].items() if counts(path)}}
    reads, changed = contents_read(seen, _digest)
    for path in seen["modules"]["files"]:
        if path not in seen["writes"]:
            reads.setdefault(path, _digest(path))
    writes = {path: file for path in seen["writes"] if counts(path) and (file := _written(path)) is not None}
    reasons = [
        *seen["reasons"],
        *(f"it removes `{path}`" for path in seen["removed"]),
        *(f"`{path}` changed while it ran" for path in changed),
    ]
    return StepTrace(
        reads=reads,
        brought={path: digest for path in seen["brought"] if (digest := _digest(path))},
        listed=dict(seen["listed"]),
        writes=changed_only(writes, reads),
        folders=tuple(path for path in seen["folders"] if Path(path).is_dir()),
        variables=dict(seen["variables"]),
        reasons=tuple(dict.fromkeys(reasons)),
    )


def _digest(path: str) -> str | None:
    if state_of(path) is None:
        return None
    try:
        return str(Digest.of_file(Path(path)))
    except OSError:
        return None


def _written(path: str) -> WrittenFile | None:
    """A file that the step left; None if it is gone. Its content stays where it is."""
    state, digest = state_of(path), _digest(path)
    return WrittenFile(sha256=digest, size=state[0], kept=False) if state and digest else None
