"""A `.py` file becomes a `RawNotebook`: by jupytext where it is one of its notebooks, else as one cell."""

from __future__ import annotations

import io
import re
import tokenize
import warnings
from typing import TYPE_CHECKING

from nb2pipe.errors import NotebookError
from nb2pipe.notebook.model import CellKind
from nb2pipe.notebook.raw import RawCell, RawNotebook
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMATS = frozenset({"percent", "light", "hydrogen", "nomarker", "sphinx"})
"""jupytext's formats for Python that it reads by itself; it starts another program for marimo's."""

_HEADER = re.compile(r"\s*#\s*---\s*\n(?:#.*\n)*?#\s*(?:jupyter|jupytext|kernelspec)\s*:")
_LIGHT = re.compile(r"^#\s*(?:\+(?:\s|$)|-\s*$|\{\{\{|region\b)", re.MULTILINE)


def read_script(data: bytes, path: str) -> RawNotebook:
    """The notebook in the bytes of a `.py` file.

    Args:
        data: The file.
        path: For messages.

    Raises:
        NotebookError: It is no text, or jupytext cannot read it.
    """
    text = _decoded(data, path)
    if not text.strip():
        raise NotebookError(f"{path} is empty", hint="write cells into it, each beginning with `# %%`")
    name = _format(text, path)
    if name is None:
        return RawNotebook(cells=(RawCell(kind=CellKind.CODE, source=text.rstrip("\n")),), metadata={})
    if name not in _FORMATS:
        hint = "convert it with `jupytext --to py:percent`"
        raise NotebookError(f"{path} is in the format {shown(name)}, which nb2pipe does not read", hint=hint)
    return _by_jupytext(text, name, path)


def _decoded(data: bytes, path: str) -> str:
    """The text, by Python's own rules: UTF-8 unless the first lines name another encoding."""
    if b"\0" in data:
        raise NotebookError(f"{path} is a binary file, not a notebook", hint="give an .ipynb or a jupytext .py")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise NotebookError(f"{path} cannot be decoded: {shown(str(error))}", hint="save it as UTF-8") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _format(text: str, path: str) -> str | None:
    """The name that jupytext gives the format, or None for a script that is no notebook."""
    from jupytext.formats import guess_format, read_format_from_metadata

    try:
        name = read_format_from_metadata(text, ".py") or guess_format(text, ".py")[0]
    except Exception as error:
        raise _unreadable(path, error) from error
    if name == "light" and not (_HEADER.match(text) or _LIGHT.search(text)):
        return None
    return str(name)


def _by_jupytext(text: str, name: str, path: str) -> RawNotebook:
    import jupytext

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = jupytext.reads(text, fmt={"extension": ".py", "format_name": name})
        cells = tuple(_cell(cell) for cell in read["cells"])
        metadata = {key: value for key, value in read["metadata"].items() if key != "jupytext"}
    except Exception as error:
        raise _unreadable(path, error) from error
    return RawNotebook(cells=cells, metadata=metadata)


def _cell(cell: Mapping[str, object]) -> RawCell:
    metadata = cell["metadata"]
    known = metadata if isinstance(metadata, dict) else {}
    return RawCell(
        kind=CellKind(str(cell["cell_type"])),
        source=str(cell["source"]),
        tags=known.get("tags"),
        path=known.get("notebook_path"),
    )


def _unreadable(path: str, error: Exception) -> NotebookError:
    reason = f"{type(error).__name__}: {shown(str(error))}"
    hint = "look at its header, the lines between `# ---`, and at the lines that begin with `# %%` or `# +`"
    return NotebookError(f"{path} cannot be read as a jupytext notebook: {reason}", hint=hint)
