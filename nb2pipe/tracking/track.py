"""`from nb2pipe import track`: numbers, series of numbers and parameters that code logs stand in the record of its run.

    track.log(accuracy=0.97)                      # a metric, as a cell tagged `pipeline-metrics` gives it
    track.log({"loss/val": loss}, step=epoch)     # a point of a series
    track.params(optimizer="adam")

In a step of a run, under each executor, they stand in the record of the run (`nb2pipe runs show`, `open_run`). In a
step module that is run from files to files they stand in the folder of its outputs: `STEP.json`, and the points of
series in `STEP.points.jsonl`. `python -m PACKAGE` tells the last of each. Outside of a run nothing is kept: what is
given is checked, and a warning says so once.
"""

from __future__ import annotations

import operator
import time
import warnings
from typing import TYPE_CHECKING, Any, SupportsIndex

from nb2pipe.runtime import journal
from nb2pipe.runtime.numbers import as_number
from nb2pipe.tracking.kept_figures import keeper_of
from nb2pipe.tracking.training.said import is_muted, note_log, note_params
from nb2pipe.tracking.versions import version_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.tracking.training.loop import Training

__all__ = ["data", "figure", "log", "params", "training"]

_LONGEST_NAME = 250
_FARTHEST = 2**63
_DEEPEST = 20
_warned: list[bool] = []


def log(mapping: Mapping[str, Any] | None = None, /, *, step: SupportsIndex | None = None, **values: Any) -> None:
    """Logs numbers.

    Args:
        mapping: Numbers by name, for names that are no words of Python, such as `loss/val`.
        step: The place of the numbers in series of their names. Without it they are metrics of the run, and the last
            of each name counts.
        **values: Numbers by name: of Python, or of NumPy, torch and the like, where they have no dimensions.

    Raises:
        TypeError: Something is no number, a name is no text, or the step is no whole number.
        ValueError: Nothing is given, or a name is given twice, or is empty, too long or not printable.
    """
    given = numbers(mapping, values)
    index = None if step is None else _index(step)
    if is_muted():
        return
    found = _journal("log")
    if found is not None:
        found.log(given, index)
        note_log(given, index, time.time())


def params(mapping: Mapping[str, Any] | None = None, /, **values: Any) -> None:
    """Notes parameters that are none of the notebook's: what is read from a file, or chosen in code.

    A parameter of the notebook keeps the value that the run was given.

    Args:
        mapping: Values by name.
        **values: Values by name: None, numbers, texts, and lists and dictionaries of these.

    Raises:
        TypeError: A value is something else, or a name is no text.
        ValueError: Nothing is given, or a name is given twice, or is empty, too long or not printable.
    """
    plain = {name: _plain(name, value) for name, value in _given(mapping, values).items()}
    if is_muted():
        return
    found = _journal("params")
    if found is not None:
        found.set(plain)
        note_params(plain)


def data(source: Any, /, name: str | None = None) -> None:
    """Declares data that the code uses, as a version of a data set by its content.

    What a step is seen to read is recorded without it; this gives it a name, and covers what comes another way, such
    as a table out of a database.

    Args:
        source: The path of a file, or the data itself: a table, an array, or whatever a step may hand on.
        name: The data set's; needed where the data itself is given.

    Raises:
        OSError: The file cannot be read.
        TypeError: The name is no text.
        ValueError: There is no name, or the content has no lasting state.
    """
    if name is not None:
        _check_name(name)
    path, sha256 = version_of(source, name)
    found = None if is_muted() else _journal("data")
    if found is not None:
        found.use(path, sha256, name)


def figure(fig: Any, /, name: str, *, step: SupportsIndex | None = None) -> None:
    """Keeps a figure in the folder of the run.

    Args:
        fig: A figure of matplotlib, plotly or altair, or a picture of PIL.
        name: The figure's; one of a name that was kept before, without a `step`, takes its place.
        step: Its place in a series of figures of this name.

    Raises:
        TypeError: It cannot be kept, the name is no text, or the step is no whole number.
        ValueError: The name is empty, too long or not printable.
        OSError: It cannot be written.
    """
    _check_name(name)
    index = None if step is None else _index(step)
    keep = keeper_of(fig)
    found = None if is_muted() else _journal("figure")
    if found is not None and found.resuming is not None and found.resuming.figures is not None:
        found.figure(name, keep(found.resuming.figures, name, index), index)


