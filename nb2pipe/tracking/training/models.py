"""What torch trains: models, optimizers, schedulers and scalers, taken apart for a checkpoint and set again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.tracking.training.values import Decoder, Encoder

_PLAIN = (bool, int, float, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training changes, by name.

    Attributes:
        models: Modules of torch.
        stepping: Optimizers, schedulers and scalers: what has `state_dict` and `load_state_dict`.
    """

    models: Mapping[str, Any]
    stepping: Mapping[str, Any]

    def structure(self) -> list[Any]:
        """What two trainings have in common that can go on from each other's checkpoints, as JSON."""
        found: list[Any] = []
        for name, model in self.models.items():
            rows = [(path, list(one.shape), str(one.dtype)) for path, one in _tensors(model) if not _is_lazy(one)]
            found.append([name, type(model).__qualname__, rows])
        for name, one in self.stepping.items():
            groups = getattr(one, "param_groups", [])
            found.append([name, type(one).__qualname__, [len(group["params"]) for group in groups]])
        return found

    def encode(self, encoder: Encoder, *, gradients: bool) -> dict[str, Any]:
        """All of it as JSON and tensors.

        Args:
            encoder: Takes the tensors.
            gradients: Those of the parameters count too.

        Raises:
            TypeError: Something does not fit into a checkpoint.
        """
        models = {name: _model(encoder, name, one, gradients=gradients) for name, one in self.models.items()}
        stepping = {name: encoder.encode(one.state_dict(), name) for name, one in self.stepping.items()}
        return {"models": models, "stepping": stepping}

    def restore(self, decoder: Decoder, data: Mapping[str, Any]) -> None:
        """Sets all of it, in the objects that there are."""
        for name, model in self.models.items():
            _restore_model(decoder, model, data["models"][name])
        for name, one in self.stepping.items():
            state = decoder.decode(data["stepping"][name])
            one.load_state_dict(state)
            if hasattr(one, "param_groups"):
                _as_saved(one, state)


def trained(model: Any, optimizer: Any, scheduler: Any, scaler: Any) -> Trained:
    """What was given to `track.training`, by name.

    Raises:
        TypeError: Something given is of no use.
    """
    models = dict(_named("model", model))
    for name, one in models.items():
        if not callable(getattr(one, "named_parameters", None)):
            raise TypeError(f"`{name}` has to be a module of torch, or several in a list or dictionary, not {one!r}")
    stepping = {
        **dict(_named("optimizer", optimizer)),
        **dict(_named("scheduler", scheduler)),
        **dict(_named("scaler", scaler)),
    }
    for name, one in stepping.items():
        if not callable(getattr(one, "state_dict", None)) or not callable(getattr(one, "load_state_dict", None)):
            raise TypeError(f"`{name}` has to have `state_dict` and `load_state_dict`, as torch's have, not {one!r}")
    return Trained(models=models, stepping=stepping)


def _named(name: str, given: Any) -> Iterator[tuple[str, Any]]:
    if given is None:
        return
    if isinstance(given, list | tuple):
        yield from ((f"{name}.{place}", one) for place, one in enumerate(given))
    elif isinstance(given, dict):
        yield from ((f"{name}.{key}", one) for key, one in given.items())
    else:
        yield name, given


def _tensors(model: Any) -> Iterator[tuple[str, Any]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _is_lazy(tensor: Any) -> bool:
    return hasattr(tensor, "materialize")


def _model(encoder: Encoder, name: str, model: Any, *, gradients: bool) -> dict[str, Any]:
    tensors, grads = {}, {}
    for path, one in _tensors(model):
        if _is_lazy(one):
            continue
        tensors[path] = encoder.tensor(one, f"{name}.{path}")
        if gradients and one.grad is not None:
            grads[path] = encoder.tensor(one.grad, f"gradient.{name}.{path}")
    return {
        "tensors": tensors,
        "gradients": grads if gradients else None,
        "frozen": [path for path, one in model.named_parameters() if not one.requires_grad],
        "fields": {path: _fields(one) for path, one in model.named_modules() if _fields(one)},
        "extra": {
            path: encoder.encode(one.get_extra_state(), f"{name}.{path}")
            for path, one in model.named_modules()
            if _has_extra(one)
        },
    }


def _fields(module: Any) -> dict[str, Any]:
    """Numbers and texts of a module, such as `training`, or the rate of a dropout."""
    return {name: one for name, one in vars(module).items() if type(one) in _PLAIN}


def _has_extra(module: Any) -> bool:
    return any(
        "get_extra_state" in vars(kind) for kind in type(module).__mro__ if kind.__module__ != "torch.nn.modules.module"
    )


def _restore_model(decoder: Decoder, model: Any, data: Mapping[str, Any]) -> None:
    import torch  # there is a module of it

    there = dict(_tensors(model))
    with torch.no_grad():
        for path, saved in data["tensors"].items():
            _set(there[path], decoder.tensor(saved))
    frozen = set(data["frozen"])
    for path, one in model.named_parameters():
        one.requires_grad_(path not in frozen)
        if data["gradients"] is not None:
            saved = data["gradients"].get(path)
            one.grad = decoder.tensor(saved) if saved is not None else None
    modules = dict(model.named_modules())
    for path, fields in data["fields"].items():
        modules[path].__dict__.update(fields)
    for path, saved in data["extra"].items():
        modules[path].set_extra_state(decoder.decode(saved))


def _set(old: Any, new: Any) -> None:
    if _is_lazy(old):
        old.materialize(new.shape, device=new.device, dtype=new.dtype)
    if old.shape == new.shape and old.dtype == new.dtype:
        old.copy_(new)
    else:
        old.data = new


def _as_saved(optimizer: Any, state: Mapping[str, Any]) -> None:
    """Sets those tensors of an optimizer again that `load_state_dict` gave another type, or other strides."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    for place, saved in state["state"].items():
        if not isinstance(saved, dict) or not isinstance(place, int) or place >= len(parameters):
            continue
        now = optimizer.state[parameters[place]]
        for name, one in saved.items():
            if hasattr(one, "dtype") and (now[name].dtype != one.dtype or now[name].stride() != one.stride()):
                now[name] = one
