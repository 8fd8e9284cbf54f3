"""Values of a checkpoint as JSON and tensors, and back into the objects that they were taken from.

There is no pickle in it: what is read builds numbers, texts, containers, arrays and tensors, and nothing else.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections import Counter, OrderedDict, defaultdict, deque
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.restored import (
    Fields,
    GeneratorState,
    Stateful,
    is_authors,
    is_generator,
    read_generator,
)
from nb2pipe.tracking.training.tensors import type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KIND = "$"
_FACTORIES: dict[str, Any] = {"": None, "int": int, "float": float, "list": list, "dict": dict, "set": set, "str": str}
_DATES: dict[str, Any] = {kind.__name__: kind for kind in (dt.datetime, dt.date, dt.time)}


class Encoder:
    """Takes values apart.

    Attributes:
        tensors: Those that were met, by name.
        taken: The names of tensors whose memory others may not share, by its address.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, Any] = {}
        self.taken: dict[int, str] = {}
        self._names: dict[int, tuple[Any, Any]] = {}
        self._open: set[int] = set()

    def encode(self, value: Any, path: str) -> Any:
        """A value as JSON.

        Args:
            value: Not changed.
            path: How to name it to people.

        Raises:
            TypeError: It holds something that a checkpoint cannot hold; the message says where.
        """
        if value is None or type(value) in {bool, int, str}:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {KIND: "float", "v": str(value)}
        known = self._names.get(id(value))
        if known is not None and known[1] is value:
            return {KIND: "same", "v": known[0]}
        if id(value) in self._open:
            raise TypeError(f"`{path}` holds itself, which a checkpoint cannot hold")
        self._open.add(id(value))
        try:
            found = self._object(value, path)
        finally:
            self._open.discard(id(value))
        if not isinstance(value, tuple | frozenset | bytes):
            self._names[id(value)] = (path, value)
            found = {**found, "id": path} if isinstance(found, dict) else {KIND: "list", "v": found, "id": path}
        return found

    def tensor(self, value: Any, name: str) -> dict[str, Any]:
        """A tensor, which is taken as it is now only when the checkpoint is filled.

        Raises:
            TypeError: The format does not know it.
        """
        import torch  # there is a tensor

        owner = self.taken.get(_address(value))
        if owner is not None:
            raise TypeError(f"`{name}` shares its memory with `{owner}`, which a checkpoint cannot hold; `.clone()` it")
        plain = torch.view_as_real(value.detach()) if value.dtype is torch.complex128 else value.detach()
        if value.layout is not torch.strided or value.is_quantized or type_name(plain.dtype) is None:
            raise TypeError(f"`{name}` is a tensor of {value.dtype}, {value.layout}, which a checkpoint cannot hold")
        self.tensors[name] = plain
        strides = [] if value.is_contiguous() else list(value.stride())
        kinds = {"complex": True} if plain is not value and plain.dim() > value.dim() else {}
        return {KIND: "tensor", "v": name, "strides": strides, "device": str(value.device), **kinds}

    def close(self) -> None:
        """From now on no tensor may share its memory with those that were met so far."""
        self.taken = {address: name for name, one in self.tensors.items() if (address := _address(one))}

    def _object(self, value: Any, path: str) -> Any:
        kind = type(value)
        if kind in _WAYS:
            return _WAYS[kind](self, value, path)
        if kind.__module__ == "numpy":
            return self._numpy(value, path)
        found = self._torch(value, path) if kind.__module__.partition(".")[0] == "torch" else None
        return self._other(value, path) if found is None else found

    def _other(self, value: Any, path: str) -> Any:
        if is_generator(value):
            return {KIND: "generator", "v": self.encode(read_generator(value), f"{path}.state")}
        if isinstance(value, PurePath):
            return {KIND: "path", "v": str(value)}
        if callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None)):
            return {KIND: "stateful", "v": self.encode(value.state_dict(), path)}
        if is_authors(value):
            return {KIND: "object", "v": self.encode(dict(vars(value)), path)}
        kind = type(value)
        raise TypeError(
            f"`{path}` is of the type {kind.__module__}.{kind.__qualname__}, which a checkpoint cannot hold; it holds "
            "numbers, texts, lists, dictionaries, sets, tensors, arrays, random generators, objects of your own "
            "classes, and what has `state_dict` and `load_state_dict`"
        )

    def _torch(self, value: Any, path: str) -> Any:
        import torch  # it is of torch

        if isinstance(value, torch.Tensor) and type(value) in {torch.Tensor, torch.nn.Parameter}:
            return self.tensor(value, path)
        if isinstance(value, torch.Size):
            return {KIND: "size", "v": list(value)}
        if isinstance(value, torch.dtype | torch.device):
            return {KIND: "dtype" if isinstance(value, torch.dtype) else "device", "v": str(value)}
        return None

    def _numpy(self, value: Any, path: str) -> Any:
        import numpy as np  # it is of numpy

        if isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "biufc":
            data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            kind = "array" if isinstance(value, np.ndarray) else "scalar"
            order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
            return {KIND: kind, "dtype": value.dtype.str, "shape": list(value.shape), "v": data, "order": order}
        raise TypeError(f"`{path}` is an array of {getattr(value, 'dtype', None)}, which a checkpoint cannot hold")

    def items(self, values: Any, path: str) -> list[Any]:
        """What a container holds, in its order."""
        return [self.encode(item, f"{path}[{place}]") for place, item in enumerate(values)]

    def pairs(self, values: Mapping[Any, Any], path: str) -> list[Any]:
        """What a dictionary holds, in its order."""
        return [
            [self.encode(key, f"{path}.keys()"), self.encode(item, f"{path}[{key!r}]")] for key, item in values.items()
        ]


