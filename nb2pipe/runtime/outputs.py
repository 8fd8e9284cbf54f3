"""What a step leaves in the store: its outputs, and every group of its inputs that it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.serializers.groups import UnstorableError, unstorable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nb2pipe.runtime.keeping import Keeper
    from nb2pipe.runtime.spec import GroupSpec, StepSpec
    from nb2pipe.serializers.groups import Group

    Loaded = Mapping[GroupSpec, Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Found:
    """What a step leaves.

    Attributes:
        groups: All groups that hold an output or were changed.
        unchanged: The variables in them whose own content is as it was loaded.
        unstorable: What could not be stored, one of each variable.
    """

    groups: tuple[Group, ...]
    unchanged: tuple[str, ...]
    unstorable: tuple[UnstorableError, ...]


def collect(spec: StepSpec, keeper: Keeper, loaded: Loaded) -> Found:
    """Stores what the step leaves.

    An output that the step did not bind is absent. Variables of a loaded group that the step does not take were kept
    aside; they go with the group, so that a model's new version brings its optimizer along.
    """
    values = _values(spec, keeper.namespace, loaded)
    groups, refused = _dump(values, keeper)
    stored = {(group.names, str(group.digest)) for group in groups}
    suspects = {source: objects for source, objects in loaded.items() if (source.names, source.digest) not in stored}
    changed, unchanged = _compare(suspects, values, keeper)
    outputs = set(spec.outputs)
    kept = tuple(
        group
        for group in groups
        if not outputs.isdisjoint(group.names) or any(not set(each.names).isdisjoint(group.names) for each in changed)
    )
    new = {name for group in kept for name in group.names}
    return Found(kept, tuple(sorted(unchanged & new)), refused)


def _values(spec: StepSpec, namespace: Mapping[str, object], loaded: Loaded) -> dict[str, object]:
    """The outputs that are bound, and the objects that the step was given.

    A name that the step took and bound again is passed on only where it is an output: else nobody asks for it.
    """
    given = {name: value for objects in loaded.values() for name, value in objects.items() if name not in spec.outputs}
    return given | {name: namespace[name] for name in spec.outputs if name in namespace}


def _compare(suspects: Loaded, values: Mapping[str, object], keeper: Keeper) -> tuple[set[GroupSpec], set[str]]:
    """Which of the groups were changed by what the step did, and which variables have the content that they had.

    The bytes in the store do not tell: an array that was a cutting of a larger one is written otherwise once it was
    loaded. So the groups are loaded once more, after all digests of what is there now: loading sets classes' states. To
    take digests of all inputs as they are first loaded would cost every step something.

    Args:
        suspects: The groups that would not be stored as they were.
        values: The variables as they are now.
        keeper: Loads, and takes digests.
    """
    now = {source: keeper.digest(dict(objects)) for source, objects in suspects.items()}
    contents = {name: keeper.digest(values[name]) for source in suspects for name in source.names if name in values}
    changed: set[GroupSpec] = set()
    unchanged: set[str] = set()
    for source, whole in now.items():
        before = keeper.load(source.names, source.digest)
        if whole is None or whole != keeper.digest(before):
            changed.add(source)
        unchanged |= {
            name
            for name, value in before.items()
            if contents.get(name) is not None and contents[name] == keeper.digest(value)
        }
    return changed, unchanged


def _dump(values: dict[str, object], keeper: Keeper) -> tuple[tuple[Group, ...], tuple[UnstorableError, ...]]:
    """The groups of all values that can be stored, and why the others cannot."""
    refused = list(unstorable(values, namespace=keeper.namespace))
    left = {name: value for name, value in values.items() if name not in {error.name for error in refused}}
    while True:
        try:
            return keeper.dump(left), tuple(refused)
        except UnstorableError as error:  # found only while it is written
            refused.append(error)
            if left.pop(error.name, None) is None:
                raise
