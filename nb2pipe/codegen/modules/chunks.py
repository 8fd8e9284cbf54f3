"""The author's text in a module: each piece below a comment that names its place, and none of it formatted."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import ChunkRole
from nb2pipe.codegen.modules.indent import INDENT, indented
from nb2pipe.codegen.modules.lines import skipped
from nb2pipe.codegen.modules.words import one_line
from nb2pipe.errors import InternalError
from nb2pipe.runtime.markers import OFF, ON, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nb2pipe.codegen.model import Chunk

_OURS = re.compile(r"#\s*(%%|fmt:|yapf:)", re.IGNORECASE)
"""Comments of the author that would be read as ours: place marks, and what switches formatters."""


def chunk_text(chunks: Iterable[Chunk]) -> str:
    """The chunks with their marks, as top-level code; a blank line stands between them.

    Args:
        chunks: In the module's order.
    """
    return "\n\n".join(f"{mark(chunk)}\n{_plain(chunk)}" for chunk in chunks)


def body_text(chunks: Sequence[Chunk], definitions: str) -> str:
    """The chunks as the body of a function, between the comments that keep formatters away from them.

    Args:
        chunks: In the module's order.
        definitions: What the module of that name is called here: it gets what its functions read as globals.

    Raises:
        InternalError: A text cannot be indented; the plan should have known.
    """
    if not chunks:
        return ""
    rows = [f"{INDENT}{OFF}"]
    for number, chunk in enumerate(chunks, start=1):
        rows += [f"{INDENT}{mark(chunk)}", _moved(chunk)]
        if chunk.stores:
            stored = (skipped(f"{INDENT}{definitions}.{name} = {name}") for name in chunk.stores)
            rows += [f"{INDENT}{ON}", *stored]
        if number < len(chunks):
            rows += ["", *([f"{INDENT}{OFF}"] if chunk.stores else [])]
    return "\n".join(rows if chunks[-1].stores else [*rows, f"{INDENT}{ON}"])


def mark(chunk: Chunk) -> str:
    """The comment that names a chunk's place; the module's line after it is the line that it names.

    >>> from nb2pipe.codegen.model import Chunk
    >>> mark(Chunk(cell=4, line=2, text="x = 1", may_raise=True))
    '# %% cell 4, line 2 (may raise)'
    """
    return Place(
        cell=chunk.cell,
        line=chunk.line,
        notebook=one_line(chunk.notebook) if chunk.notebook else None,
        definitions=chunk.role is ChunkRole.DEFINITIONS,
        may_raise=chunk.may_raise,
    ).comment


def _plain(chunk: Chunk) -> str:
    return _without_our_words(chunk.text.replace("\r\n", "\n").replace("\r", "\n"))


def _moved(chunk: Chunk) -> str:
    moved = indented(_plain(chunk))
    if moved is None:
        raise InternalError(f"cell {chunk.cell} cannot be the body of a function")
    return moved


def _without_our_words(text: str) -> str:
    """The text with `# (%%` for `# %%` in its comments."""
    if not _OURS.search(text):
        return text
    rows = text.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and _OURS.match(token.string):
                number, column = token.start
                row = rows[number - 1]
                rows[number - 1] = f"{row[:column]}# ({token.string[1:].strip()})"
    except (SyntaxError, tokenize.TokenError):
        return text
    return "\n".join(rows)
