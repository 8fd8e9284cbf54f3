"""The groups of tasks of a pipeline, and what passes their borders: each group is a component of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.targets.kfp.model import GATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.targets.kfp.model import Channel, Component
    from nb2pipe.targets.kfp.settings import Definition

EXIT = "exit-handler-1"
"""The group of all tasks, where something runs when they have ended."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Wire:
    """What reaches a task.

    Attributes:
        task: The task that it comes from; empty for a parameter of the pipeline.
        output: Its name there.
        kind: The class of artifacts; empty for what is none.
    """

    task: str
    output: str
    kind: str = ""

    @classmethod
    def of(cls, channel: Channel) -> Wire:
        """The wire of an artifact."""
        return cls(task=channel.task, output=channel.output, kind=channel.kind)

    @property
    def is_gate(self) -> bool:
        """Whether it is what a component returns."""
        return bool(self.task) and not self.kind

    @property
    def name(self) -> str:
        """What a group calls it that it passes into."""
        return f"pipelinechannel--{self.task}-{self.output}" if self.task else f"pipelinechannel--{self.output}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Tasks, and groups in the same group.

    Attributes:
        name: Empty for the pipeline itself.
        gate: The task whose gate has to hold; empty where none does.
        components: Those of its tasks.
        groups: Those in it.
    """

    name: str = ""
    gate: str = ""
    components: tuple[Component, ...] = ()
    groups: tuple[Group, ...] = ()

    @property
    def all_components(self) -> tuple[Component, ...]:
        """Those of all tasks in it, however deep."""
        return (*self.components, *(each for group in self.groups for each in group.all_components))

    @property
    def wires(self) -> frozenset[Wire]:
        """All that reaches tasks in it."""
        return frozenset(wire for each in self.all_components for wire in wires_of(each))

    @property
    def taken(self) -> tuple[Wire, ...]:
        """What passes into it, sorted."""
        own = {each.task for each in self.all_components}
        return tuple(sorted(wire for wire in self.wires if wire.task not in own))

    def reference(self, wire: Wire) -> dict[str, object]:
        """How something that is directly in the group names what reaches it."""
        if any(each.task == wire.task for each in self.components):
            if wire.is_gate:
                return {"taskOutputParameter": {"outputParameterKey": wire.output, "producerTask": wire.task}}
            return {"taskOutputArtifact": {"outputArtifactKey": wire.output, "producerTask": wire.task}}
        key = "componentInputArtifact" if wire.kind else "componentInputParameter"
        return {key: wire.name if self.name else wire.output}


def wires_of(component: Component) -> Iterator[Wire]:
    """All that reaches a task, what decides whether it runs included."""
    yield from (Wire(task="", output=one.name) for one in component.parameters)
    yield from map(Wire.of, component.inputs.values())
    yield from (Wire(task=gate, output=GATE) for gate in component.gates)


def groups_of(definition: Definition) -> Group:
    """The pipeline as a group, with KFP's names: it counts groups as the definition opens them."""
    counter = iter(range(1, 10**6))
    if definition.notice is None:
        return _group(definition, (), counter)
    next(counter)
    inner = _group(definition, (), counter)
    return Group(groups=(Group(name=EXIT, components=inner.components, groups=inner.groups),))


def _group(definition: Definition, path: tuple[str, ...], counter: Iterator[int]) -> Group:
    name = f"condition-{next(counter)}" if path else ""
    return Group(
        name=name,
        gate=path[-1] if path else "",
        components=tuple(each for each in definition.components if each.gates == path),
        groups=tuple(_group(definition, inner, counter) for inner in definition.groups_in(path)),
    )