def _address(tensor: Any) -> int:
    """Where the memory of a tensor begins; 0 where it has none."""
    try:
        return int(tensor.untyped_storage().data_ptr())
    except (NotImplementedError, RuntimeError):
        return 0


def _set(encoder: Encoder, value: Any, path: str) -> Any:
    return {KIND: type(value).__name__, "v": encoder.items(sorted(value, key=repr), path)}


def _mapping(encoder: Encoder, value: Any, path: str) -> Any:
    found = {KIND: type(value).__name__, "v": encoder.pairs(value, path)}
    if isinstance(value, defaultdict):
        names = {factory: name for name, factory in _FACTORIES.items()}
        if value.default_factory not in names:
            raise TypeError(f"`{path}` is a defaultdict of a function, which a checkpoint cannot hold")
        found["factory"] = names[value.default_factory]
    return found


_WAYS: dict[type, Callable[[Encoder, Any, str], Any]] = {
    list: lambda encoder, value, path: encoder.items(value, path),
    tuple: lambda encoder, value, path: {KIND: "tuple", "v": encoder.items(value, path)},
    deque: lambda encoder, value, path: {KIND: "deque", "v": encoder.items(value, path), "most": value.maxlen},
    **dict.fromkeys((set, frozenset), _set),
    **dict.fromkeys((dict, OrderedDict, defaultdict, Counter), _mapping),
    bytes: lambda _, value, __: {KIND: "bytes", "v": base64.b64encode(value).decode()},
    bytearray: lambda _, value, __: {KIND: "bytearray", "v": base64.b64encode(value).decode()},
    complex: lambda _, value, __: {KIND: "complex", "v": repr(value)},
    range: lambda _, value, __: {KIND: "range", "v": [value.start, value.stop, value.step]},
    dt.timedelta: lambda _, value, __: {KIND: "timedelta", "v": [value.days, value.seconds, value.microseconds]},
    **dict.fromkeys(_DATES.values(), lambda _, value, __: {KIND: type(value).__name__, "v": value.isoformat()}),
}


