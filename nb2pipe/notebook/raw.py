"""What a notebook's file says, checked in its structure only: not yet what tags, magics and metadata mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.errors import NotebookError
from nb2pipe.notebook.model import CellKind, Kernel
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_LANGUAGES = frozenset({"python", "ipython", "python3", "ipython3"})
_VERSION = re.compile(r"3\.\d{1,3}(?![^.])")
_KERNELS_OF_OTHERS = {"ir": "R", "julia": "Julia", "bash": "Bash", "sagemath": "SageMath", "octave": "Octave"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCell:
    """A cell as the file has it.

    Attributes:
        id: The file's, or None where it has none that can be used.
        tags: `metadata.tags`, of any type.
        path: `metadata.notebook_path`, of any type.
    """

    kind: CellKind
    source: str
    id: str | None = None
    tags: object = None
    path: object = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawNotebook:
    """A notebook as the file has it."""

    cells: tuple[RawCell, ...]
    metadata: Mapping[str, object]


def kernel_of(metadata: Mapping[str, object], path: str) -> Kernel:
    """The kernel that the metadata name.

    Raises:
        NotebookError: The notebook is written in another language than Python.
    """
    specification, info = _object(metadata, "kernelspec"), _object(metadata, "language_info")
    name = specification.get("name")
    kernel = name.strip() if isinstance(name, str) and name.strip() else None
    known = [language for language in (specification.get("language"), info.get("name")) if isinstance(language, str)]
    language = next((text.strip() for text in known if text.strip()), _language_of(kernel))
    if language.lower() not in _LANGUAGES:
        message = f"{path} is a notebook in {shown(language)}, not in Python"
        raise NotebookError(
            message, hint="nb2pipe runs Python notebooks; choose a Python kernel in Jupyter if it is one"
        )
    version = _VERSION.match(str(info.get("version")))
    return Kernel(name=kernel, version=version[0] if version else None)


def _object(metadata: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = metadata.get(key)
    return value if isinstance(value, dict) else {}


def _language_of(kernel: str | None) -> str:
    word = (kernel or "").lower().split("-")[0]
    return _KERNELS_OF_OTHERS.get(word, "python")
