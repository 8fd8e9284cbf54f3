"""Modules whose texts hold secrets: their files have masks, and whoever starts the step gives the texts themselves."""

from __future__ import annotations

from importlib.util import decode_source
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_texts: dict[str, str] = {}


def give_sources(folder: Path, texts: Mapping[str, str]) -> None:
    """From now on these texts count.

    Args:
        folder: The folder that the package lies in.
        texts: By the paths of their files in it.
    """
    _texts.update({str(folder / path): text for path, text in texts.items()})


def source_of(file: str | Path) -> str:
    """The text of a file of the package, as it is to be run."""
    given = _texts.get(str(file))
    return decode_source(Path(file).read_bytes()) if given is None else given
