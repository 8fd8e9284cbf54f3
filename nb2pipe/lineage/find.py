"""What a user means by the X of `nb2pipe lineage X`: a file by its content, or a SHA-256."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest
from nb2pipe.errors import RecordsError, UsageError
from nb2pipe.records.links import EMPTY

if TYPE_CHECKING:
    from nb2pipe.records.links import Link, Links

_HEX = re.compile(r"(?:sha256:)?([0-9a-fA-F]{6,64})")
_WHOLE = 64
_ELSEWHERE = (
    "`nb2pipe runs list` shows the runs that are known; a step of a converted notebook records itself only where "
    "NB2PIPE_STORE names a store for it, and `--store URL` looks there"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is meant.

    Attributes:
        digests: The content.
        note: What the user should know of how it was found.
    """

    digests: tuple[str, ...]
    note: str | None = None


def find(text: str, links: Links, folder: Path) -> Found:
    """The content that a user means.

    Args:
        text: The path of a file or of a folder, a SHA-256, or the beginning of one.
        links: What runs used and made.
        folder: The working directory.

    Raises:
        UsageError: There is no such file, and it is no SHA-256 that a run knows.
        RecordsError: No run used or made that content.
    """
    path = Path(os.path.normpath((folder / text).absolute()))
    if path.is_dir():
        return _of_folder(text, path, links)
    if path.is_file():
        return _of_file(text, path, links)
    if match := _HEX.fullmatch(text):
        return _of_digest(match[1].lower(), links)
    known = links.at(str(path)) or links.at(text)
    if known:
        link = known[0]
        return Found((link.sha256,), f"{text} is gone; this is what {_told(link)}")
    hint = "give a file, or the SHA-256 of an artifact, as `runs show --json` and `lineage --format json` print it"
    raise UsageError(f"there is no file {text}, and no run knows one there", hint=hint)


def _of_file(text: str, path: Path, links: Links) -> Found:
    try:
        digest = str(Digest.of_file(path))
    except OSError as error:
        raise UsageError(f"{text} cannot be read: {error.strerror or error}") from error
    if links.beginning_with(digest):
        return Found((digest,))
    others = [link for link in links.at(str(path)) if link.sha256 != digest]
    hint = _ELSEWHERE
    if others:
        hint = f"it has changed since: {_told(others[0])} with other content: nb2pipe lineage {others[0].sha256[:16]}"
    raise RecordsError(f"no run knows the content of {text} (SHA-256 {digest})", hint=hint)


def _of_folder(text: str, path: Path, links: Links) -> Found:
    """The files in a folder whose content runs know, such as those of a model that is saved as several."""
    files = sorted(each for each in path.rglob("*") if each.is_file() and not _is_hidden(each.relative_to(path)))
    digests = dict.fromkeys(digest for each in files if (digest := _digest(each)) is not None)
    known = tuple(digest for digest in digests if digest != EMPTY and links.beginning_with(digest))
    if not known:
        raise RecordsError(f"no run knows the content of any file in {text}", hint=_ELSEWHERE)
    unknown = len(digests) - len(known)
    return Found(known, f"runs know {len(known)} contents in {text}, and {unknown} not" if unknown else None)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _digest(path: Path) -> str | None:
    try:
        return str(Digest.of_file(path))
    except OSError:
        return None


def _of_digest(prefix: str, links: Links) -> Found:
    found = links.beginning_with(prefix)
    if len(found) == 1:
        return Found((found[0],))
    if not found:
        what = "content with the SHA-256" if len(prefix) == _WHOLE else "content whose SHA-256 begins with"
        raise RecordsError(f"no run knows {what} {prefix}", hint=_ELSEWHERE)
    shown = ", ".join(digest[: len(prefix) + 6] for digest in found)
    raise RecordsError(f"the SHA-256 of several contents begins with {prefix}: {shown}", hint="give more of it")


def _told(link: Link) -> str:
    return f"the step `{link.step}` of run {link.run} {'made' if link.made else 'used'}"
