"""Gives objects the content that a checkpoint kept of them, so that whoever holds them sees it."""

from __future__ import annotations

import random
import sys
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Stateful:
    """The state of an object that has `state_dict` and `load_state_dict`."""

    def __init__(self, state: Any) -> None:
        self.state = state


class GeneratorState:
    """The state of a random generator."""

    def __init__(self, state: Any) -> None:
        self.state = state


class Fields:
    """What an object of a class of the author's holds."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields


_LIBRARIES = frozenset({"torch", "numpy", "pandas", "matplotlib", "IPython", "ipykernel", "nb2pipe"})


def is_authors(value: Any) -> bool:
    """Whether it is an instance of a class that comes neither with Python nor with a library that trains."""
    kind = type(value)
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    top = kind.__module__.partition(".")[0]
    if top == "__main__":
        return True
    if top in sys.stdlib_module_names or top in _LIBRARIES:
        return False
    file = str(getattr(sys.modules.get(kind.__module__), "__file__", None) or "site-packages")
    return "site-packages" not in file and "dist-packages" not in file


def is_generator(value: object) -> bool:
    """Whether it is a random generator of Python, NumPy or torch.

    >>> is_generator(random.Random(1)), is_generator(3)
    (True, False)
    """
    if isinstance(value, random.Random):
        return not isinstance(value, random.SystemRandom)
    module, name = type(value).__module__, type(value).__name__
    return (module.startswith("numpy.random") and name in {"Generator", "RandomState"}) or (
        module.partition(".")[0] == "torch" and name == "Generator"
    )


def read_generator(value: Any) -> Any:
    """The state of a generator, of plain types and arrays."""
    if isinstance(value, random.Random):
        return value.getstate()
    if type(value).__name__ == "RandomState":
        return value.get_state(legacy=False)
    if type(value).__module__.startswith("numpy.random"):
        return value.bit_generator.state
    return {"device": str(value.device), "seed": value.initial_seed(), "state": _bytes(value.get_state())}


def write_generator(value: Any, state: Any) -> None:
    """Sets a generator to a state that `read_generator` gave."""
    if isinstance(value, random.Random):
        value.setstate(state)
    elif type(value).__name__ == "RandomState":
        value.set_state(state)
    elif type(value).__module__.startswith("numpy.random"):
        value.bit_generator.state = state
    else:
        import torch  # it is one of torch

        value.manual_seed(state["seed"])
        value.set_state(torch.frombuffer(bytearray(state["state"]), dtype=torch.uint8))


def _bytes(tensor: Any) -> bytes:
    return bytes(tensor.numpy().tobytes())


def put_back(old: Any, new: Any) -> Any:
    """Gives an object the content that it had, so that whoever holds it sees it.

    Args:
        old: The object as it is.
        new: Its content, as it was decoded.

    Returns:
        The object with the content: `old` where it could take it, else `new`.
    """
    if isinstance(new, Stateful):
        old.load_state_dict(new.state)
    elif isinstance(new, Fields):
        _put_mapping(vars(old), new.fields)
    elif isinstance(new, GeneratorState):
        write_generator(old, new.state)
    elif type(old) is not type(new):
        return new
    elif isinstance(old, dict):
        _put_mapping(old, new)
    elif isinstance(old, list):
        kept = old[: len(new)]
        old[:] = [*(put_back(one, two) for one, two in zip(kept, new, strict=False)), *new[len(kept) :]]
    elif isinstance(old, set | deque | bytearray):
        old.clear()
        (old.update if isinstance(old, set) else old.extend)(new)
    else:
        return _put_memory(old, new)
    return old


def _put_mapping(old: dict[Any, Any], new: Mapping[Any, Any]) -> None:
    before = dict(old)
    old.clear()
    for key, value in new.items():
        old[key] = put_back(before[key], value) if key in before else value


def _put_memory(old: Any, new: Any) -> Any:
    """An array or tensor of the same kind takes the content; all else is replaced."""
    module = type(old).__module__.partition(".")[0]
    if module not in {"torch", "numpy"} or not hasattr(old, "shape"):
        return new
    if old.shape != new.shape or old.dtype != new.dtype or not old.shape:
        if module == "torch" and getattr(old, "shape", None) == new.shape and old.dtype == new.dtype:
            return _copied(old, new)
        return new
    if module == "torch":
        return _copied(old, new)
    old[...] = new
    return old


def _copied(old: Any, new: Any) -> Any:
    import torch  # there is a tensor

    with torch.no_grad():
        old.copy_(new)
    return old
