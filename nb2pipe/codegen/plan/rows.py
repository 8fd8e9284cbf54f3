"""Statements of a cell as chunks of its text: the author's comments stay with what they stand above."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import Chunk

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from nb2pipe.codegen.plan.source import Piece, Text

Place = tuple[int, ...]


def chunks_of(
    text: Text,
    kept: Iterable[Piece],
    *,
    stores: Mapping[Place, tuple[str, ...]] | None = None,
    comments: bool = False,
) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """The runs of lines that hold some statements of a cell.

    Args:
        text: The cell.
        kept: The statements.
        stores: Names that are stored after a statement, by its place: a run ends there.
        comments: Whether comments are kept where the cell has no statements at all.

    Yields:
        The line of the first row, the rows as a text without blank edges, and what is stored after it.
    """
    places = {piece.place for piece in kept}
    if not text.pieces:
        yield from _only_comments(text) if comments else ()
        return
    owners = _owners(text)
    rows = _masked(text, places)
    run: list[int] = []
    for number in range(1, len(rows) + 1):
        owner = owners.get(number)
        if owner is None:
            continue
        if owner.isdisjoint(places):
            yield from _run(rows, run)
            run = []
            continue
        run.append(number)
        stored = _stored(text, number, stores or {})
        if stored:
            yield from _run(rows, run, stored)
            run = []
    yield from _run(rows, run)


def _only_comments(text: Text) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    filled = [number for number, row in enumerate(text.rows, start=1) if row.strip()]
    if filled:
        yield filled[0], "\n".join(text.rows[filled[0] - 1 : filled[-1]]), ()


def _run(
    rows: Sequence[str], run: Sequence[int], stored: tuple[str, ...] = ()
) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    if run:
        yield run[0], "\n".join(rows[run[0] - 1 : run[-1]]), stored


def _stored(text: Text, number: int, stores: Mapping[Place, tuple[str, ...]]) -> tuple[str, ...]:
    """What is stored after a line: after all statements that end there."""
    if not stores:
        return ()
    ending = [piece for piece in text.pieces if piece.last == number and piece.place in stores]
    return tuple(sorted({name for piece in ending for name in stores[piece.place]}))


def _owners(text: Text) -> dict[int, frozenset[Place]]:
    """For each line that is not blank, the statements that it goes with.

    A comment goes with the statement right below it; where a blank line lies between, with the one above it.
    """
    found: dict[int, set[Place]] = defaultdict(set)
    before: Piece | None = None
    for piece in text.pieces:
        start = before.last + 1 if before is not None else 1
        _share_comments(text, range(start, piece.first), (before, piece), found)
        for number in piece.lines:
            found[number].add(piece.place)
        before = piece
    if before is not None:
        _share_comments(text, range(before.last + 1, len(text.rows) + 1), (before, before), found)
    return {number: frozenset(places) for number, places in found.items()}


def _share_comments(text: Text, lines: range, around: tuple[Piece | None, Piece], found: dict[int, set[Place]]) -> None:
    before, after = around
    adjacent = before is not after
    for number in reversed(lines):
        if not text.rows[number - 1].strip():
            adjacent = False
            continue
        owner = after if adjacent or before is None else before
        found[number].add(owner.place)


def _masked(text: Text, kept: Collection[Place]) -> list[str]:
    """The rows, with `pass` for statements that are not kept and share a line with one that is."""
    touched: dict[int, list[Piece]] = defaultdict(list)
    for piece in text.pieces:
        for number in {piece.first, piece.last}:
            touched[number].append(piece)
    crowded = {number for number, pieces in touched.items() if len({piece.place in kept for piece in pieces}) > 1}
    rows = [row.encode() for row in text.rows]
    for piece in reversed(text.pieces):
        if piece.place not in kept and {piece.first, piece.last} & crowded:
            _blank(rows, piece, crowded)
    return [row.decode() for row in rows]


def _blank(rows: list[bytes], piece: Piece, crowded: Collection[int]) -> None:
    start, end = piece.node.col_offset, piece.node.end_col_offset or 0
    first, last = piece.first - 1, piece.last - 1
    if first == last:
        rows[first] = rows[first][:start] + b"pass" + rows[first][end:]
        return
    for row in range(first + 1, last):
        rows[row] = b""
    rows[first] = rows[first][:start] + b"pass" if piece.first in crowded else b""
    rows[last] = b"pass" + rows[last][end:] if piece.last in crowded else b""


def as_chunks(found: Iterable[tuple[int, str, tuple[str, ...]]], like: Chunk) -> tuple[Chunk, ...]:
    """Runs of lines as chunks.

    Args:
        found: What `chunks_of` gives.
        like: Says all else of them.
    """
    return tuple(
        Chunk(
            cell=like.cell,
            line=line,
            text=text,
            notebook=like.notebook,
            role=like.role,
            may_raise=like.may_raise,
            stores=stored,
        )
        for line, text, stored in found
    )
