"""Whether a text is Python, as IPython runs it (`await` at top level is allowed), and where it is not."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass

_FLAGS = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why a text is no Python.

    Attributes:
        message: What the compiler says.
        line: From 1.
        column: From 1, or None.
        end_column: The column after the last character, or None.
    """

    message: str
    line: int
    column: int | None = None
    end_column: int | None = None


def syntax_problem(text: str) -> SyntaxProblem | None:
    """What keeps Python from compiling a text, or None; nothing is executed.

    >>> syntax_problem("x = (1")
    SyntaxProblem(message="'(' was never closed", line=1, column=5, end_column=None)
    >>> syntax_problem("await f()") is None
    True
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _compile(text)
    except SyntaxError as error:
        return _located(error, text)
    except (ValueError, OverflowError) as error:
        return SyntaxProblem(str(error) or "the text cannot be compiled", 1)
    except (RecursionError, MemoryError):
        return SyntaxProblem("the code is nested too deeply", 1)
    return None


def parsed(text: str) -> ast.Module | None:
    """The tree of a text, or None where it is no Python; invalid escapes in it are no warnings of ours."""
    tree = _parsed(text, "exec")
    return tree if isinstance(tree, ast.Module) else None


def parsed_expression(text: str) -> ast.Expression | None:
    """The tree of an expression, or None where the text is none."""
    tree = _parsed(text, "eval")
    return tree if isinstance(tree, ast.Expression) else None


def _parsed(text: str, mode: str) -> ast.AST | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _compile(text: str) -> None:
    """Compile each statement on its own, as IPython does: `from __future__` may stand anywhere."""
    tree = compile(text, "<cell>", "exec", flags=_FLAGS | ast.PyCF_ONLY_AST, dont_inherit=True)
    for statement in tree.body:
        module = ast.Module(body=[statement], type_ignores=[])
        compile(module, "<cell>", "exec", flags=_FLAGS, dont_inherit=True)


def _located(error: SyntaxError, text: str) -> SyntaxProblem:
    last = text.count("\n") + 1
    line = min(max(error.lineno or 1, 1), last)
    column = error.offset if error.offset and error.offset > 0 else None
    same_line = error.end_lineno in {None, error.lineno}
    end = error.end_offset if same_line and column and (error.end_offset or 0) > column else None
    return SyntaxProblem(error.msg or "invalid syntax", line, column, end)
