"""All that is saved of a training: what torch trains, `state`, and what draws; taken apart, and set again."""

from __future__ import annotations

import platform
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.digest import Digest
from nb2pipe.records.process import this_process
from nb2pipe.tracking.training.carried import Carried
from nb2pipe.tracking.training.draws import Draws, find_draws
from nb2pipe.tracking.training.placing import Placing
from nb2pipe.tracking.training.values import Decoder, Encoder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.tracking.training.loop import Training
    from nb2pipe.tracking.training.models import Trained
    from nb2pipe.tracking.training.scopes import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where a training is when it is saved.

    Attributes:
        place: Position among the epochs, and batches that are done in that epoch.
        epoch: The number of the epoch that was trained last.
        steps: Batches that were trained on.
        metrics: What was logged in the epoch.
        snapshots: What the generators were, by where: as the epoch began, and as its pass over the loader began.
        gradients: Those of the parameters count too.
        length: How many batches the pass has, where the moment is in the middle of one.
    """

    place: tuple[int, int]
    epoch: int
    steps: int
    metrics: Mapping[str, float]
    snapshots: Mapping[str, Any]
    gradients: bool
    length: int | None = None


class Subject:
    """What one pass through the epochs trains.

    Args:
        training: As it was given.
        trained: What of it is of torch, with what belongs to it.
        scope: The code of the loop.
    """

    def __init__(self, training: Training, trained: Trained, scope: Scope) -> None:
        self._training = training
        self._trained = trained
        self._scope = scope
        self._lazy = trained.lazy()
        self._draws = find_draws({**scope.variables, "training.state": training.state})

    @property
    def draws(self) -> Draws:
        """What draws."""
        return self._draws

    @property
    def structure(self) -> str:
        """What it has in common with what can take its content, as it is now."""
        return str(Digest.of("structure", [self._trained.structure(self._lazy), sorted(self._training.state)]))

    def carried(self, outputs: Iterable[str]) -> Carried:
        """What the loop hands on; `outputs` are names that are read elsewhere after it."""
        return Carried(self._training, self._trained, self._scope, outputs)

    def encode(self, moment: Moment) -> tuple[Encoder, dict[str, Any]]:
        """All of it as JSON, and the encoder that has the tensors.

        Raises:
            TypeError: Something does not fit into a checkpoint.
        """
        encoder = Encoder(self._scope.variables, self._known())
        trained = self._trained.encode(encoder, gradients=moment.gradients)
        encoder.close()
        states = {"now": self._draws.read(), **moment.snapshots}
        return encoder, {
            "trained": trained,
            "state": encoder.encode(dict(self._training.state), "state"),
            "draws": {where: encoder.encode(one, f"draws.{where}") for where, one in states.items()},
        }

    def put(self, data: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Gives all objects the content that they had; the generators are left as they are."""
        decoder = Decoder(tensors, self._scope.variables, self._known())
        self._trained.restore(decoder, data["trained"])
        new = decoder.decode(data["state"])
        state, placing = self._training.state, Placing()
        for name in state.keys() - new.keys():
            del state[name]
        for name, value in new.items():
            state[name] = placing.put(state.get(name), value)

    def _known(self) -> dict[str, Any]:
        return {**self._trained.objects, "training": self._training}


def decode_draws(data: Mapping[str, Any], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The states of the generators in a checkpoint, by where they were that."""
    return {where: Decoder(tensors).decode(states) for where, states in data["draws"].items()}


def process() -> dict[str, Any]:
    """What tells this process from any other, as JSON."""
    return asdict(this_process())


def versions() -> list[str]:
    """What a checkpoint has to have in common with what goes on from it."""
    torch = sys.modules.get("torch")
    return [platform.python_version(), str(getattr(torch, "__version__", ""))]
