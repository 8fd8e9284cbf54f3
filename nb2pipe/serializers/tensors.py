"""torch: tensors as views of storages, storages as views of memory, gradients and attributes kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from nb2pipe.errors import StoreError
from nb2pipe.serializers.arrays import significant
from nb2pipe.serializers.protocol import by_protocol
from nb2pipe.serializers.shapes import NOTHING, Extent, Made, Offset, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.serializers.rules import Context, Rule
    from nb2pipe.serializers.shapes import Shape

Tensor = Any
Storage = Any
Geometry = tuple[int, tuple[int, ...], tuple[int, ...]]
"""Offset in the storage, size and strides, all counted in elements."""

_IMMUTABLE: Final = frozenset({"dtype", "device", "Size", "layout", "memory_format", "qscheme"})
_LIMITS: Final = frozenset({"finfo", "iinfo"})
_DETACH: Final = "pass `.detach()` of it on, or its number with `.item()`"


def rule(kind: type) -> Rule | None:
    """The rule for a type of torch's, or one that derives from it."""
    import torch  # it is there, since the type is

    if issubclass(kind, torch.Tensor):
        own = kind.__reduce_ex__ in (torch.Tensor.__reduce_ex__, torch.nn.Parameter.__reduce_ex__)
        return _tensor if own else None
    if issubclass(kind, torch.UntypedStorage):
        return _storage
    if issubclass(kind, torch.TypedStorage):
        return _typed_storage
    if issubclass(kind, torch.optim.Optimizer):
        return _optimizer
    if kind.__module__ == "torch" and kind.__name__ in _LIMITS:
        return _limits
    return _immutable if kind.__module__ == "torch" and kind.__name__ in _IMMUTABLE else None


def _immutable(value: object, context: Context) -> Shape:
    shape = by_protocol(value, context)
    if isinstance(shape, Made):
        shape.ties = False
    return shape


def _limits(value: object, _context: Context) -> Shape:
    import torch  # as above

    limits: Any = value
    return Made(type(limits), (getattr(torch, limits.dtype),), ties=False)


def _tensor(value: object, context: Context) -> Shape:
    import torch  # as above

    tensor: Tensor = value
    if tensor.grad_fn is not None:
        return Refused("it is a tensor with a computation graph (`grad_fn`), which ends with its step", _DETACH)
    if tensor._backward_hooks:  # noqa: SLF001 # it has no public name
        return Refused("it is a tensor with hooks", "register the hooks in the step that calls `backward()`")
    if tensor.layout is torch.sparse_coo:
        return _sparse(tensor)
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta or tensor.is_nested:
        return by_protocol(value, context)
    return _strided(tensor, context)


def _strided(tensor: Tensor, context: Context) -> Made:
    bare = tensor.detach()
    flags = (bare.is_conj(), bare.is_neg(), tensor.requires_grad)
    storage = _one_storage(bare.untyped_storage(), context)
    geometry = (bare.storage_offset(), tuple(bare.size()), tuple(bare.stride()))
    args = (type(tensor), storage, tensor.dtype, geometry, flags)
    state = (tensor.grad, dict(vars(tensor)) or None)
    return Made(
        make_tensor,
        args,
        state=state if any(part is not None for part in state) else NOTHING,
        setter=set_tensor,
        identity=lambda: (
            "tensor",
            type(tensor),
            *_place(storage, context, geometry[0] * tensor.element_size()),
            str(storage.device),
            tensor.dtype,
            geometry[1],
            _significant(geometry),
            *flags,
            content(bare),
            *state,
        ),
        labels=((".grad", tensor.grad),) if tensor.grad is not None else (),
    )


def _significant(geometry: Geometry) -> tuple[int, ...]:
    return significant(geometry[1], geometry[2])


def _one_storage(storage: Storage, context: Context) -> Storage:
    """The one object that stands for a storage: torch makes a new one at each call."""
    return context.kept.setdefault(("storage", storage._cdata), storage)  # noqa: SLF001 # it has no public name