def training(  # noqa: PLR0913  # one line of the user's says all of it
    net: Any,
    optimizer: Any,
    *,
    scheduler: Any = None,
    scaler: Any = None,
    state: dict[str, Any] | None = None,
    every: str = "1 epoch",
    keep: int = 3,
    monitor: str | None = None,
    mode: str = "max",
) -> Training:
    """A training that goes on after a crash where it was saved last.

    Args:
        net: The module of torch that is trained, or several in a list or dictionary.
        optimizer: Likewise, and so are the next two.
        scheduler: Of the learning rate.
        scaler: Of the loss, for mixed precision.
        state: What else the loop binds or changes and needs when it goes on, by name: `{"best": best}`.
        every: How often it is saved: `1 epoch`, `200 steps`, `30 s`.
        keep: How many of the last checkpoints stay.
        monitor: The number that `epoch.log` logs by which the best checkpoint is known, which stays too.
        mode: Whether that is the one with the `max` or the `min`.

    Raises:
        TypeError: Something given is of no use.
        ValueError: `every`, `keep` or `mode` say nothing that is known.
    """
    from nb2pipe.tracking.training.make import make_training  # noqa: PLC0415  # only who trains needs it

    trained = (net, optimizer, scheduler, scaler)
    return make_training(trained, state, every=every, keep=keep, monitor=monitor, mode=mode)


def numbers(mapping: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, float]:
    """What is given to `log`, as numbers of Python.

    Raises:
        TypeError: Something is no number, or a name is no text.
        ValueError: Nothing is given, or a name is given twice, or is empty, too long or not printable.
    """
    return {name: _number(name, value) for name, value in _given(mapping, values).items()}


def _given(mapping: Mapping[str, Any] | None, values: Mapping[str, Any]) -> dict[str, Any]:
    named = dict(mapping) if mapping is not None else {}
    twice = sorted(str(name) for name in named.keys() & values.keys())
    if twice:
        raise ValueError(f"`{twice[0]}` is given twice")
    named.update(values)
    if not named:
        raise ValueError("nothing is given to log; write `track.log(loss=0.1)`")
    for name in named:
        _check_name(name)
    return named


def _check_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"a name has to be a text, and {name!r} is of the type {type(name).__name__}")
    if not name.strip() or name != name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        message = f"a name has 1 to {_LONGEST_NAME} printable characters and no spaces around it, not {name[:80]!r}"
        raise ValueError(message)


def _number(name: str, value: Any) -> float:
    number = as_number(value)
    if number is not None:
        return number
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape:
        what = f"has the shape {tuple(shape)}; log one number of it, such as `{name}.mean()` or `{name}.item()`"
    else:
        what = f"is of the type {type(value).__name__}, which is no number"
    raise TypeError(f"`{name}` {what}")


def _index(step: Any) -> int:
    try:
        index = operator.index(step)
    except TypeError:
        index = None
    if index is None or isinstance(step, bool):
        raise TypeError(f"`step` has to be a whole number, and {step!r} is of the type {type(step).__name__}") from None
    if not -_FARTHEST <= index < _FARTHEST:
        raise ValueError(f"`step` has to fit into 64 bits, and {index} does not")
    return index


def _plain(name: str, value: Any, depth: int = 0) -> Any:
    """A value of plain types, which is another object than what was given, so that no later change reaches it."""
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if depth < _DEEPEST and isinstance(value, list | tuple):
        return [_plain(name, item, depth + 1) for item in value]
    if depth < _DEEPEST and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(name, item, depth + 1) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    number = as_number(value)
    if number is None:
        kinds = "None, numbers, texts, and lists and dictionaries of these"
        raise TypeError(f"the value of `{name}` is of the type {type(value).__name__}; parameters are {kinds}")
    try:
        return operator.index(value.item() if hasattr(value, "item") else value)
    except TypeError:
        return number


def _journal(function: str) -> journal.Journal | None:
    found = journal.current()
    if found is None and not _warned:
        _warned.append(True)
        message = (
            f"track.{function} keeps nothing here, since no step of a run is under way: run the notebook with "
            "`nb2pipe run NOTEBOOK`, or a converted one with `python -m PACKAGE`"
        )
        warnings.warn(message, stacklevel=3)
    return found
