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
    kept = tuple(group for group in groups if _is_made(group, spec, keeper, loaded))
    return Found(kept, _unchanged(kept, values, keeper, loaded), refused)


def _values(spec: StepSpec, namespace: Mapping[str, object], loaded: Loaded) -> dict[str, object]:
    """The outputs that are bound, and the objects that the step was given.

    A name that the step took and bound again is passed on only where it is an output: else nobody asks for it.
    """
    given = {name: value for objects in loaded.values() for name, value in objects.items() if name not in spec.outputs}
    return given | {name: namespace[name] for name in spec.outputs if name in namespace}


def _is_made(group: Group, spec: StepSpec, keeper: Keeper, loaded: Loaded) -> bool:
    """Whether a group is to be passed on: it holds an output, or what the step was given and changed."""
    if not set(spec.outputs).isdisjoint(group.names):
        return True
    sources = [source for source in loaded if not set(source.names).isdisjoint(group.names)]
    if any((source.names, source.digest) == (group.names, str(group.digest)) for source in sources):
        return False
    return any(_is_changed(source, loaded[source], keeper) for source in sources)


def _is_changed(source: GroupSpec, objects: Mapping[str, object], keeper: Keeper) -> bool:
    """Whether the objects of a group are not as they were loaded; its names may have parted without that."""
    try:
        now = keeper.dump(objects)
    except UnstorableError:
        return True
    return [(group.names, str(group.digest)) for group in now] != [(source.names, source.digest)]


def _unchanged(
    groups: tuple[Group, ...], values: Mapping[str, object], keeper: Keeper, loaded: Loaded
) -> tuple[str, ...]:
    """The variables that are in a new group only because something else now refers to them, or no longer does.

    What was loaded is loaded once more: taking digests of all inputs at the start would cost every step something.
    """
    known = {(source.names, source.digest) for source in loaded}
    new = {name for group in groups if (group.names, str(group.digest)) not in known for name in group.names}
    sources = {source for source in loaded if not new.isdisjoint(source.names)}
    now = {name: keeper.digest(values[name]) for source in sources for name in source.names if name in new}
    before: dict[str, str | None] = {}
    for source in sources:
        again = keeper.load(source.names, source.digest)
        before |= {name: keeper.digest(value) for name, value in again.items() if name in now}
    return tuple(sorted(name for name, found in now.items() if found is not None and found == before.get(name)))


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
