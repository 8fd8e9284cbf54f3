"""Secrets that an author wrote into a cell of parameters: found, and masked in every copy of the cell.

Only what is written there as a text counts: `token = os.environ["TOKEN"]` holds no secret.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import CellKind, InjectedParametersTag, ParametersTag
from nb2pipe.records.masking import Masking
from nb2pipe.records.values import MASK, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.notebook.model import Cell, Notebook, Settings

_READERS = frozenset({"getenv", "get", "pop", "setdefault"})
"""Functions whose first argument is a name, and whose second is a default."""


def masking_of_notebook(notebook: Notebook) -> Masking:
    """What replaces the secrets that stand in the notebook's cells of parameters, those of nested ones included."""
    found = {text for cell in notebook.cells if _holds_parameters(cell) for text in secrets_of(_python(cell))}
    masking = Masking(frozenset(found))
    for inner in notebook.nested.values():
        masking |= masking_of_notebook(inner)
    return masking


def without_secret_defaults(notebook: Notebook, known: Masking | None = None) -> Notebook:
    """The notebook as it may be copied: a mask stands for each secret in its cells of parameters.

    Lines keep their numbers. A notebook that holds no secret is given back as it is, the same object.

    Args:
        notebook: The notebook.
        known: Replaces the secrets of the notebook that it is nested in.
    """
    secrets = masking_of_notebook(notebook) | (known or Masking())
    cells = tuple(_masked(cell, secrets) for cell in notebook.cells)
    nested = {path: without_secret_defaults(inner, secrets) for path, inner in notebook.nested.items()}
    same = all(new is old for new, old in zip(cells, notebook.cells, strict=True))
    settings = _without(notebook.settings, secrets)
    same = same and settings is notebook.settings
    if same and all(nested[path] is inner for path, inner in notebook.nested.items()):
        return notebook
    return replace(notebook, cells=cells, nested=nested, settings=settings)


def _without(settings: Settings, secrets: Masking) -> Settings:
    text = settings.description and secrets.text(settings.description)
    return settings if text == settings.description else replace(settings, description=text)


def masked_source(source: str) -> str:
    r"""The text of a cell of parameters, with a mask for each secret in it.

    >>> masked_source('lr = 0.1\ntoken = "abc"')
    'lr = 0.1\ntoken = "********"'
    """
    rows = source.encode("utf-8", "surrogatepass").splitlines(keepends=True)
    places = sorted(_places(source), key=lambda node: (node.lineno, node.col_offset), reverse=True)
    for node in places:
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        end = rows[last][node.end_col_offset or 0 :]
        rows[first : last + 1] = [rows[first][: node.col_offset] + _mask(node, last - first) + end]
        rows = b"".join(rows).splitlines(keepends=True)
    return b"".join(rows).decode("utf-8", "surrogatepass") if places else source


def secrets_of(source: str) -> Iterator[str]:
    """The secrets that stand in the text of a cell of parameters."""
    for node in _places(source):
        match node:
            case ast.JoinedStr(values=parts):
                yield from (str(part.value) for part in parts if isinstance(part, ast.Constant) and part.value)
            case ast.Constant(value=bytes(data)):
                yield data.decode("utf-8", "replace")
            case _:
                yield _joined(node) or ""


def _holds_parameters(cell: Cell) -> bool:
    return cell.kind is CellKind.CODE and cell.has(ParametersTag, InjectedParametersTag)


def _python(cell: Cell) -> str:
    return cell.python or cell.source


def _masked(cell: Cell, secrets: Masking) -> Cell:
    if cell.kind is not CellKind.CODE:
        text = secrets.text(cell.source)
        return cell if text == cell.source else replace(cell, source=text)
    if not _holds_parameters(cell):
        return cell
    python = masked_source(_python(cell))
    if python == _python(cell):
        return cell
    if cell.source == _python(cell):
        return replace(cell, source=python, python=python)
    texts = Masking(frozenset(secrets_of(_python(cell))))  # beside IPython syntax, which `ast` does not read
    return replace(cell, source=texts.text(cell.source), python=python)


def _mask(node: ast.expr, lines: int) -> bytes:
    """A text in the place of another, over as many lines."""
    if lines:
        return f'"""{MASK}'.encode() + b"\n" * lines + b'"""'
    is_bytes = isinstance(node, ast.Constant) and isinstance(node.value, bytes)
    return f'{"b" if is_bytes else ""}"{MASK}"'.encode()


def _places(source: str) -> list[ast.expr]:
    tree = _tree(source)
    return list({id(place): place for node in ast.walk(tree) for place in _in_statement(node)}.values())


def _tree(source: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in the author's text is the author's
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])


def _joined(node: ast.expr) -> str | None:
    """The text that a sum of texts makes; None for another expression."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            one, two = _joined(left), _joined(right)
            return None if one is None or two is None else one + two
        case _:
            return None


def _in_statement(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=targets, value=value) if any(_is_secret_target(each) for each in targets):
            yield from _texts(value)
        case ast.Assign(targets=[ast.Tuple(elts=names) | ast.List(elts=names)], value=ast.Tuple(elts=values)):
            for name, value in zip(names, values, strict=False):
                yield from _texts(value) if _is_secret_target(name) else _inner(value)
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target=target, value=value):
            yield from _texts(value) if _is_secret_target(target) else _inner(value)
        case ast.Assign(value=value):
            yield from _inner(value)
        case _:
            return


def _is_secret_target(node: ast.expr) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return is_secret(name)
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return is_secret(name)
        case _:
            return False


def _texts(value: ast.expr) -> Iterator[ast.expr]:
    """The texts that make a value which is secret as a whole."""
    if _is_text(value):
        yield value
    else:
        for part in _parts(value):
            yield from _texts(part)


def _is_text(value: ast.expr) -> bool:
    match value:
        case ast.Constant(value=str() | bytes() as text):
            return bool(text)
        case ast.JoinedStr(values=parts):
            return any(isinstance(part, ast.Constant) for part in parts)
        case _:
            return bool(_joined(value))


def _parts(value: ast.expr) -> list[ast.expr]:
    """What a value is made of, as far as it may hold its texts."""
    match value:
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items) | ast.Dict(values=items):
            return items
        case ast.BoolOp(values=items):
            return items
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            return [left, right]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[_, default]) if name in _READERS:
            return [default]
        case _:
            return []


def _inner(value: ast.expr) -> Iterator[ast.expr]:
    """The secret texts within a value that is not secret as a whole: those under secret keys of dictionaries."""
    for node in ast.walk(value):
        match node:
            case ast.Dict(keys=keys, values=items):
                for key, item in zip(keys, items, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str) and is_secret(key.value):
                        yield from _texts(item)
            case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                for word in keywords:
                    if word.arg and is_secret(word.arg):
                        yield from _texts(word.value)
            case _:
                pass
