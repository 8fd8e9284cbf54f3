"""What a step's kernel is told: a value that the executor writes into the step notebook as a Python literal."""

from __future__ import annotations

import pprint
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
"""The file that a kernel runs first; it needs no nb2pipe in the kernel's environment."""

_WIDTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSpec:
    """A group of variables in the store.

    Attributes:
        names: All that it holds.
        digest: The store's artifact.
        take: Those of the names that the step takes; the others are kept aside, out of the user's sight.
    """

    names: tuple[str, ...]
    digest: str
    take: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """What a step's kernel is told.

    Attributes:
        step: The step's name.
        folder: The working directory that the step begins in, absolute.
        store: The store's folder, absolute.
        result: The file that the kernel writes its results to, absolute.
        seed: The initial random state.
        inputs: The groups to load.
        outputs: The names that the step is to leave in the store.
        required: Those of the outputs that have to be storable.
        state: Hidden state that earlier steps left: digest in the store by kind.
        metrics: The names whose numbers are metrics, by the position of their cell.
        patched: Places in libraries that the step sets, by their dotted names.
        series: The folder for what is recorded of its training, absolute; empty where nothing is.
        checkpoints: The folder for what its trainings save, absolute; empty where they save nothing.
        figures: The folder for its figures, absolute; empty where they are not kept.
        key: Digest of all that the step depends on, as far as it is known; a training goes on only where it is equal.
        continues: A training may go on from what another run with this key saved, and did not end.
        reads: The names that cells of the step read outside of loops over epochs, where it has such.
    """

    step: str
    folder: str
    store: str
    result: str
    seed: int
    inputs: tuple[GroupSpec, ...] = ()
    outputs: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    patched: tuple[str, ...] = ()
    series: str = ""
    checkpoints: str = ""
    figures: str = ""
    key: str = ""
    continues: bool = True
    reads: tuple[str, ...] = ()

    def literal(self) -> str:
        """The value as a Python literal that `read` understands.

        >>> spec = StepSpec(step="a", folder="/f", store="/s", result="/r", seed=3)
        >>> import ast
        >>> StepSpec.read(ast.literal_eval(spec.literal())) == spec
        True
        """
        return pprint.pformat(asdict(self), width=_WIDTH, sort_dicts=False)

    @classmethod
    def read(cls, data: dict[str, object]) -> StepSpec:
        """The value again, of what `literal` wrote."""
        groups = data["inputs"]
        assert isinstance(groups, tuple | list)
        known = {**data, "inputs": tuple(GroupSpec(**group) for group in groups)}
        return cls(**known)  # type: ignore[arg-type]  # only `literal` writes what is read here
