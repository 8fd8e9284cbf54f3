"""Which version of variables and hidden state a step takes: that of the last step above it that made one. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.serializers.groups import Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a step takes when it begins.

    Attributes:
        groups: In notebook order of the steps that made them: where two hold one name, the later one counts.
        variables: The maker and the group of each variable.
        state: The maker and the digest of each kind of hidden state.
    """

    groups: tuple[Group, ...] = ()
    variables: Mapping[str, tuple[str, Group]] = field(default_factory=dict)
    state: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A step above the one that takes.

    Attributes:
        name: The step.
        scope: The step that its notebook is nested in; empty for the notebook itself.
        outputs: The names that it binds or changes.
        groups: What it left; None where it has not ended, or nobody has what it left.
        state: The hidden state that it left.
    """

    name: str
    scope: str
    outputs: frozenset[str]
    groups: tuple[Group, ...] | None = None
    state: Mapping[str, str] = field(default_factory=dict)


def take_from(wanted: frozenset[str], scope: str, earlier: Iterable[Earlier]) -> Taken:
    """What a step takes, as far as the steps above it have ended.

    A name that nobody made, or that a step deleted, is left out: where the notebook uses a name that is not bound, its
    own code says so.

    Args:
        wanted: The names that the step takes.
        scope: The step that its notebook is nested in; empty for the notebook itself.
        earlier: The steps above it, in notebook order.
    """
    variables: dict[str, tuple[str, Group]] = {}
    state: dict[str, tuple[str, str]] = {}
    order: list[tuple[str, Group]] = []
    last: dict[str, str] = {}
    for each in earlier:
        last |= dict.fromkeys(each.outputs - wanted, each.name)
        for group in each.groups or ():
            order.append((each.name, group))
            last |= dict.fromkeys(group.names, each.name)
            variables |= dict.fromkeys(wanted & set(group.names), order[-1])
        for name in wanted & _deleted(each):
            variables.pop(name, None)
            last[name] = each.name
        state |= {kind: (each.name, digest) for kind, digest in _left(each, scope).items()}
    used = set(variables.values())
    groups = dict.fromkeys(_current(group, maker, last) for maker, group in order if (maker, group) in used)
    return Taken(groups=tuple(groups), variables=dict(sorted(variables.items())), state=dict(sorted(state.items())))


def _deleted(step: Earlier) -> frozenset[str]:
    """The names that a finished step was to leave, and did not: it was given those that it may not bind."""
    if step.groups is None:
        return frozenset()
    return step.outputs.difference(*(group.names for group in step.groups))


def _current(group: Group, maker: str, last: Mapping[str, str]) -> Group:
    """A group without the names that a step below its maker binds or changes.

    What shares objects with a step's inputs comes along, and goes on with what the step makes of it; a name that was
    bound to something else in between must not.
    """
    return replace(group, names=tuple(name for name in group.names if last[name] == maker))


def _left(maker: Earlier, scope: str) -> Mapping[str, str]:
    """The hidden state that a step left for another; the working directory is each notebook's own."""
    if maker.groups is None:
        return {}
    return maker.state if maker.scope == scope else {kind: one for kind, one in maker.state.items() if kind != "cwd"}
