"""pandas: with copy-on-write, frames that look at one memory do not write through each other, so each gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.serializers.arrays import content
from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.shapes import Made

if TYPE_CHECKING:
    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

_INNER = (
    "pandas.core.arrays",
    "pandas.core.indexes",
    "pandas.core.internals",
    "pandas.core.dtypes",
    "pandas._libs",
    "pandas.arrays",
)


def rule(kind: type) -> Rule | None:
    """The rule for a type of pandas', or one that derives from it."""
    import pandas as pd  # it is there, since the type is

    if issubclass(kind, pd.DataFrame | pd.Series):
        return _table
    inner = any(base.__module__.startswith(_INNER) for base in kind.__mro__)
    if inner or issubclass(kind, pd.Index | pd.api.extensions.ExtensionArray | pd.api.extensions.ExtensionDtype):
        return _inner
    return None


def arrow_rule(_kind: type) -> Rule:
    """The rule for a type of Arrow's, whose objects nobody changes."""
    return _inner


def _table(value: object, context: Context) -> Shape:
    """`_metadata` is one list of the class's, which would tie all tables to each other."""
    made = by_protocol(value, context)
    if isinstance(made, Made) and isinstance(made.state, dict) and "_metadata" in made.state:
        made.state = {**made.state, "_metadata": list(made.state["_metadata"])}
    return made


def _inner(value: object, context: Context) -> Shape:
    """Blocks, indexes and columns: nobody but their table sees them, and their memory is their own."""
    made = by_protocol(value, context)
    if isinstance(made, Made):
        made.ties = False
        made.args = tuple(_own(part, context) for part in made.args)
        made.state = _own(made.state, context)
        if hasattr(value, "blocks") and hasattr(value, "axes"):
            made.identity = lambda: _columns(value, context)
    return made


def _columns(manager: Any, context: Context) -> tuple[object, ...]:
    """What counts of a table's blocks: its axes and columns. Which columns lie in one block is left to pandas.

    It depends on who looked at the table when something was written to it, and nobody sees it.
    """
    import numpy as np

    parts: list[object] = ["columns", *manager.axes]
    single = len(manager.axes) == 1
    for place in range(1 if single else len(manager.axes[0])):
        values = manager.blocks[0 if single else manager.blknos[place]].values  # noqa: PD011  # a block has no other name for it
        memory = getattr(values, "_ndarray", values)
        if type(memory) is not np.ndarray or (memory is not values and memory.dtype.kind not in "mM"):
            parts.append(context.kept["column", id(values)])
            continue
        column = memory if memory.ndim == 1 else memory[manager.blklocs[place]]
        parts += [str(values.dtype), len(column)]
        parts.extend(column if column.dtype.hasobject else [content(column)])
    return tuple(parts)


def _own(part: Any, context: Context) -> Any:
    """Arrays in a part become views that share their memory with nobody; the containers around them tie nothing."""
    import numpy as np
    from pandas.api.extensions import ExtensionArray

    if type(part) is np.ndarray:
        return _own_array(part, context)
    if isinstance(part, ExtensionArray):
        column = part[:]  # tables look at one such array, and copy it when they write
        context.kept["column", id(part)] = column
        return column
    if type(part) is tuple:
        return tuple(_own(one, context) for one in part)
    if type(part) not in (list, dict):
        return part
    own: Any = [_own(one, context) for one in part] if type(part) is list else _own_values(part, context)
    context.still.add(id(own))
    return own


def _own_array(array: Any, context: Context) -> Any:
    """An array on the same memory that shares it with nobody; the objects in it stay what they are."""
    own = array.copy(order="K") if array.dtype.hasobject else array.view()
    own.flags.writeable = array.flags.writeable
    (context.still if array.dtype.hasobject else context.private).add(id(own))
    return own


def _own_values(part: dict[object, object], context: Context) -> dict[object, object]:
    return {name: _own(one, context) for name, one in part.items()}
