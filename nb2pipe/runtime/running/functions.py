"""The functions of a bundle's steps, and the parameters that they take."""

from __future__ import annotations

import ast
import inspect
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime import calling
from nb2pipe.runtime.arguments import Parameter
from nb2pipe.runtime.modules import UNBOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.runtime.description import StepFacts


def function_of(package: str, facts: StepFacts) -> Callable[..., Any]:
    """A step's function; its module and the definitions are imported now."""
    calling.import_definitions(package)
    found: Callable[..., Any] = getattr(calling.import_step(package, facts.module), facts.function)
    return found


def parameters_of(function: Callable[..., Any], types: Mapping[str, str | None]) -> list[Parameter]:
    """The parameters of a function, with the types that the notebook gave them."""
    signature = inspect.signature(function)
    return [
        Parameter(name=one.name, type=types.get(one.name), default=_default(one.default, types.get(one.name)))
        for one in signature.parameters.values()
        if one.kind is one.KEYWORD_ONLY
    ]


def described(facts: StepFacts) -> list[Parameter]:
    """The parameters of a step as `pipeline.json` has them: nothing of the author's is imported for it."""
    return [
        Parameter(name=name, type=kind, default=facts.defaults.get(name, UNBOUND))
        for name, kind in facts.parameters.items()
    ]


def text_of(package: str, facts: StepFacts) -> str:
    """What the function of a step says of itself; nothing of the author's is imported for it."""
    file = Path(str(sys.modules[package].__file__)).parent.joinpath("steps", *facts.module.split("."))
    text = None
    with suppress(OSError, SyntaxError, ValueError):  # it shows when the step runs
        tree = ast.parse(file.with_suffix(".py").read_text(encoding="utf-8"))
        found = (node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
        text = next((ast.get_docstring(node) for node in found if node.name == facts.function), None)
    return text or f"Runs the step {facts.name}."


def _default(default: object, kind: str | None) -> object:
    """A default as the help shows it: that of a list and its like is None, and the function makes a new one."""
    return UNBOUND if default is None and kind in {"list", "dict", "set", "tuple"} else default