class Decoder:
    """Builds values.

    Args:
        tensors: Those of the checkpoint.
    """

    def __init__(self, tensors: Mapping[str, Any]) -> None:
        self._tensors = tensors
        self._known: dict[str, Any] = {}

    def decode(self, data: Any) -> Any:
        """The value that `encode` took apart."""
        if isinstance(data, list):
            return [self.decode(item) for item in data]
        if not isinstance(data, dict):
            return data
        kind = data[KIND]
        if kind == "same":
            return self._known[data["v"]]
        found = self.tensor(data) if kind == "tensor" else _BUILT[kind](self, data)
        if "id" in data:
            self._known[data["id"]] = found
        return found

    def tensor(self, data: Mapping[str, Any]) -> Any:
        """A tensor on the device and with the strides that it had."""
        import torch  # there is a tensor

        found = self._tensors[data["v"]]
        found = torch.view_as_complex(found) if data.get("complex") else found
        device = torch.device(data["device"])
        if device.type != "meta":
            found = found.to(device)
        if data["strides"]:
            strided = torch.empty_strided(found.shape, data["strides"], dtype=found.dtype, device=found.device)
            found = strided.copy_(found)
        return found

    def pairs(self, data: Mapping[str, Any]) -> list[tuple[Any, Any]]:
        """What a dictionary held."""
        return [(self.decode(key), self.decode(item)) for key, item in data["v"]]


def _array(_: Decoder, data: Mapping[str, Any]) -> Any:
    import numpy as np  # it is of numpy

    found = np.frombuffer(base64.b64decode(data["v"]), dtype=data["dtype"]).reshape(data["shape"])
    return found.copy(order=data["order"]) if data[KIND] == "array" else found[()]


def _of_torch(_: Decoder, data: Mapping[str, Any]) -> Any:
    import torch  # it is of torch

    if data[KIND] == "size":
        return torch.Size(data["v"])
    return torch.device(data["v"]) if data[KIND] == "device" else getattr(torch, data["v"].removeprefix("torch."))


_BUILT: dict[str, Callable[[Decoder, Mapping[str, Any]], Any]] = {
    "float": lambda _, data: float(data["v"]),
    "list": lambda decoder, data: decoder.decode(data["v"]),
    "tuple": lambda decoder, data: tuple(decoder.decode(data["v"])),
    "deque": lambda decoder, data: deque(decoder.decode(data["v"]), data["most"]),
    "set": lambda decoder, data: set(decoder.decode(data["v"])),
    "frozenset": lambda decoder, data: frozenset(decoder.decode(data["v"])),
    "dict": lambda decoder, data: dict(decoder.pairs(data)),
    "OrderedDict": lambda decoder, data: OrderedDict(decoder.pairs(data)),
    "Counter": lambda decoder, data: Counter(dict(decoder.pairs(data))),
    "defaultdict": lambda decoder, data: defaultdict(_FACTORIES[data["factory"]], decoder.pairs(data)),
    "bytes": lambda _, data: base64.b64decode(data["v"]),
    "bytearray": lambda _, data: bytearray(base64.b64decode(data["v"])),
    "complex": lambda _, data: complex(data["v"]),
    "range": lambda _, data: range(*data["v"]),
    "timedelta": lambda _, data: dt.timedelta(*data["v"]),
    "path": lambda _, data: Path(data["v"]),
    "generator": lambda decoder, data: GeneratorState(decoder.decode(data["v"])),
    "stateful": lambda decoder, data: Stateful(decoder.decode(data["v"])),
    "object": lambda decoder, data: Fields(decoder.decode(data["v"])),
    **dict.fromkeys(_DATES, lambda _, data: _DATES[data[KIND]].fromisoformat(data["v"])),
    **dict.fromkeys(("array", "scalar"), _array),
    **dict.fromkeys(("size", "dtype", "device"), _of_torch),
}
