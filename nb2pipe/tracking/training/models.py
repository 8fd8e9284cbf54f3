"""What torch trains: models, optimizers, schedulers and scalers, taken apart for a checkpoint and set again."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nb2pipe.tracking.training.modules import encode_module, is_lazy, is_module, restore_module, tensors_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nb2pipe.tracking.training.values import Decoder, Encoder

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a training changes, by name.

    Attributes:
        models: Modules of torch.
        stepping: Optimizers, schedulers and scalers: what has `state_dict` and `load_state_dict`.
    """

    models: Mapping[str, Any]
    stepping: Mapping[str, Any]

    @property
    def objects(self) -> dict[str, Any]:
        """All of it, by name."""
        return {**self.models, **self.stepping}

    def lazy(self) -> frozenset[tuple[str, str]]:
        """What gets its shape only with the first batch: models and paths in them."""
        return frozenset(
            (name, path)
            for name, model in self.models.items()
            for path, one in (*model.named_parameters(), *model.named_buffers())
            if is_lazy(one)
        )

    def structure(self, lazy: Collection[tuple[str, str]]) -> list[Any]:
        """What two trainings have in common that can go on from each other's checkpoints, as JSON.

        Args:
            lazy: What had no shape yet as they began.
        """
        found: list[Any] = []
        for name, model in self.models.items():
            known = ((path, one) for path, one in tensors_of(model) if (name, path) not in lazy)
            rows = [(path, list(one.shape), str(one.dtype)) for path, one in known]
            found.append([name, type(model).__qualname__, rows])
        for name, one in self.stepping.items():
            groups = getattr(one, "param_groups", [])
            found.append([name, type(one).__qualname__, [len(group["params"]) for group in groups]])
        return found

    def settings(self) -> list[Any]:
        """How models and optimizers were made, as JSON, as far as training does not change it."""
        made = [[name, _ADDRESS.sub("", repr(model))] for name, model in self.models.items()]
        defaults = [
            [name, sorted((key, repr(value)) for key, value in getattr(one, "defaults", {}).items())]
            for name, one in self.stepping.items()
        ]
        return [made, defaults]

    def with_owners(self, variables: Mapping[str, Any]) -> Trained:
        """With the modules among some variables whose parameters an optimizer trains, though nobody named them."""
        loose = {id(one) for one in self._loose().values()}
        known = {id(one) for one in self.models.values()}
        owners = {
            f"model {name}": one
            for name, one in variables.items()
            if is_module(one) and id(one) not in known and any(id(each) in loose for each in one.parameters())
        }
        return replace(self, models={**self.models, **owners}) if owners else self

    def _loose(self) -> dict[str, Any]:
        """The parameters that an optimizer trains and that belong to no model, by name."""
        known = {id(one) for model in self.models.values() for one in model.parameters()}
        return {
            f"{name}.{place}.{number}": one
            for name, each in self.stepping.items()
            for place, group in enumerate(getattr(each, "param_groups", ()))
            for number, one in enumerate(group["params"])
            if id(one) not in known
        }

    def encode(self, encoder: Encoder, *, gradients: bool) -> dict[str, Any]:
        """All of it as JSON and tensors.

        Args:
            encoder: Takes the tensors.
            gradients: Those of the parameters count too.

        Raises:
            TypeError: Something does not fit into a checkpoint.
        """
        models = {name: encode_module(encoder, name, one, gradients=gradients) for name, one in self.models.items()}
        loose = {name: encoder.tensor(one, name) for name, one in self._loose().items()}
        stepping = {name: encoder.encode(one.state_dict(), name) for name, one in self.stepping.items()}
        return {"models": models, "loose": loose, "stepping": stepping}

    def restore(self, decoder: Decoder, data: Mapping[str, Any]) -> None:
        """Sets all of it, in the objects that there are."""
        import torch  # it is trained with

        for name, model in self.models.items():
            restore_module(decoder, model, data["models"][name])
        with torch.no_grad():
            for name, one in self._loose().items():
                one.copy_(decoder.tensor(data["loose"][name]))
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
