"""What a checkpoint holds of objects that only the code can make: generators, modules, instances of its classes."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """Stands for an object that is left as it is, such as a loader or a function."""


KEPT = Kept()


@dataclass(frozen=True, slots=True, eq=False)
class Stateful:
    """The state of an object that has `state_dict` and `load_state_dict`."""

    state: Any

    def put_into(self, found: Any) -> None:
        """Sets an object to it."""
        found.load_state_dict(self.state)


@dataclass(frozen=True, slots=True, eq=False)
class ModuleState:
    """What a module of torch holds.

    Attributes:
        put_into: Sets a module to it.
    """

    put_into: Callable[[Any], None]


@dataclass(frozen=True, slots=True, eq=False)
class GeneratorState:
    """The state of a random generator, and the name of its class."""

    state: Any
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """What an object of a class of the author's holds.

    Attributes:
        fields: Its attributes.
        name: The class's.
        kind: The class, where there is one of that name.
    """

    fields: Mapping[str, Any]
    name: str
    kind: type | None


_LIBRARIES = frozenset({"torch", "numpy", "pandas", "matplotlib", "IPython", "ipykernel", "nb2pipe"})


def is_authors(value: Any) -> bool:
    """Whether it is an instance of a class that comes neither with Python nor with a library that trains."""
    kind = type(value)
    if isinstance(value, type) or not hasattr(value, "__dict__"):
        return False
    return is_authors_class(kind)


def is_authors_class(kind: type) -> bool:
    """Whether a class comes neither with Python nor with a library that trains."""
    top = kind.__module__.partition(".")[0]
    if top == "__main__":
        return True
    if top in sys.stdlib_module_names or top in _LIBRARIES:
        return False
    file = str(getattr(sys.modules.get(kind.__module__), "__file__", None) or "site-packages")
    return "site-packages" not in file and "dist-packages" not in file


def class_name(kind: type) -> str:
    """How a checkpoint names a class of the author's.

    >>> class_name(Fields)
    'nb2pipe.tracking.training.restored:Fields'
    """
    return f"{kind.__module__}:{kind.__qualname__}"


def find_class(name: str, variables: Mapping[str, Any]) -> type | None:
    """The class of the author's that a checkpoint names; nothing is imported for it.

    Args:
        name: As `class_name` has it.
        variables: Those of the training's code, which come first.
    """
    module, _, path = name.partition(":")
    first, *rest = path.split(".")
    found = variables.get(first)
    if not isinstance(found, type):
        found = getattr(sys.modules.get(module), first, None)
    for each in rest:
        found = vars(found).get(each) if isinstance(found, type) else None
    return found if isinstance(found, type) and is_authors_class(found) else None


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


def make_generator(saved: GeneratorState) -> Any:
    """A generator of the kind whose state was saved, where there is none."""
    if saved.kind == "RandomState":
        import numpy as np  # it was one of it

        return np.random.RandomState()
    if isinstance(saved.state, dict) and "bit_generator" in saved.state:
        import numpy as np  # it was one of it

        kind = getattr(np.random, str(saved.state["bit_generator"]), None)
        if not (isinstance(kind, type) and issubclass(kind, np.random.BitGenerator)):
            raise ValueError(f"NumPy has no generator {saved.state['bit_generator']!r}")
        return np.random.Generator(kind())
    if isinstance(saved.state, dict):
        import torch  # it was one of it

        return torch.Generator(saved.state["device"])
    return random.Random()  # noqa: S311  # it goes on with what another one drew


def _bytes(tensor: Any) -> bytes:
    return bytes(tensor.numpy().tobytes())
