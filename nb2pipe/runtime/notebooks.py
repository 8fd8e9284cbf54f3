"""What our cells in the step notebooks of a bundle call, where plain papermill runs them."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import UsageError
from nb2pipe.records.values import is_masked_default
from nb2pipe.runtime import handover
from nb2pipe.runtime.description import FILE, read_description
from nb2pipe.runtime.handover import Folders, measure, take
from nb2pipe.runtime.new_secrets import PIPE
from nb2pipe.runtime.running.asked import taken
from nb2pipe.runtime.running.notebook_end import End

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from nb2pipe.runtime.running.asked import Asked

__all__ = ["begin", "expect_error", "give", "leave", "measure", "take"]

OWN = ("nb2pipe_inputs", "nb2pipe_outputs", "nb2pipe_seed", "nb2pipe_bundle")
"""The parameters of ours in the notebook's first cell."""

_given: dict[str, object] = {}
"""The values that were given to parameters of the author's."""

_end: list[End] = []
"""Tells the step's program how this notebook ends, where such a program runs it."""

_tolerant: list[bool] = []
"""Holds something while a cell runs that may raise."""


def begin(step: str, bundle: str | Path, defaults: Mapping[str, object]) -> None:
    """Begins the step that a notebook is, with what its first cell and papermill's cell after it say.

    Parameters that were not given are unbound again: the author's own cell says what they are.

    Args:
        step: The step's name.
        bundle: The folder of the bundle.
        defaults: Of the step's parameters, by name; `...` where one is no literal.

    Raises:
        UsageError: A value is of the wrong type, or what the step takes is not there.
        StoreError: What it takes cannot be read.
    """
    names = vars(sys.modules["__main__"])
    asked = taken()
    _end[:] = [End(asked, step, Path(bundle), lambda: bool(_tolerant))] if asked else []
    for end in _end:
        end.watch()
    own = {name: names.pop(name, None) for name in OWN}
    values = {name: names.pop(name) for name in defaults if name in names}
    values = {name: value for name, value in values.items() if _text(value) != _text(defaults[name])}
    file = Path(bundle) / FILE
    facts = read_description(file).step(step)
    given = {**values, **(asked.given if asked else {})}  # what stands around a nested notebook is in the first cell
    _given.clear()
    _given.update({name: _fitting(name, value, facts.parameters.get(name)) for name, value in given.items()})
    masked = (name for name in defaults if name in facts.secrets or is_masked_default(defaults[name]))
    _refuse_masks(name for name in masked if name not in facts.given_by)
    seed = asked.seed if asked else own["nb2pipe_seed"]
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool) or seed < 0):
        raise UsageError(f"nb2pipe_seed is {seed!r}", hint="give a whole number from 0 on")
    folders = _asked_for(asked) if asked else _named(own)
    begun = handover.begin(
        step, folders, pipeline=file, seed=seed, given=_given, secrets_to=asked.folder / PIPE if asked else None
    )
    for end in _end:
        end.handover = begun
    around = [name for name in facts.given_by if name not in _given]
    if around:
        take(*around)
        _given.update({name: names.pop(name) for name in around if name in names})


def leave() -> None:
    """Ends the step: keeps what it leaves.

    Raises:
        StepError: Something that a later step takes cannot be passed on.
        StoreError: The folder, or the store, cannot be written.
    """
    handover.leave()
    for end in _end:
        end.done()


def _named(own: Mapping[str, object]) -> Folders:
    """The folders that the first cell names."""
    outputs = next(iter(_folders(own["nb2pipe_outputs"])), "")
    # one folder for all may begin with the first step
    inputs = [one for one in _folders(own["nb2pipe_inputs"]) if one != outputs or Path(one).is_dir()]
    return Folders(
        inputs=tuple(Path(folder).absolute() for folder in inputs),
        outputs=Path(outputs).absolute() if outputs else None,
    )


def _asked_for(asked: Asked) -> Folders:
    """The folders that the step's program names."""
    values, passage = asked.values, asked.values["passage"]
    way = None
    if passage is not None:
        from nb2pipe.runtime.elsewhere.passage import Passage  # noqa: PLC0415  # few steps do

        way = Passage(url=passage["url"], run=passage["run"], folder=Path(passage["folder"]))
    return Folders(
        inputs=tuple(map(Path, values["inputs"])),
        outputs=Path(values["outputs"]) if values["outputs"] else None,
        files=values["files"],
        passage=way,
    )


def _refuse_masks(secrets: Iterable[str]) -> None:
    """Raises where a parameter that was not given has a mask for its default."""
    missing = [name for name in secrets if name not in _given]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise UsageError(f"the secret value of {names} is not kept here", hint=f"give it: -p {missing[0]} VALUE")


def give(*names: str) -> None:
    """Binds those of the parameters that were given; each after the author's cell that holds its default."""
    space = vars(sys.modules["__main__"])
    space.update({name: _given[name] for name in names if name in _given})


def expect_error() -> None:
    """The next cell may raise: its error is printed, and papermill does not take it for the end."""
    from IPython.core.getipython import get_ipython  # only in a kernel

    shell = get_ipython()
    if shell is not None:
        _tolerant[:] = [True]
        shell.set_custom_exc((Exception,), _print_error)
        shell.events.register("post_run_cell", _Once(shell))


class _Once:
    """Ends it after the cell that comes next."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._cells = 0

    def __call__(self, _result: object) -> None:
        """A cell has run; the first one is our own."""
        self._cells += 1
        if self._cells > 1:
            _tolerant.clear()
            self._shell.set_custom_exc((), None)
            self._shell.events.unregister("post_run_cell", self)


def _print_error(_shell: object, kind: Any, error: Any, trace: Any, **_options: object) -> None:
    traceback.print_exception(kind, error, trace)


def _text(value: object) -> tuple[type, str]:
    return type(value), repr(value)


def _folders(value: object) -> Sequence[str]:
    if isinstance(value, list | tuple):
        return [str(one) for one in value if one]
    return [str(value)] if value else []


def _fitting(name: str, value: object, kind: str | None) -> object:
    """A value as one of its parameter's type.

    Raises:
        UsageError: It is none.
    """
    if kind in {None, "None", type(value).__name__}:
        return value
    make = _FITS.get((kind or "", type(value)))
    if make is None:
        hint = "papermill takes `-p NAME VALUE` for what it looks like, and `-r NAME VALUE` for a text"
        raise UsageError(f"the parameter `{name}` is of type {kind}, and {value!r} is not", hint=hint)
    return make(value)


_FITS: Mapping[tuple[str, type], Callable[[Any], object]] = {
    ("float", int): float,
    ("tuple", list): tuple,
    ("set", list): set,
}
