"""The public name of a value's class: where people import it from, such as `pandas.DataFrame`."""

from __future__ import annotations

import sys
from types import BuiltinFunctionType, FunctionType, LambdaType, MethodType, ModuleType
from typing import TYPE_CHECKING

from nb2pipe.serializers.names import in_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CALLABLES = (FunctionType, LambdaType, BuiltinFunctionType, MethodType)
_SHOWN = {"pathlib.PosixPath": "pathlib.Path", "pathlib.WindowsPath": "pathlib.Path", "builtins.NoneType": "None"}
"""Classes that stand for others, which people write."""


def type_names(values: Mapping[str, object], names: Iterable[str]) -> dict[str, str]:
    """The public names of the classes of variables, without those that have none.

    >>> type_names({"a": 1, "b": None, "c": (i for i in ())}, ["a", "b", "c"])
    {'a': 'int', 'b': 'None'}
    """
    found = {name: type_name(values[name]) for name in sorted(names) if name in values}
    return {name: text for name, text in found.items() if text is not None}


def type_name(value: object) -> str | None:
    """The public name of a value's class; None where it has none. Those of the notebook are in `definitions`."""
    if isinstance(value, _CALLABLES):
        return "collections.abc.Callable"
    if isinstance(value, type):
        return "type"
    return _class_name(type(value))


def _class_name(kind: type) -> str | None:
    module, name = str(kind.__module__), kind.__qualname__
    known = _SHOWN.get(f"{module}.{name}")
    if known is not None or "<" in name:
        return known
    if module == "__main__" or in_packages(module):
        return f"definitions.{name}"
    if module == "builtins":
        return name if _has(sys.modules["builtins"], name, kind) else None
    home = _home(module, name, kind)
    text = f"{home}.{name}" if home else None
    return _SHOWN.get(text, text) if text else None


def _home(module: str, name: str, kind: type) -> str | None:
    """The shortest public module, of those that the class's module lies in, that has the class."""
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        path = ".".join(parts[:count])
        public = not any(part.startswith("_") for part in parts[:count])
        found = sys.modules.get(path) if public else None
        if isinstance(found, ModuleType) and _has(found, name, kind):
            return path
    return None


def _has(module: ModuleType, name: str, kind: type) -> bool:
    found: object = module
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, ModuleType | type) else None
    return found is kind