def make_tensor(kind: type, storage: Storage, dtype: Tensor, geometry: Geometry, flags: tuple[bool, ...]) -> Tensor:
    """A tensor on a storage."""
    import torch  # as above

    bare = torch.empty(0, dtype=dtype, device=storage.device).set_(storage, *geometry)
    conjugate, negative, requires_grad = flags
    if conjugate:
        bare = torch._conj(bare)  # noqa: SLF001 # there is no public way to set the bit alone
    if negative:
        bare = torch._neg_view(bare)  # noqa: SLF001 # as above
    if kind is torch.Tensor:
        return bare.requires_grad_(requires_grad)
    return torch.Tensor._make_subclass(kind, bare, requires_grad)  # noqa: SLF001 # as torch's own unpickling


def set_tensor(tensor: Tensor, state: tuple[Tensor | None, dict[str, object] | None]) -> None:
    """Gives a tensor its gradient and attributes."""
    gradient, attributes = state
    if gradient is not None:
        tensor.grad = gradient
    if attributes:
        tensor.__dict__.update(attributes)


def content(tensor: Tensor) -> bytes:
    """The SHA-256 of a tensor's elements in C order, bit by bit."""
    import hashlib  # noqa: PLC0415 # only digests want it

    if not tensor.numel():
        return b""
    whole = tensor.resolve_conj().resolve_neg().cpu().contiguous()
    size = whole.numel() * whole.element_size()
    return hashlib.sha256(memory_of(whole.data_ptr(), size)).digest()


def memory_of(address: int, size: int) -> memoryview:
    """Bytes in main memory."""
    import ctypes  # noqa: PLC0415 # as above

    return memoryview((ctypes.c_char * size).from_address(address)).cast("B")


# Storages


def _storage(value: object, context: Context) -> Shape:
    storage: Storage = value
    own = _one_storage(storage, context)
    if own is not storage:
        return Made(_same, (own,), ties=False, identity=lambda: ("storage", own))
    if storage.device.type == "meta":
        return Refused("it is memory on the device `meta`, which holds nothing", "make it in the step that uses it")
    place, device = _place(storage, context), str(storage.device)
    return Made(
        make_storage,
        (*place, storage.nbytes(), device),
        identity=lambda: ("storage", *place, device, _storage_content(storage)),
    )


def _place(storage: Storage, context: Context, plus: int = 0) -> tuple[Extent | None, Offset | int]:
    """A storage's memory, and how far into it; the same extent at each call."""
    if not storage.nbytes():
        return None, 0
    key = ("extent", storage._cdata)  # noqa: SLF001 # as above
    if key not in context.kept:
        device = "" if storage.device.type == "cpu" else str(storage.device)
        fetch = _fetch(storage) if device else None
        context.kept[key] = Extent(storage.data_ptr(), storage.nbytes(), storage, device=device, fetch=fetch)
    extent = cast("Extent", context.kept[key])
    return extent, Offset(extent, plus)


def _storage_content(storage: Storage) -> bytes:
    import hashlib  # noqa: PLC0415 # only digests want it

    copy = storage.cpu()
    return hashlib.sha256(memory_of(copy.data_ptr(), copy.nbytes())).digest() if copy.nbytes() else b""


def _fetch(storage: Storage) -> Callable[[], memoryview]:
    def fetch() -> memoryview:
        copy = storage.cpu()
        held = memory_of(copy.data_ptr(), copy.nbytes())
        return memoryview(bytes(held))

    return fetch


def _same(value: Storage) -> Storage:
    return value


def make_storage(buffer: Any, offset: int, size: int, device: str) -> Storage:
    """A storage on memory; one that has its memory for itself owns it, if that is small.

    Raises:
        StoreError: Its device is not here.
    """
    import torch  # as above

    if buffer is None:
        return torch.UntypedStorage(0, device=device)
    if isinstance(buffer, bytes):
        buffer, copied = bytearray(buffer), True
    else:
        copied = False
    if hasattr(buffer, "dtype"):
        buffer = buffer.reshape(-1).view("u1")  # an array that the tensors look at; not each type of element is known
    memory = torch.frombuffer(buffer, dtype=torch.uint8, count=size, offset=offset)
    if device != "cpu":
        return _on_device(memory, device)
    return (
        (memory.clone() if copied else memory).untyped_storage() if not offset else _part(memory, buffer, offset, size)
    )


