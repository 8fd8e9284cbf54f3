"""A file of a bundle, before it is written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EmittedFile:
    """A file of a bundle.

    Attributes:
        path: Below the bundle's folder, with `/`.
        text: What it holds; written as UTF-8, with the line ends that stand here.
        executable: Whether its owner may run it.
    """

    path: str
    text: str
    executable: bool = False
