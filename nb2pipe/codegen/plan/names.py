"""Names of modules, functions and classes in a package: identifiers, and none that the author's text uses."""

from __future__ import annotations

import keyword
import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_OURS = (
    *("definitions", "Any", "NamedTuple", "UNBOUND", "sys", "run_step", "TYPE_CHECKING", "dataclass", "make_dataclass"),
    *("Path", "CELLS", "run_cells", "run_cells_async", "given", "found"),
)
"""Names of ours in the module of a step."""

_NO_WORD = re.compile(r"\W+")


def identifier(text: str) -> str:
    """An identifier that is like a text.

    >>> identifier("train-model"), identifier("2nd"), identifier("class"), identifier("")
    ('train_model', 'step_2nd', 'class_', 'step')
    """
    word = _NO_WORD.sub("_", text).strip("_") or "step"
    if word[0].isdecimal() or not word.isidentifier():
        word = f"step_{word}" if f"step_{word}".isidentifier() else "step"
    return f"{word}_" if keyword.iskeyword(word) or keyword.issoftkeyword(word) else word


def package_name(title: str) -> str:
    """The name of the package of a pipeline.

    >>> package_name("Train-model"), package_name("2nd"), package_name("class"), package_name("")
    ('Train_model_pipeline', '_2nd_pipeline', 'class_pipeline', 'notebook_pipeline')
    """
    word = _NO_WORD.sub("_", unicodedata.normalize("NFKC", title)).strip("_")  # as Python reads names
    names = (f"{word}_pipeline", f"_{word}_pipeline") if word else ()
    return next((name for name in names if name.isidentifier()), "notebook_pipeline")


def module_names(steps: Iterable[str]) -> dict[str, str]:
    """The path of each step's module below `steps`, by the step's name.

    >>> module_names(["train", "Train", "outer/a b"])
    {'train': 'train', 'Train': 'Train_2', 'outer/a b': 'outer.a_b'}
    """
    wanted = {step: ".".join(identifier(part) for part in step.split("/")) for step in steps}
    taken = {folder for module in wanted.values() for folder in _folders(module)}
    found: dict[str, str] = {}
    for step, module in wanted.items():
        found[step] = free_name(module, taken)
        taken.add(found[step].casefold())
    return found


def _folders(module: str) -> set[str]:
    """The packages that a module stands in: no other module may have their names."""
    parts = module.casefold().split(".")
    return {".".join(parts[:length]) for length in range(1, len(parts))}


def free_name(wanted: str, taken: Collection[str]) -> str:
    """A name that is not taken, in letters large or small: file systems may not tell them apart."""
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted}_{number}"
    return name


def function_name(step: str, mentioned: Collection[str]) -> str:
    """The name of a step's function: its own, unless the text reads a global of that name.

    >>> function_name("outer/train", {"train"})
    'train_step'
    """
    name = identifier(step.rpartition("/")[2])
    while name in mentioned or name in _OURS:
        name = f"{name}_step"
    return name


def result_name(function: str, taken: Collection[str]) -> str:
    """The name of the class of what a step leaves.

    >>> result_name("train_model", ()), result_name("train", {"Train"})
    ('TrainModel', 'TrainResult')
    """
    word = "".join(part[:1].upper() + part[1:] for part in function.split("_")) or "Result"
    name = word if word.isidentifier() else f"Result{word}"
    while name in taken or name in _OURS or name == function:
        name = f"{name}Result"
    return name


def reserved_names(used: Collection[str]) -> dict[str, str]:
    """Our names in a module that the author's text uses, with what they are called instead."""
    found: dict[str, str] = {}
    for ours in _OURS:
        name = ours
        while name in used:
            name += "_"
        if name != ours:
            found[ours] = name
    return found
