"""An `.ipynb` file becomes a `RawNotebook`: read as plain JSON, which starts fast; outputs are dropped at once."""

from __future__ import annotations

import codecs
import json
import re
from typing import TYPE_CHECKING

from nb2pipe.errors import NotebookError
from nb2pipe.notebook.model import CellKind
from nb2pipe.notebook.raw import RawCell, RawNotebook
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = 4
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_DROPPED = ("outputs", "attachments", "execution_count")
_OTHER_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_ipynb(data: bytes, path: str) -> RawNotebook:
    """The notebook in the bytes of an `.ipynb` file.

    Args:
        data: The file.
        path: For messages.

    Raises:
        NotebookError: It is no notebook of nbformat 4; the message says where.
    """
    document = _json(_decoded(data, path), path)
    if not isinstance(document, dict):
        raise NotebookError(f"{path} is no notebook: its JSON is not an object", hint=_ANOTHER_FILE)
    _check_version(document, path)
    metadata = document.get("metadata", {})
    if not isinstance(metadata, dict):
        raise _structure(path, "`metadata` is not an object")
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise _structure(path, "`cells` is not a list" if "cells" in document else "it has no `cells`")
    return RawNotebook(
        cells=tuple(_cell(cell, f"cell {position}", path) for position, cell in enumerate(cells, start=1)),
        metadata=metadata,
    )


_ANOTHER_FILE = "nb2pipe reads Jupyter notebooks (.ipynb) and jupytext scripts (.py)"


def _structure(path: str, what: str) -> NotebookError:
    hint = "open it in JupyterLab and save it again; if that fails, mend the JSON in a text editor"
    return NotebookError(f"{path} is no valid notebook: {what}", hint=hint)


def _decoded(data: bytes, path: str) -> str:
    if not data.strip():
        raise NotebookError(f"{path} is empty", hint="a notebook has at least `cells`; save it again in Jupyter")
    if data.startswith(codecs.BOM_UTF8):
        message = f"{path} begins with a byte order mark, which Jupyter cannot read either"
        raise NotebookError(message, hint="save it as UTF-8 without BOM")
    if data.startswith(_OTHER_MARKS):
        raise NotebookError(f"{path} is not encoded in UTF-8", hint="save it as UTF-8 without BOM")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _undecodable(data, error, path) from error


def _undecodable(data: bytes, error: UnicodeDecodeError, path: str) -> NotebookError:
    if b"\0" in data[:4096]:
        return NotebookError(f"{path} is a binary file, not a notebook", hint=_ANOTHER_FILE)
    line = data.count(b"\n", 0, error.start) + 1
    column = error.start - data.rfind(b"\n", 0, error.start)
    message = f"{path} is not encoded in UTF-8: line {line}, byte {column} cannot be read"
    return NotebookError(message, hint="save it as UTF-8 in a text editor, or in Jupyter")


def _without_outputs(value: dict[str, object]) -> dict[str, object]:
    if "cell_type" in value:
        for key in _DROPPED:
            value.pop(key, None)
    return value


def _json(text: str, path: str) -> object:
    try:
        return json.loads(text, object_hook=_without_outputs)
    except json.JSONDecodeError as error:
        message = f"{path} is broken JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        raise NotebookError(message, hint=_broken_hint(text)) from error
    except (ValueError, RecursionError) as error:
        raise _structure(path, "a number is too long, or the JSON is nested too deeply") from error


def _broken_hint(text: str) -> str:
    if re.search(r"^<{7} ", text, re.MULTILINE):
        return "git left both sides of a merge conflict in it: choose one, for instance with `git checkout --ours`"
    if text.startswith("version https://git-lfs"):
        return "it is a placeholder of git-lfs: fetch the file with `git lfs pull`"
    return "restore it from Jupyter's checkpoint or from git, or mend the JSON in a text editor"


def _check_version(document: Mapping[str, object], path: str) -> None:
    version = document.get("nbformat")
    if isinstance(version, bool) or not isinstance(version, int):
        raise NotebookError(f"{path} is no notebook: it does not say its `nbformat`", hint=_ANOTHER_FILE)
    if version < _VERSION:
        hint = f"convert it: jupyter nbconvert --to notebook --inplace {path}"
        raise NotebookError(f"{path} has the old format nbformat {version}; nb2pipe reads nbformat 4", hint=hint)
    if version > _VERSION:
        hint = "save it as nbformat 4, or look for a newer nb2pipe"
        raise NotebookError(f"{path} has the newer format nbformat {version}; nb2pipe reads nbformat 4", hint=hint)


def _cell(value: object, place: str, path: str) -> RawCell:
    if not isinstance(value, dict):
        raise _structure(path, f"{place} is not an object")
    kind = value.get("cell_type")
    if kind not in tuple(CellKind):
        raise _structure(path, f"{place} has the unknown type {shown(repr(kind))}")
    metadata = value.get("metadata", {})
    if not isinstance(metadata, dict):
        raise _structure(path, f"the metadata of {place} are not an object")
    identity = value.get("id")
    return RawCell(
        kind=CellKind(kind),
        source=_source(value.get("source"), place, path),
        id=identity if isinstance(identity, str) and _ID.fullmatch(identity) else None,
        tags=metadata.get("tags"),
        path=metadata.get("notebook_path"),
    )


def _source(value: object, place: str, path: str) -> str:
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        raise _structure(path, f"the source of {place} is neither a text nor a list of lines")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise _structure(path, f"the source of {place} holds half a character (a lone surrogate)")
    return value
