"""Makes a notebook that shows a divergence smaller: cells and statements go as long as it still shows.

Hypothesis makes the choices smaller; this goes on where choices end, within the text of topics.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from notebooks import Made, Written


def smallest(written: Written, shows: Callable[[Written], bool]) -> Written:
    """The notebook without all that can go.

    Args:
        written: A notebook.
        shows: Whether a notebook still shows what it is about.
    """
    while True:
        smaller = next((each for each in _smaller(written) if shows(each)), None)
        if smaller is None:
            return written
        written = smaller


def _smaller(written: Written) -> Iterator[Written]:
    """Notebooks that are smaller by one cell or statement, the largest parts first."""
    cells = written.cells
    for place in range(len(cells)):
        yield replace(written, cells=(*cells[:place], *cells[place + 1 :]))
    for place, cell in enumerate(cells):
        for text in _texts(cell):
            yield replace(written, cells=(*cells[:place], replace(cell, text=text), *cells[place + 1 :]))
        if len(cell.tags) > 1:
            yield replace(written, cells=(*cells[:place], replace(cell, tags=cell.tags[:1]), *cells[place + 1 :]))


def _texts(cell: Made) -> Iterator[str]:
    """The text of a cell without one of its statements, or with what is in one in its place."""
    try:
        tree = ast.parse(cell.text)
    except SyntaxError:
        return
    for number in range(len(list(_bodies(tree)))):
        for place in range(len(list(_bodies(tree))[number])):
            for change in (_without, _opened):
                other = copy.deepcopy(tree)
                body = list(_bodies(other))[number]
                if change(body, place, is_top=body is other.body):
                    yield ast.unparse(other)


def _bodies(tree: ast.AST) -> Iterator[list[Any]]:
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            found = getattr(node, name, None)
            if isinstance(found, list) and found:
                yield found


def _without(body: list[ast.stmt], place: int, *, is_top: bool) -> bool:
    if isinstance(body[place], ast.Pass):
        return False
    del body[place]
    if not body and not is_top:
        body.append(ast.Pass())
    return True


def _opened(body: list[ast.stmt], place: int, *, is_top: bool) -> bool:  # noqa: ARG001  # as `_without`
    inner = getattr(body[place], "body", None)
    if not isinstance(inner, list) or isinstance(body[place], ast.ClassDef | ast.FunctionDef):
        return False
    body[place : place + 1] = inner
    return True
