"""What the modules of a package call: they stand for the notebook, whose code they hold."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nb2pipe.errors import InternalError
from nb2pipe.runtime.display import silence_display
from nb2pipe.serializers import names as known

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

_MAIN: Final = "__main__"


class Unbound:
    """Stands for a variable that is not bound, where Python asks for a value."""

    def __repr__(self) -> str:
        return "UNBOUND"


UNBOUND: Final[Any] = Unbound()
"""What a step returns for an output that it did not bind, and is given for an input that nobody bound."""

_notebooks: list[dict[str, Any]] = []
"""The dictionaries that stand for notebooks, the newest last. A process mostly has one."""


def stand_for_notebook(names: dict[str, Any]) -> None:
    """Makes a module's dictionary the notebook's: `definitions.py` calls it first of all.

    Its classes then say that they are of `__main__`, as in the notebook, so what pickle or `torch.save` wrote opens in
    both. What is looked up in `__main__`, and is not there, is looked up in it.

    Args:
        names: What `globals()` gives there.
    """
    package = str(names.get("__package__") or "")
    file = names.pop("__file__", None)  # a notebook has none, and some code asks
    if package and file:
        known.stand_for_notebook(package, str(Path(file).absolute().parent))
    silence_display()
    names["__name__"] = _MAIN
    names["__spec__"] = None  # programs that a library starts would import what it names, under `__main__`
    for name in [name for name, value in names.items() if value is stand_for_notebook]:
        del names[name]
    _notebooks[:] = [one for one in _notebooks if one is not names]
    _notebooks.append(names)
    main = sys.modules.get(_MAIN)
    if main is not None and vars(main) is not names:
        _fall_back(main)


def notebook() -> dict[str, Any]:
    """The dictionary that stands for the notebook.

    Raises:
        InternalError: No `definitions.py` was imported.
    """
    if not _notebooks:
        raise InternalError("no module stands for the notebook: `definitions.py` was not imported")
    return _notebooks[-1]


def bind(names: dict[str, Any], given: Mapping[str, object]) -> None:
    """Binds variables; those that are given as `UNBOUND` are taken away."""
    for name, value in given.items():
        if value is UNBOUND:
            names.pop(name, None)
        else:
            names[name] = value


def _fall_back(main: ModuleType) -> None:
    """Lets what `__main__` does not have be looked up in the dictionaries that stand for it."""
    own = vars(main).get("__getattr__")
    if getattr(own, "__module__", None) == __name__:
        return

    def look_up(name: str) -> Any:
        """What a notebook has under a name that `__main__` does not have."""
        for names in reversed(_notebooks):
            if name in names and not name.startswith("__"):
                return names[name]
        if own is not None:
            return own(name)
        message = f"module '__main__' has no attribute {name!r}"
        raise AttributeError(message)

    vars(main)["__getattr__"] = look_up
