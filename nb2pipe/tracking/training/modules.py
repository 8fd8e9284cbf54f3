"""What a module of torch holds, taken apart for a checkpoint and set again.

These are its parameters and buffers, also those that `state_dict` leaves out, and what its own code put into it:
numbers, tensors that are no buffers, lists.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.placing import Placing
from nb2pipe.tracking.training.restored import is_authors_class

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.tracking.training.values import Decoder, Encoder

_PLAIN = (bool, int, float, str)


def is_module(value: object) -> bool:
    """Whether it is a module of torch.

    >>> is_module(3)
    False
    """
    torch = sys.modules.get("torch.nn")
    return torch is not None and isinstance(value, torch.Module)


def tensors_of(module: Any) -> Iterator[tuple[str, Any]]:
    """The parameters and buffers of a module, by their paths; those that have no shape yet are left out."""
    for found in (module.named_parameters(), module.named_buffers()):
        yield from ((path, one) for path, one in found if not is_lazy(one))


def is_lazy(tensor: Any) -> bool:
    """Whether it gets its shape only with the first batch."""
    return hasattr(tensor, "materialize")


def encode_module(encoder: Encoder, name: str, module: Any, *, gradients: bool) -> dict[str, Any]:
    """What a module holds, as JSON and tensors.

    Args:
        encoder: Takes the tensors.
        name: The module's, for people.
        module: Not changed.
        gradients: Those of the parameters count too.

    Raises:
        TypeError: Something of it does not fit into a checkpoint.
    """
    tensors, grads = {}, {}
    for path, one in tensors_of(module):
        tensors[path] = encoder.tensor(one, f"{name}.{path}")
        if gradients and one.grad is not None:
            grads[path] = encoder.tensor(one.grad, f"gradient.{name}.{path}")
    return {
        "tensors": tensors,
        "gradients": grads if gradients else None,
        "frozen": [path for path, one in module.named_parameters() if not one.requires_grad],
        "fields": {
            path: fields
            for path, one in module.named_modules()
            if (fields := dict(_fields(encoder, one, f"{name}.{path}")))
        },
        "extra": {
            path: encoder.encode(one.get_extra_state(), f"{name}.{path}")
            for path, one in module.named_modules()
            if _has_extra(one)
        },
    }


def restore_module(decoder: Decoder, module: Any, data: Mapping[str, Any]) -> None:
    """Sets what `encode_module` took apart, in the objects that there are."""
    import torch  # there is a module of it

    there = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    with torch.no_grad():
        for path, saved in data["tensors"].items():
            _set(there[path], decoder.tensor(saved))
    frozen = set(data["frozen"])
    for path, one in module.named_parameters():
        one.requires_grad_(path not in frozen)
        if data["gradients"] is not None:
            saved = data["gradients"].get(path)
            one.grad = decoder.tensor(saved) if saved is not None else None
    modules: dict[str, Any] = dict(module.named_modules())
    placing = Placing()
    for path, fields in data["fields"].items():
        mine = vars(modules[path])
        mine.update({name: placing.put(mine.get(name), decoder.decode(one)) for name, one in fields.items()})
    for path, saved in data["extra"].items():
        modules[path].set_extra_state(decoder.decode(saved))


def _fields(encoder: Encoder, module: Any, name: str) -> Iterator[tuple[str, Any]]:
    """What a module holds beside its tensors: of a class of the author's all of it, else numbers and texts."""
    authors = is_authors_class(type(module))
    for key, value in list(vars(module).items()):
        if type(value) in _PLAIN:
            yield key, encoder.encode(value, f"{name}.{key}")
        elif authors and not key.startswith("_") and value is not None:
            told = encoder.attempt(value, f"{name}.{key}")
            if told != {"$": "kept"}:
                yield key, told


def _has_extra(module: Any) -> bool:
    return any(
        "get_extra_state" in vars(kind) for kind in type(module).__mro__ if kind.__module__ != "torch.nn.modules.module"
    )


def _set(old: Any, new: Any) -> None:
    if is_lazy(old):
        old.materialize(new.shape, device=new.device, dtype=new.dtype)
    if old.shape == new.shape and old.dtype == new.dtype:
        old.copy_(new)
    else:
        old.data = new
