"""Hidden state other than random generators: what a step sets beside its variables is handed on to later steps.

Each kind of it is read as a mapping of options. What differs from the state that the kernel, or the library as it was
imported, began with is what is handed on.
"""

from __future__ import annotations

from json import dumps, loads
from typing import TYPE_CHECKING

from nb2pipe.runtime import patches
from nb2pipe.runtime.beside import KIND as MODULES
from nb2pipe.runtime.beside import Modules, is_beside
from nb2pipe.runtime.imports import after_import, after_imports
from nb2pipe.runtime.patches import Patch
from nb2pipe.runtime.state_of_libraries import KINDS as LIBRARIES
from nb2pipe.runtime.state_of_logging import LOGGING
from nb2pipe.runtime.state_of_python import KINDS as PYTHON
from nb2pipe.serializers.groups import UnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.runtime.keeping import Keeper
    from nb2pipe.runtime.kinds import Kind, Options

ALL = (*PYTHON, LOGGING, *LIBRARIES)
"""The kinds that there always are. Modules beside the notebook, and what cells set in libraries, come to them."""


class Hidden:
    """The hidden state of a kernel.

    Args:
        keeper: Brings values into the store and back.
        given: What earlier steps left: digests in the store by kind.
        patched: Places in libraries that the step sets, as its text shows.
        folder: The notebook's; modules in it are the author's own. Empty where their state is not looked at.

    Attributes:
        lost: The kinds that cannot be handed on, with the reason.
    """

    def __init__(self, keeper: Keeper, given: Mapping[str, str], patched: Iterable[str] = (), folder: str = "") -> None:
        self._keeper = keeper
        self._given = given
        self._folder = folder
        self._original: dict[str, Options] = {}
        self._begun: dict[str, Options] = {}
        self._known: dict[str, frozenset[str]] = {}
        self._modules = Modules(keeper, given.get(MODULES))
        known = {kind.removeprefix(patches.PREFIX) for kind in given if kind.startswith(patches.PREFIX)}
        self._patches = [
            Patch(place, keeper, given.get(f"{patches.PREFIX}{place}")) for place in sorted(known | set(patched))
        ]
        self.lost: dict[str, str] = {}

    def begin(self) -> None:
        """Sets what earlier steps left; what belongs to a library once that is imported."""
        for kind in ALL:
            after_import(kind.module, lambda kind=kind: self._begin(kind))  # type: ignore[misc]  # mypy cannot infer the default
        for patch in self._patches:
            patch.begin()
        if self._folder:
            after_imports(lambda spec: is_beside(spec, self._folder), self._modules.imported)

    def settle(self) -> None:
        """Sets it again, and takes that as what the step begins with: repeated imports may have set something."""
        for kind in ALL:
            if kind.name in self._begun:
                self._restore(kind)
                self._begun[kind.name] = kind.read()
        self._modules.settle()
        for patch in self._patches:
            patch.settle()

    def changed(self, values: Mapping[str, object] | None = None) -> dict[str, str]:
        """What the step set: digests in the store by kind.

        Args:
            values: The variables that the step leaves: they go another way than what modules hold, so what both hold
                parts, which is told.
        """
        found: dict[str, str] = {}
        for kind in ALL:
            if kind.name in self._begun:
                self._keep(found, kind.name, lambda kind=kind: self._change(kind))  # type: ignore[misc]  # as above
        self._keep(found, MODULES, lambda: self._modules_change(values or {}))
        for patch in self._patches:
            self._keep(found, f"{patches.PREFIX}{patch.place}", patch.changed)
        return found

    def _keep(self, found: dict[str, str], name: str, change: Callable[[], str | None]) -> None:
        try:
            digest = change()
        except UnstorableError as error:
            self.lost[name] = str(error)
        else:
            found |= {name: digest} if digest else {}

    def _modules_change(self, values: Mapping[str, object]) -> str | None:
        state = self._modules.state()
        if state is None:
            return None
        held = self._keeper.shared(state["set"], values)
        if held:
            names = ", ".join(f"`{name.replace(':', '.')}`" for name in held)
            self.lost[MODULES] = f"{names} share objects, and part in later steps, where changes of one are its own"
        return self._keeper.put_value(state)

    def _begin(self, kind: Kind) -> None:
        # The user's own `import` must not fail because a library of another version keeps its options elsewhere.
        try:
            self._original[kind.name] = kind.read()
            self._restore(kind)
            self._begun[kind.name] = kind.read()
        except Exception as error:  # noqa: BLE001
            self._begun.pop(kind.name, None)
            self.lost[kind.name] = f"{type(error).__name__}: {error}"

    def _restore(self, kind: Kind) -> None:
        digest = self._given.get(kind.name)
        if digest is None:
            return
        state = loads(self._keeper.get(digest)) if kind.plain else self._keeper.get_value(digest)
        kind.write(state["set"], state["unset"])
        self._known[kind.name] = frozenset(state["set"]).union(state["unset"])

    def _change(self, kind: Kind) -> str | None:
        """The digest of a kind that the step set; None if it did not."""
        options = kind.read()
        if options == self._begun[kind.name]:
            return None
        begun = self._begun[kind.name]
        lacking = kind.lacks({name: one for name, one in options.items() if begun.get(name) != one})
        if lacking is not None:
            self.lost[kind.name] = lacking
        before = (self._original[kind.name], self._begun[kind.name])
        # What was set before and is now as Python or the library made it counts too: shared cells may set it again.
        known = self._known.get(kind.name, frozenset())
        changes = {
            name: value
            for name, value in options.items()
            if name in known or any(name not in each or each[name] != value for each in before)
        }
        gone = known.union(*before) - options.keys()
        state = {"set": changes, "unset": sorted(gone)}
        if kind.plain:
            return self._keeper.put(dumps(state, sort_keys=True).encode())
        return self._keeper.put_value(state)
