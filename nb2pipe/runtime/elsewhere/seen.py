"""What a step was seen to read and write, with the SHA-256 of each file, taken as it ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.records.file_digests import state_of
from nb2pipe.records.model import StepTrace, WrittenFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def trace_of(seen: Mapping[str, Any], counts: Callable[[str], bool]) -> StepTrace:
    """The trace of what an observer saw.

    Args:
        seen: What it saw.
        counts: Whether a path is the author's, rather than a file of ours.
    """
    reasons = [*seen["reasons"], *(f"it removes `{path}`" for path in seen["removed"])]
    reads: dict[str, str | None] = {}
    for path, state in seen["reads"].items():
        if not counts(path):
            continue
        if state is not None and path not in seen["known"] and state_of(path) != tuple(state):
            reasons.append(f"`{path}` changed while it ran")
        reads[path] = seen["known"].get(path) or (_digest(path) if state is not None else None)
    for path in seen["modules"]["files"]:
        if path not in seen["writes"]:
            reads.setdefault(path, _digest(path))
    return StepTrace(
        reads=reads,
        brought={path: digest for path in seen["brought"] if (digest := _digest(path))},
        listed=dict(seen["listed"]),
        writes={path: file for path in seen["writes"] if counts(path) and (file := _written(path)) is not None},
        folders=tuple(path for path in seen["folders"] if Path(path).is_dir()),
        variables={name: _masked(value) for name, value in seen["variables"].items()},
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


def _masked(value: str | None) -> str | None:
    """Variables may be secrets: the record holds a digest."""
    return None if value is None else str(Digest.of("variable", value))
