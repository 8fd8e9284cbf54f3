"""Reduces an object to its shape: by the rule for its type, else as pickle does."""

from __future__ import annotations

import sys
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Final, cast

from nb2pipe import plugins
from nb2pipe.serializers import (
    arrays,
    builtin,
    caches,
    classes,
    code,
    dispatch,
    enumerations,
    figures,
    instances,
    lazy,
    models,
    refusals,
    standard,
    tables,
    tensors,
)
from nb2pipe.serializers.names import Names
from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.rules import Context
from nb2pipe.serializers.shapes import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.serializers.rules import Rule
    from nb2pipe.serializers.shapes import Shape

_FAMILIES: Final[dict[str, Callable[[type], Rule | None]]] = {
    "numpy": arrays.rule,
    "torch": tensors.rule,
    "pandas": tables.rule,
    "pyarrow": tables.arrow_rule,
    "matplotlib": figures.rule,
    "sklearn": models.rule,
}
"""Rules of a library's types, by the package that one of the type's bases comes from."""

_WITHOUT = frozenset({*sys.stdlib_module_names, "__main__", "nb2pipe"})
"""Packages for which nobody is asked."""


class Reducer(Context):
    """Reduces objects; each type's rule is looked up once.

    Args:
        namespace: The notebook's `__main__` dictionary.
    """

    def __init__(self, namespace: dict[str, object]) -> None:
        super().__init__(namespace, Names(namespace))
        functions = dispatch.aware(code.function)
        self._rules: dict[type, Rule] = {
            **builtin.RULES,
            code.LruCache: caches.wrapper,
            FunctionType: functions,
        }

    def reduce(self, value: object) -> Shape:
        """The shape of an object; what cannot be stored is a shape as well."""
        single = self.names.single(value)
        if single is not None:
            return single
        kind = type(value)
        rule = self._rules.get(kind)
        if rule is None:
            rule = self._rules[kind] = lazy.aware(_rule(kind), kind, self.names)
        try:
            return rule(value, self)
        except RecursionError:
            return Refused("its `__reduce__` or `__getstate__` calls itself too deeply", "pass its parts on instead")
        except Exception as cause:  # noqa: BLE001 # the user's own `__reduce__` and `__getstate__` run here
            return refusals.failed(value, cause)


def _rule(kind: type) -> Rule:
    for rules in (refusals.rule, code.rule, enumerations.rule, classes.rule, standard.rule):
        special = rules(kind)
        if special is not None:
            return special
    for base in kind.__mro__:
        family = _family(base.__module__.partition(".")[0])
        found = family(kind) if family is not None else None
        if found is not None:
            return found
    return builtin.rule(kind) or instances.rule(kind) or by_protocol


@cache
def _family(package: str) -> Callable[[type], Rule | None] | None:
    """What gives the rules of a package's types: our own, or a plug-in of the package's name."""
    if package in _FAMILIES or package in _WITHOUT or package not in plugins.names("serializers"):
        return _FAMILIES.get(package)
    return cast("Callable[[type], Rule | None]", plugins.load("serializers", package))