def _part(_memory: Tensor, buffer: Any, offset: int, size: int) -> Storage:
    import torch  # as above

    window = memoryview(buffer)[offset : offset + size]
    return torch.frombuffer(window, dtype=torch.uint8).untyped_storage()


def _on_device(memory: Tensor, device: str) -> Storage:
    try:
        return memory.to(device).untyped_storage()
    except (RuntimeError, AssertionError) as cause:
        message = f"a tensor was made on the device `{device}`, which is not here"
        raise StoreError(message, hint="run on a machine that has it, or pass `.cpu()` of it on") from cause


def _typed_storage(value: object, context: Context) -> Shape:
    typed: Storage = value
    return Made(make_typed_storage, (_one_storage(typed._untyped_storage, context), typed.dtype))  # noqa: SLF001 # it has no public name


def make_typed_storage(storage: Storage, dtype: Tensor) -> Storage:
    """A storage that knows the type of its elements."""
    import torch  # as above

    return torch.TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


# Sparse tensors


def _sparse(tensor: Tensor) -> Made:
    bare = tensor.detach()
    parts = (bare._indices(), bare._values())  # noqa: SLF001 # the public ones want a coalesced tensor
    args = (type(tensor), *parts, tuple(bare.size()), (bare.is_coalesced(), tensor.requires_grad))
    state = (tensor.grad, dict(vars(tensor)) or None)
    return Made(make_sparse, args, state=state, setter=set_tensor)


def make_sparse(kind: type, indices: Tensor, values: Tensor, size: tuple[int, ...], flags: tuple[bool, bool]) -> Tensor:
    """A sparse tensor."""
    import torch  # as above

    coalesced, requires_grad = flags
    bare = torch.sparse_coo_tensor(indices, values, size, is_coalesced=coalesced, check_invariants=False)
    if kind is torch.Tensor:
        return bare.requires_grad_(requires_grad)
    return torch.Tensor._make_subclass(kind, bare, requires_grad)  # noqa: SLF001 # as above


# Optimizers


def _optimizer(value: object, context: Context) -> Shape:
    """All of its attributes; torch's own `__getstate__` keeps three, and a scheduler puts a wrapper around `step`."""
    import torch  # as above

    optimizer: Any = value
    if type(optimizer).__getstate__ is not torch.optim.Optimizer.__getstate__:
        return by_protocol(value, context)
    state = dict(vars(optimizer))
    step = state.get("step")
    scheduled = hasattr(step, "_wrapped_by_lr_sched")
    if scheduled:
        del state["step"]
    return Made(make_optimizer, (type(optimizer),), state=(state, scheduled), setter=set_optimizer)


def make_optimizer(kind: type) -> Any:
    """An optimizer without its state."""
    return cast("Any", kind).__new__(kind)


def set_optimizer(optimizer: Any, state: tuple[dict[str, object], bool]) -> None:
    """Gives an optimizer its attributes, and the wrapper that tells schedulers of its steps."""
    attributes, scheduled = state
    optimizer.__setstate__(attributes)
    if scheduled:
        _watch_steps(optimizer)


def _watch_steps(optimizer: Any) -> None:
    import weakref  # noqa: PLC0415 # only these want it
    from functools import wraps  # noqa: PLC0415 # as above

    function = optimizer.step.__func__
    reference = weakref.ref(optimizer)

    @wraps(function)
    def step(*args: object, **keywords: object) -> object:
        own = reference()
        own._opt_called = True  # type: ignore[union-attr] # noqa: SLF001 # it lives while it is called; schedulers look at this
        return function.__get__(own, type(own))(*args, **keywords)

    cast("Any", step)._wrapped_by_lr_sched = True  # noqa: SLF001 # as above
    optimizer.step = step
