r"""What the author's code prints, cut into lines: pieces of a line are kept until it ends, `\r` begins it anew."""

from __future__ import annotations

import re

from nb2pipe.cli.text import harmless

_LONGEST = 4096
_STYLES = re.compile(r"\x1b\[[0-9;:]*[A-Za-z]")


class PrintedLines:
    """The lines that steps print.

    A progress bar writes one line again and again with carriage returns: only what stands when the line ends counts.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], str] = {}

    def feed(self, step: str, stream: str, text: str) -> list[str]:
        """Takes a piece.

        Returns:
            The lines that it ends, harmless for a terminal.
        """
        *ended, rest = (self._open.get((step, stream), "") + text).replace("\r\n", "\n").split("\n")
        if len(rest) > _LONGEST and "\r" not in rest:
            ended, rest = [*ended, rest], ""
        self._open[step, stream] = _last_version(rest)
        return [_clean(line) for line in ended]

    def flush(self, step: str) -> list[str]:
        """The lines of a step that have no end yet; they are over."""
        rests = [self._open.pop(key) for key in sorted(self._open) if key[0] == step]
        return [_clean(rest) for rest in rests if rest.strip()]

    def current(self, step: str) -> str:
        """The line that a step is writing."""
        for stream in ("stderr", "stdout"):
            if rest := self._open.get((step, stream), ""):
                return _clean(rest)
        return ""


def _last_version(line: str) -> str:
    r"""An open line without the versions of it that were overwritten; the end may still come after a last `\r`."""
    versions = line.split("\r")
    kept = [version for version in versions[:-1] if version][-1:]
    return "\r".join([*kept, versions[-1]]) if versions[-1] or kept else ""


def _clean(line: str) -> str:
    versions = [version for version in line.split("\r") if version]
    return harmless(_STYLES.sub("", versions[-1]), keep="\t") if versions else ""
