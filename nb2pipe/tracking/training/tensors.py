"""The format safetensors, in which the tensors of a checkpoint lie in a file, beside a text of JSON.

A file is a header (its length in 8 bytes, then JSON with type, shape and place of each tensor), and then the bytes
(https://github.com/huggingface/safetensors#format). Nothing in it is executed when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from json import dumps, loads
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = "nb2pipe"
"""The name of our text in the header."""

_TYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "C64": "complex64",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_LENGTH = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where the parts of a file lie.

    Attributes:
        header: Its first bytes.
        places: Offset and length of the bytes of each tensor, from the beginning of the file.
        size: Of the whole file.
    """

    header: bytes
    places: Mapping[str, tuple[int, int]]
    size: int


def type_name(dtype: Any) -> str | None:
    """The format's name of a type of torch; None for one that it does not know."""
    known = {wanted: name for name, wanted in _TYPES.items()}
    return known.get(str(dtype).removeprefix("torch."))


def address_of(tensor: Any) -> int:
    """Where the memory of a tensor begins; 0 where it has none."""
    try:
        return int(tensor.untyped_storage().data_ptr())
    except (NotImplementedError, RuntimeError):
        return 0


def lay_out(tensors: Mapping[str, Any], text: str) -> Layout:
    """The layout of a file.

    Args:
        tensors: Of types that `type_name` knows; those with large elements come first, so that each lies aligned.
        text: What stands beside them.
    """
    entries: dict[str, Any] = {"__metadata__": {METADATA: text}}
    offset = 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), name)):
        tensor = tensors[name]
        size = tensor.numel() * tensor.element_size()
        entries[name] = {
            "dtype": type_name(tensor.dtype),
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    body = dumps(entries, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    body += b" " * (-len(body) % _LENGTH)
    begin = _LENGTH + len(body)
    places = {
        name: (begin + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0])
        for name, entry in entries.items()
        if name != "__metadata__"
    }
    return Layout(header=len(body).to_bytes(_LENGTH, "little") + body, places=places, size=begin + offset)


def fill(memory: Any, layout: Layout, tensors: Mapping[str, Any]) -> None:
    """Copies tensors into memory that holds a file.

    Args:
        memory: A writable buffer, of the file's size at least.
        layout: Of the file.
        tensors: On any device.
    """
    import torch  # only who trains gets here

    memory[: len(layout.header)] = layout.header
    whole = torch.frombuffer(memory, dtype=torch.uint8)
    with torch.no_grad():
        for name, (offset, size) in layout.places.items():
            if size:
                tensor = tensors[name].detach()
                whole[offset : offset + size].view(tensor.dtype).view(tensor.shape).copy_(tensor)


def read(data: bytes) -> tuple[dict[str, Any], str]:
    """The tensors of a file, on the processor, and the text beside them.

    Raises:
        ValueError: It is no such file, or not whole.
    """
    import torch  # only who trains gets here

    length = int.from_bytes(data[:_LENGTH], "little")
    if len(data) < _LENGTH + length:
        raise ValueError("the file is not whole")
    header = loads(data[_LENGTH : _LENGTH + length])
    memory = bytearray(data[_LENGTH + length :])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        dtype = getattr(torch, _TYPES[entry["dtype"]])
        if not 0 <= begin <= end <= len(memory):
            raise ValueError("the file is not whole")
        if begin == end:
            found[name] = torch.empty(entry["shape"], dtype=dtype)
            continue
        flat = torch.frombuffer(memory, dtype=torch.uint8, count=end - begin, offset=begin)
        found[name] = flat.clone().view(dtype).view(entry["shape"])
    return found, str(header.get("__metadata__", {}).get(METADATA, ""))
