"""Values of a checkpoint as JSON and tensors, and back into the objects that they were taken from.

There is no pickle in it: what is read builds numbers, texts, containers, arrays and tensors, and nothing else.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections import Counter, OrderedDict, defaultdict, deque
from enum import Enum, EnumMeta
from pathlib import Path, PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.modules import encode_module, is_module, restore_module
from nb2pipe.tracking.training.restored import (
    KEPT,
    Fields,
    GeneratorState,
    ModuleState,
    Stateful,
    class_name,
    find_class,
    is_authors,
    is_generator,
    read_generator,
)
from nb2pipe.tracking.training.tensors import address_of, type_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KIND = "$"
_PLAIN = frozenset({bool, int, str, type(None)})
_SMALL = 4096
"""Bytes of an array that stands in the text."""
_FACTORIES: dict[str, Any] = {"": None, "int": int, "float": float, "list": list, "dict": dict, "set": set, "str": str}
_DATES: dict[str, Any] = {kind.__name__: kind for kind in (dt.datetime, dt.date, dt.time)}


class Encoder:
    """Takes values apart.

    Args:
        classes: The variables of the training's code, among which its classes are.
        known: The names of objects that are not taken apart, since they are saved by themselves.

    Attributes:
        tensors: Those that were met, by name.
        taken: The names of tensors whose memory others may not share, by its address.
    """

    def __init__(self, classes: Mapping[str, Any] | None = None, known: Mapping[str, Any] | None = None) -> None:
        self.tensors: dict[str, Any] = {}
        self.taken: dict[int, str] = {}
        self._classes = classes or {}
        self._names: dict[int, tuple[str, Any]] = {id(one): (name, one) for name, one in (known or {}).items()}
        self._open: set[int] = set()

    def encode(self, value: Any, path: str) -> Any:
        """A value as JSON.

        Args:
            value: Not changed.
            path: How to name it to people.

        Raises:
            TypeError: It holds something that a checkpoint cannot hold; the message says where.
        """
        if type(value) in _PLAIN:
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

    def attempt(self, value: Any, path: str) -> Any:
        """As `encode`; what a checkpoint cannot hold is said to be left as it is."""
        tensors, names = dict(self.tensors), dict(self._names)
        try:
            return self.encode(value, path)
        except TypeError:
            self.tensors, self._names = tensors, names
            return {KIND: "kept"}

    def tensor(self, value: Any, name: str) -> dict[str, Any]:
        """A tensor, which is taken as it is now only when the checkpoint is filled.

        Raises:
            TypeError: The format does not know it.
        """
        import torch  # there is a tensor

        plain = torch.view_as_real(value.detach()) if value.dtype is torch.complex128 else value.detach()
        if value.layout is not torch.strided or value.is_quantized or type_name(plain.dtype) is None:
            raise TypeError(f"`{name}` is a tensor of {value.dtype}, {value.layout}, which a checkpoint cannot hold")
        self._add(plain, name)
        strides = [] if value.is_contiguous() else list(value.stride())
        kinds = {"complex": True} if plain is not value and plain.dim() > value.dim() else {}
        return {KIND: "tensor", "v": name, "strides": strides, "device": str(value.device), **kinds}

    def _add(self, plain: Any, name: str) -> None:
        owner = self.taken.get(address_of(plain))
        if owner is not None:
            raise TypeError(f"`{name}` shares its memory with `{owner}`, which a checkpoint cannot hold; `.clone()` it")
        self.tensors[name] = plain

    def close(self) -> None:
        """From now on no tensor may share its memory with those that were met so far."""
        self.taken = {address: name for name, one in self.tensors.items() if (address := address_of(one))}

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
            kind = type(value).__name__
            return {KIND: "generator", "of": kind, "v": self.encode(read_generator(value), f"{path}.state")}
        if isinstance(value, PurePath):
            return {KIND: "path", "v": str(value)}
        if is_module(value):
            return {KIND: "module", "v": encode_module(self, path, value, gradients=False)}
        if callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None)):
            return {KIND: "stateful", "v": self.encode(value.state_dict(), path)}
        found = self._authors(value, path)
        if found is not None:
            return found
        kind_ = type(value)
        raise TypeError(
            f"`{path}` is of the type {kind_.__module__}.{kind_.__qualname__}, which a checkpoint cannot hold; it "
            "holds numbers, texts, lists, dictionaries, sets, tensors, arrays, random generators, objects of your own "
            "classes, and what has `state_dict` and `load_state_dict`"
        )

    def _authors(self, value: Any, path: str) -> Any:
        """An object of a class of the author's; None where it is none, or only its own code can make another."""
        name = class_name(type(value))
        if isinstance(value, type) or find_class(name, self._classes) is None:
            return None
        if isinstance(value, Enum):
            return {KIND: "enum", "of": name, "v": value.name}
        if isinstance(value, tuple):
            return {KIND: "named", "of": name, "v": self.items(value, path)} if hasattr(value, "_fields") else None
        if not is_authors(value):
            return None
        fields = {key: self._field(one, f"{path}.{key}") for key, one in vars(value).items()}
        return {KIND: "object", "of": name, "v": fields}

    def _field(self, value: Any, path: str) -> Any:
        """What an object holds; loaders and functions are its own code's to make."""
        left = isinstance(value, type | FunctionType | MethodType | BuiltinFunctionType | ModuleType)
        if left or type(value).__module__.startswith("torch.utils.data"):
            return {KIND: "kept"}
        return self.encode(value, path)

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

        if not (isinstance(value, np.generic | np.ndarray) and value.dtype.kind in "biufc"):
            raise TypeError(f"`{path}` is an array of {getattr(value, 'dtype', None)}, which a checkpoint cannot hold")
        order = "F" if value.flags.f_contiguous and not value.flags.c_contiguous else "C"
        told = {"dtype": value.dtype.str, "shape": list(value.shape), "order": order}
        plain = np.ascontiguousarray(value)
        if value.nbytes > _SMALL and isinstance(value, np.ndarray):
            import torch  # a training has it

            flat = plain.reshape(-1).view(np.uint8)
            self._add(torch.from_numpy(flat if flat.flags.writeable else flat.copy()), path)
            return {KIND: "memory", "v": path, **told}
        kind = "array" if isinstance(value, np.ndarray) else "scalar"
        return {KIND: kind, "v": base64.b64encode(plain.tobytes()).decode(), **told}

    def items(self, values: Any, path: str) -> list[Any]:
        """What a container holds, in its order."""
        if _PLAIN.issuperset(map(type, values)):  # the states of generators are long
            return list(values)
        return [self.encode(item, f"{path}[{place}]") for place, item in enumerate(values)]

    def hashed(self, values: Any, path: str) -> list[Any]:
        """As `items`, of what a set or the keys of a dictionary are.

        Raises:
            TypeError: One is an object that is known by its identity.
        """
        found = self.items(values, path)
        for place, one in enumerate(found):
            if isinstance(one, dict) and one[KIND] in {"object", "generator", "stateful", "module", "same"}:
                raise TypeError(f"`{path}[{place}]` is an object in a set, or a key, which a checkpoint cannot hold")
        return found

    def pairs(self, values: Mapping[Any, Any], path: str) -> list[Any]:
        """What a dictionary holds, in its order."""
        keys = self.hashed(values, f"{path}.keys()")
        return [
            [key, self.encode(item, f"{path}[{name!r}]")]
            for key, (name, item) in zip(keys, values.items(), strict=True)
        ]


