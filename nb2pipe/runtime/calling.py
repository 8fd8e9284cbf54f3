"""Calls a step's function: imports its module with cell borders, gives it what it asks for, reads what it leaves."""

from __future__ import annotations

import contextvars
import dataclasses
import importlib
import inspect
import sys
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime import borders, cells
from nb2pipe.runtime.early import read_at_once
from nb2pipe.runtime.modules import UNBOUND

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping
    from types import ModuleType

    from nb2pipe.runtime.session import Session

_UNSET = object()
_loops: list[asyncio.AbstractEventLoop] = []
"""The one event loop of this process, on which all steps that await run: what one made on it, the next may use."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a step's function asks for.

    Attributes:
        required: Names without a default: inputs.
        optional: Names with one: parameters, and inputs that may be missing.
    """

    required: tuple[str, ...]
    optional: Mapping[str, object]

    @property
    def names(self) -> tuple[str, ...]:
        """All names."""
        return (*self.required, *self.optional)


def import_package(name: str, folder: Path) -> None:
    """Imports a package by its path; `sys.path` stays as it is."""
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, folder / name / "__init__.py", submodule_search_locations=[str(folder / name)])
    if spec is None or spec.loader is None:
        raise ImportError(f"there is no package `{name}` in `{folder}`", name=name)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def import_definitions(package: str) -> ModuleType:
    """The module `definitions` of a package, run now if it was not; it is `__main__` from then on."""
    borders.install(package)
    return importlib.import_module(f"{package}.definitions")


def import_step(package: str, module: str) -> ModuleType:
    """The module of a step."""
    return importlib.import_module(f"{package}.steps.{module}")


def asked_by(function: Callable[..., object]) -> Asked:
    """What a step's function asks for."""
    parameters = inspect.signature(function).parameters.values()
    return Asked(
        required=tuple(one.name for one in parameters if one.default is one.empty),
        optional={one.name: one.default for one in parameters if one.default is not one.empty},
    )


def arguments_for(asked: Asked, given: Mapping[str, object]) -> dict[str, object]:
    """The arguments of a step's function; what is unbound is left to its default, where it has one."""
    found = {name: given.get(name, UNBOUND) for name in asked.names}
    return {name: value for name, value in found.items() if value is not UNBOUND or name in asked.required}


def call(function: Callable[..., Any], arguments: Mapping[str, object], *, as_in_kernel: bool = False) -> Any:
    """Calls a step's function, and waits for its result where it awaits.

    Args:
        function: The function.
        arguments: Its arguments.
        as_in_kernel: A function that does not await runs within an event loop too, where `asyncio` is used at all: a
            kernel's cells do.
    """
    awaits = inspect.iscoroutinefunction(function)
    if not awaits and not (as_in_kernel and "asyncio" in sys.modules):
        return function(**arguments)
    ends: list[tuple[Any, BaseException | None]] = []
    left: list[contextvars.Context] = []

    async def within() -> None:
        try:  # what a loop does with some exceptions is not what a step does
            ends.append((await function(**arguments) if awaits else function(**arguments), None))
        except BaseException as error:  # noqa: BLE001  # it is raised below
            ends.append((None, error))
        left.append(contextvars.copy_context())

    _loop().run_until_complete(within())
    for variable, value in left[0].items():
        if variable.get(_UNSET) is not value:
            variable.set(value)  # a kernel's cells share one context: `np.seterr` holds in the next one
    ((result, error),) = ends
    if error is not None:
        raise error
    return result


def _loop() -> asyncio.AbstractEventLoop:
    import asyncio  # noqa: PLC0415  # few steps need it

    if not _loops:
        _loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(_loops[0])
    return _loops[0]


def fields_of(result: object) -> dict[str, object]:
    """What a step leaves, by name: the fields of the small class that its function returns."""
    if result is None:
        return {}
    named: tuple[str, ...] | None = getattr(result, "_fields", None)
    if named is None:
        named = tuple(one.name for one in dataclasses.fields(result))  # type: ignore[arg-type]  # it is no class
    return {name: getattr(result, name) for name in named}


def cells_file(module: ModuleType) -> Path | None:
    """The file that a step's cells stand in; None for a step in function form."""
    named = (value for name, value in vars(module).items() if name.rstrip("_") == "CELLS")
    return next((value for value in named if isinstance(value, Path)), None)


def run_early(file: Path, session: Session, run: Callable[[Callable[[], None]], None]) -> None:
    """Runs the definitions that a step in namespace form begins with: what it is given may need their classes.

    What making them reads is loaded before them.

    Args:
        file: The file of the step's cells.
        session: The step's.
        run: Calls what runs the author's code.
    """
    for part in cells.parts_of(file):
        if not part.place.definitions:
            return
        session.load(read_at_once(part.text))
        run(partial(cells.run_definitions, part, file, session.namespace))
