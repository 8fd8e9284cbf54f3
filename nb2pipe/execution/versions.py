"""Which version of a variable, and of hidden state, a step takes; and whether it took one that turned out to be old.

All by notebook order: the version that holds at a step is that of the last step above it that made one. What a step
makes is known for sure when it has ended, so an order that the text did not show is found afterward. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from nb2pipe.execution.keys import GENERATORS
from nb2pipe.runtime.patches import PREFIX
from nb2pipe.runtime.versions import Earlier, Taken, take_from

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.execution.model import Completed
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.serializers.groups import Group

__all__ = ["Overtaken", "Seen", "Taken", "What", "generators", "is_decisive", "made_within", "overtaken", "take"]

_DECISIVE = frozenset(
    {"cwd", "sys.path", "modules", "torch.defaults", "numpy.errors", "numpy.printoptions", "pandas.options"}
    | {"sklearn.config", "decimal", "locale", "time", "csv", "copyreg"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of a run while it goes on.

    Attributes:
        began: What the steps took that have begun.
        made: What the steps made that have finished.
    """

    began: Mapping[str, Taken]
    made: Mapping[str, Completed]


class What(Enum):
    """What a step took in an older version."""

    VARIABLE = auto()
    GENERATOR = auto()
    STATE = auto()
    FILE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Overtaken:
    """A step that took something before a step above it had made a newer version.

    Attributes:
        earlier: The step above.
        later: The step that took an older version.
        names: Of variables, random generators, other hidden state, or files; sorted.
    """

    earlier: str
    later: str
    names: tuple[str, ...]
    what: What


def is_decisive(kind: str) -> bool:
    """Whether a step that began with other hidden state of a kind may have computed something else.

    The environment, warning filters, loggers and matplotlib's parameters are mostly set by libraries for themselves.
    """
    return kind in _DECISIVE or kind.startswith(PREFIX)


def take(unit: Unit, earlier: Iterable[Unit], made: Mapping[str, Completed]) -> Taken:
    """What a step takes, as far as the steps above it have ended.

    A name that nobody made is left out: where the notebook uses a name that no cell bound, its own code says so.

    Args:
        unit: The step.
        earlier: The steps above it, in notebook order.
        made: What finished steps made.
    """
    wanted = frozenset(port.name for port in unit.step.inputs)
    return take_from(wanted, unit.scope, (_left_by(each, made) for each in earlier))


def _left_by(unit: Unit, made: Mapping[str, Completed]) -> Earlier:
    done = made.get(unit.name)
    return Earlier(
        name=unit.name,
        scope=unit.scope,
        outputs=frozenset(port.name for port in unit.step.outputs),
        groups=done.outputs if done else None,
        state=done.state if done else {},
    )


def made_within(unit: Unit, inner: Iterable[Unit], made: Mapping[str, Completed]) -> tuple[Group, ...]:
    """The groups that hold the outputs of a nested pipeline, in notebook order.

    Args:
        unit: The step that is a pipeline.
        inner: Its steps, in notebook order.
        made: What finished steps made.
    """
    asked = replace(unit, step=replace(unit.step, inputs=unit.step.outputs))
    return take(asked, inner, made).groups


def overtaken(unit: Unit, now: Taken, seen: Seen) -> tuple[Overtaken, ...]:
    """In which ways a step took something too early.

    Args:
        unit: The step; it has begun.
        now: What it would take, now that more steps have ended.
        seen: What is known; from which generators the step drew is known once it has ended.
    """
    taken, drew = seen.began[unit.name], generators(seen.made.get(unit.name))
    older = {name: maker for name, (maker, _) in now.variables.items() if _is_older(name, unit.name, now, seen)}
    newer = {kind: maker for kind, (maker, _) in now.state.items() if _went_on(kind, taken, now)}
    drawn = {kind: maker for kind, maker in newer.items() if kind in drew}
    left = seen.made[unit.name].state if unit.name in seen.made else {}
    decisive = {
        kind: maker for kind, maker in newer.items() if is_decisive(kind) and left.get(kind) != now.state[kind][1]
    }
    return (
        *_by_maker(unit, older, What.VARIABLE),
        *_by_maker(unit, drawn, What.GENERATOR),
        *_by_maker(unit, decisive, What.STATE),
    )


def _is_older(name: str, unit: str, now: Taken, seen: Seen) -> bool:
    """Whether a step took a variable in an older version.

    One of the same content is no older one, unless the step tied it to others in its turn: then those ties and the
    newer ones have to meet in one group.
    """
    taken = seen.began[unit]
    if name in taken.variables and taken.variables[name][1] == now.variables[name][1]:
        return False
    return name in _tied(seen.made.get(unit)) or _content(name, taken, seen) != _content(name, now, seen)


def generators(done: Completed | None) -> frozenset[str]:
    """The random generators that a step drew from: those whose state it left."""
    return GENERATORS & frozenset(done.state) if done else frozenset()


def _tied(done: Completed | None) -> frozenset[str]:
    """The variables that a step left in groups of its own."""
    return frozenset(name for group in done.outputs for name in group.names) if done else frozenset()


def _content(name: str, taken: Taken, seen: Seen) -> Group | None:
    """The group that gave a variable its content: steps that only tied it to others are passed over."""
    if name not in taken.variables:
        return None
    maker, group = taken.variables[name]
    while maker in seen.made and name in seen.made[maker].unchanged and name in seen.began[maker].variables:
        maker, group = seen.began[maker].variables[name]
    return group


def _went_on(kind: str, taken: Taken, now: Taken) -> bool:
    before = taken.state.get(kind)
    return before is None or before[1] != now.state[kind][1]


def _by_maker(unit: Unit, found: Mapping[str, str], what: What) -> tuple[Overtaken, ...]:
    makers = sorted(set(found.values()))
    names = {maker: tuple(sorted(name for name in found if found[name] == maker)) for maker in makers}
    return tuple(Overtaken(earlier=maker, later=unit.name, names=names[maker], what=what) for maker in makers)