def _set(encoder: Encoder, value: Any, path: str) -> Any:
    return {KIND: type(value).__name__, "v": encoder.hashed(sorted(value, key=repr), path)}


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
        classes: As the encoder had them.
        known: The objects that the encoder did not take apart, by name.
    """

    def __init__(
        self,
        tensors: Mapping[str, Any],
        classes: Mapping[str, Any] | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> None:
        self._tensors = tensors
        self._classes = classes or {}
        self._known: dict[str, Any] = dict(known or {})

    def named(self, name: str) -> type | None:
        """The class of the author's of a name."""
        return find_class(name, self._classes)

    def memory(self, name: str) -> Any:
        """The bytes of an array, as NumPy has them."""
        return self._tensors[name].numpy()

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


def _memory(decoder: Decoder, data: Mapping[str, Any]) -> Any:
    found = decoder.memory(data["v"]).view(data["dtype"]).reshape(data["shape"])
    return found.copy(order=data["order"])


def _module(decoder: Decoder, data: Mapping[str, Any]) -> ModuleState:
    return ModuleState(lambda module: restore_module(decoder, module, data["v"]))


def _object(decoder: Decoder, data: Mapping[str, Any]) -> Fields:
    fields = {name: decoder.decode(one) for name, one in data["v"].items()}
    return Fields(fields, data["of"].partition(":")[2], decoder.named(data["of"]))


def _named(decoder: Decoder, data: Mapping[str, Any]) -> Any:
    kind: Any = decoder.named(data["of"])
    if data[KIND] == "enum" and isinstance(kind, EnumMeta):
        return kind[data["v"]]
    if data[KIND] == "named" and isinstance(kind, type) and issubclass(kind, tuple):
        return kind._make(decoder.decode(data["v"]))  # type: ignore[attr-defined]  # it has names
    raise ValueError(f"there is no class `{data['of']}`, of which a checkpoint holds a value")


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
    "generator": lambda decoder, data: GeneratorState(decoder.decode(data["v"]), data["of"]),
    "kept": lambda _, __: KEPT,
    "memory": _memory,
    "module": _module,
    "stateful": lambda decoder, data: Stateful(decoder.decode(data["v"])),
    "object": _object,
    **dict.fromkeys(("enum", "named"), _named),
    **dict.fromkeys(_DATES, lambda _, data: _DATES[data[KIND]].fromisoformat(data["v"])),
    **dict.fromkeys(("array", "scalar"), _array),
    **dict.fromkeys(("size", "dtype", "device"), _of_torch),
}
