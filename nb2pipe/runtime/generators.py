"""Random generators: their state is set as a step begins, and handed on if the step drew."""

from __future__ import annotations

import base64
import random
import sys
from dataclasses import dataclass
from json import dumps, loads
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NUMPY_SEEDS = 2**32


@dataclass(frozen=True, slots=True)
class Generator:
    """One of the global random generators.

    Attributes:
        kind: Its name in a call's state: `random`, `numpy`, `torch`.
        module: The module that has to be imported before it exists.
        seed: Sets it from the initial random state.
        read: Its state as JSON.
        write: Sets it to a state that `read` gave.
    """

    kind: str
    module: str
    seed: Callable[[int], None]
    read: Callable[[], Any]
    write: Callable[[Any], None]


_kept: dict[int, dict[str, bytes]] = {}
"""The states that imports made ahead left, by kind, by the initial random state; empty where none were."""


class Generators:
    """All global random generators of a kernel, in the state that the step is to begin with.

    A generator whose module is not imported yet is set right after the import.

    Args:
        seed: The initial random state.
        given: States that earlier steps left, as `changed` gave them, by kind.
    """

    def __init__(self, seed: int, given: Mapping[str, bytes]) -> None:
        self._seed = seed
        self._given = given
        self._begun: dict[str, bytes] = {}

    def begin(self) -> None:
        """Sets the generators that exist, and prepares for those that will."""
        for generator in ALL:
            after_import(generator.module, lambda generator=generator: self._set(generator))  # type: ignore[misc]  # mypy cannot infer the default

    def settle(self) -> None:
        """Sets those again that an earlier step left: what imports and our own work drew from them does not count."""
        for generator in ALL:
            if generator.kind in self._begun and generator.kind in self._given:
                self._set(generator)

    def changed(self) -> dict[str, bytes]:
        """The states of those that the step drew from or seeded, by kind."""
        return {
            generator.kind: state
            for generator in ALL
            if generator.kind in self._begun and (state := _state(generator)) != self._begun[generator.kind]
        }

    def keep(self) -> None:
        """A process that is forked from this one, and begins with the same seed, begins where the generators stand now.

        Some imports draw, and the cells of a notebook go on from there.
        """
        _kept.clear()
        _kept[self._seed] = {each.kind: _state(each) for each in ALL if each.kind in self._begun}

    def _set(self, generator: Generator) -> None:
        given = self._given.get(generator.kind) or _kept.get(self._seed, {}).get(generator.kind)
        if given is None:
            generator.seed(self._seed)
        else:
            generator.write(loads(given))
        self._begun[generator.kind] = _state(generator)


def _state(generator: Generator) -> bytes:
    return dumps(generator.read(), sort_keys=True).encode()


def _read_random() -> Any:
    return random.getstate()


def _write_random(state: Any) -> None:
    version, internal, gauss = state
    random.setstate((version, tuple(internal), gauss))


def _numpy_random() -> Any:
    return sys.modules["numpy.random"]  # `numpy.random` as an attribute is not there yet while it is imported


def _seed_numpy(seed: int) -> None:
    _numpy_random().seed(seed % _NUMPY_SEEDS)


def _read_numpy() -> Any:
    return _packed(_numpy_random().get_state(legacy=False))


def _write_numpy(state: Any) -> None:
    _numpy_random().set_state(_unpacked(state))


def _packed(value: Any) -> Any:
    """A generator's state as JSON; arrays as their bytes."""
    if isinstance(value, dict):
        return {key: _packed(item) for key, item in value.items()}
    if hasattr(value, "tobytes") and value.shape:
        return {"dtype": str(value.dtype), "data": base64.b64encode(value.tobytes()).decode()}
    return value.item() if hasattr(value, "item") else value


def _unpacked(value: Any) -> Any:
    import numpy as np  # only where it was imported

    if isinstance(value, dict) and value.keys() == {"dtype", "data"}:
        return np.frombuffer(base64.b64decode(value["data"]), dtype=value["dtype"]).copy()
    return {key: _unpacked(item) for key, item in value.items()} if isinstance(value, dict) else value


def _seed_torch(seed: int) -> None:
    import torch  # only where it was imported

    torch.manual_seed(seed)


def _read_torch() -> Any:
    import torch  # only where it was imported

    state = _tensor_text(torch.get_rng_state())
    return {"seed": torch.initial_seed(), "cpu": state, "cuda": [_tensor_text(device) for device in _cuda_states()]}


_waiting: list[Any] = []
"""States that CUDA's generators get once CUDA is initialized, which we never do ourselves."""


def _cuda_states() -> list[Any]:
    """The states of CUDA's generators; none where they stand as the last seed left them."""
    import torch  # only where it was imported

    if not torch.cuda.is_initialized():
        tracker = getattr(torch.cuda, "_lazy_seed_tracker", None)
        return [] if tracker is not None and any(tracker.get_calls()) else _waiting
    states = torch.cuda.get_rng_state_all()
    fresh = torch.Generator("cuda").manual_seed(torch.initial_seed()).get_state()
    return [] if all(torch.equal(state, fresh) for state in states) else states


def _write_torch(state: Any) -> None:
    import torch  # only where it was imported

    _waiting[:] = [_text_tensor(text) for text in state["cuda"]]
    if not _waiting:
        torch.manual_seed(state["seed"])
    # Where CUDA is not initialized, torch keeps these, and a seed that the user sets meanwhile wins.
    for device, tensor in enumerate(_waiting):
        torch.cuda.set_rng_state(tensor, device)
    torch.set_rng_state(_text_tensor(state["cpu"]))


def _tensor_text(tensor: Any) -> str:
    return base64.b64encode(bytes(tensor.tolist())).decode()


def _text_tensor(text: str) -> Any:
    import torch  # only where it was imported

    return torch.tensor(list(base64.b64decode(text)), dtype=torch.uint8)


ALL = (
    Generator("random", "random", random.seed, _read_random, _write_random),
    Generator("numpy", "numpy.random", _seed_numpy, _read_numpy, _write_numpy),
    Generator("torch", "torch", _seed_torch, _read_torch, _write_torch),
)
