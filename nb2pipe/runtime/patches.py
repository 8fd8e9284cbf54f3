"""What cells set in modules and classes of libraries: `json.dumps = own`, `torch.nn.Linear.extra = 1`, `sys.argv = []`.

Only the text shows such places, so a step is told them. A name that is set there is looked at, and handed on.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from nb2pipe.runtime.keeping import Keeper

PREFIX = "patch "
"""A kind of hidden state of this name is what stands at the place that follows."""

_ABSENT = object()


@dataclass(slots=True)
class Patch:
    """One place in a library.

    Attributes:
        place: Its dotted name.
        keeper: Brings values into the store and back.
        given: The digest of what earlier steps left there.
        found: What stood there when the step began, and its digest; None where the library is not imported yet.
        settled: The definitions that steps repeat have been made, so that what was given can be set.
    """

    place: str
    keeper: Keeper
    given: str | None
    found: tuple[Any, str | None] | None = None
    settled: bool = False
    done: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Looks at the place as soon as its library is imported."""
        parts = self.place.split(".")
        for count in range(1, len(parts)):
            after_import(".".join(parts[:count]), self._look)

    def settle(self) -> None:
        """Sets what earlier steps left; the definitions that it may need are there now."""
        self.settled = True
        self._look()

    def changed(self) -> str | None:
        """What the step set there; None where it set nothing.

        Raises:
            UnstorableError: It cannot be stored.
        """
        owner, name = self._owner()
        if owner is None or self.found is None:
            return None
        now = _at(owner, name)
        if now is self.found[0] and (now is _ABSENT or self.keeper.digest(now) == self.found[1]):
            return None
        if type(now) in (list, dict):
            now = now.copy()  # some that each process has once, as `sys.argv`, would go by reference
        return self.keeper.put_value({"set": now is not _ABSENT, "value": None if now is _ABSENT else now})

    def _look(self) -> None:
        owner, name = self._owner()
        if owner is None:
            return
        if self.given is not None and self.settled and "given" not in self.done:
            self.done.add("given")
            self._set(owner, name)
        found = _at(owner, name)
        self.found = (found, None if found is _ABSENT else self.keeper.digest(found))

    def _set(self, owner: Any, name: str) -> None:
        assert self.given is not None
        state = self.keeper.get_value(self.given)
        if state["set"]:
            _put(owner, name, state["value"])
        elif _at(owner, name) is not _ABSENT:
            delattr(owner, name)

    def _owner(self) -> tuple[Any, str]:
        """The module or class that the place is in; None where it is not there, or is of another kind."""
        parts = self.place.split(".")
        found: Any = sys.modules.get(parts[0])
        for part in parts[1:-1]:
            found = getattr(found, part, None)
        return (found if isinstance(found, ModuleType | type) else None), parts[-1]


def _at(owner: Any, name: str) -> Any:
    return vars(owner).get(name, _ABSENT) if isinstance(owner, type) else getattr(owner, name, _ABSENT)


def _put(owner: Any, name: str, value: Any) -> None:
    """Sets a name; a dictionary or list that the library made stays the same object."""
    old = _at(owner, name)
    if type(old) is dict and type(value) is dict:
        old.clear()
        old.update(value)
    elif type(old) is list and type(value) is list:
        old[:] = value
    else:
        setattr(owner, name, value)
