"""Fuzz: variables over objects that hold each other at random, dumped here and loaded in another process."""

from __future__ import annotations

import array
import collections
import functools
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2pipe.serializers.compare import same
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import dump, load, partition

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Other

    from nb2pipe.serializers.groups import Group

EXAMPLES = int(os.environ.get("NB2PIPE_FUZZ_EXAMPLES", "120"))
"""A short profile; thousands are run by hand, with `--timeout 0`."""

NOTEBOOK = """
from dataclasses import dataclass

class Named:
    def __init__(self, name, other):
        self.name = name
        self.other = other

    def __eq__(self, other):
        return isinstance(other, Named) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

class Answering:
    def __init__(self, parts):
        self.parts = parts

    def __getattr__(self, name):
        if {"all": self.parts}.get(name) is None:
            raise AttributeError(name)
        return self.parts

class Slotted:
    __slots__ = ("parts",)

    def __init__(self, parts):
        self.parts = parts

@dataclass(frozen=True)
class Frozen:
    parts: list

def closure(parts):
    return lambda: parts
"""

CHANGE = """
import numpy, torch

def change(value, number):
    if isinstance(value, list):
        value.append(number)
    elif isinstance(value, dict):
        value[number] = number
    elif isinstance(value, bytearray | memoryview) and len(value) and not getattr(value, "readonly", False):
        value[-1] = number
    elif isinstance(value, numpy.ndarray) and value.size and value.flags.writeable:
        value.flat[-1] = number
    elif isinstance(value, torch.Tensor) and value.numel() and value.layout == torch.strided:
        value.data.view(-1)[-1] = number
    elif type(value).__name__ == "DataFrame" and len(value):
        value.loc[value.index[-1], "a"] = number
    elif type(value).__name__ == "Series" and len(value):
        value.iloc[-1] = number
    elif type(value).__name__ in ("Slotted", "Answering"):
        value.parts = [number]

for number, name in enumerate({names!r}):
    change(globals()[name], number)
del change, number, name
"""
"""Changes each variable, so that what shares with it changes as well, or does not."""

SPACE: dict[str, Any] = {"__name__": "__main__"}
exec(compile(NOTEBOOK, "<notebook>", "exec", dont_inherit=True), SPACE)
Named, Answering, Slotted, Frozen, closure = (
    SPACE[name] for name in ("Named", "Answering", "Slotted", "Frozen", "closure")
)

_atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.complex_numbers()
    | st.sampled_from([1, 255, 256, 65535, 65536, -1, 2**31 - 1, 2**31, -(2**31), 2**63, 2**2000, ..., int, len])
)


@st.composite
def _graphs(draw: st.DrawFn) -> dict[str, object]:
    """Some variables over a pool of objects that refer to each other at random."""
    pool: list[object] = []
    for _ in range(draw(st.integers(1, 12))):
        pool.append(_one(draw, pool))
    for _ in range(draw(st.integers(0, 6))):
        target = _pick(draw, pool)
        value = _pick(draw, pool)
        if isinstance(target, list):
            target.append(value)
        elif isinstance(target, dict):
            target[draw(st.text(max_size=2))] = value
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True))
    return {name: _pick(draw, pool) for name in names}


def _pick(draw: st.DrawFn, pool: list[object]) -> object:
    """One of the pool; by its place, since not all can be looked at by Hypothesis."""
    return pool[draw(st.integers(0, len(pool) - 1))]


def _one(draw: st.DrawFn, pool: list[object]) -> object:
    parts: list[object] = []
    for _ in range(draw(st.integers(0, 4))):
        known = bool(pool) and draw(st.booleans())
        parts.append(_pick(draw, pool) if known else draw(_atoms))
    plain = [part for part in parts if isinstance(part, int | str | float | bytes)]
    hashed = [part for part in pool if isinstance(part, Named | frozenset)]
    arrays = [part for part in pool if type(part) is np.ndarray and part.flags.writeable]
    numbers = draw(st.lists(st.floats(), max_size=6))
    makers: list[Callable[[], object]] = [
        lambda: parts,
        lambda: {draw(st.text(max_size=3) | st.integers()): part for part in parts},
        lambda: tuple(parts),
        lambda: {*plain, *hashed},
        lambda: _object(draw, parts, pool),
        lambda: _library_object(draw, numbers, pool),
        lambda: frozenset(plain),
        lambda: np.array(numbers),
        lambda: (arrays[-1] if arrays else np.arange(5.0))[draw(st.integers(0, 3)) :: draw(st.sampled_from([1, 2]))],
        lambda: torch.tensor(numbers),
        lambda: torch.from_numpy(arrays[-1]) if arrays and min(arrays[-1].strides) > 0 else None,
        lambda: bytearray(draw(st.binary(max_size=4))),
    ]
    return draw(st.sampled_from(makers))()


def _object(draw: st.DrawFn, parts: list[object], pool: list[object]) -> object:
    """An instance, a function, or something of Python's that holds others."""
    made = Named(draw(st.text(max_size=2)), _pick(draw, pool) if pool else None)
    others = [part for part in pool if isinstance(part, Named)]
    makers: list[Callable[[], object]] = [
        lambda: made,
        lambda: {made: 1, **dict.fromkeys(others, parts)},
        lambda: Answering(parts),
        lambda: Slotted(parts),
        lambda: closure(parts),
        lambda: functools.partial(max, parts),
        lambda: collections.deque(parts, maxlen=4),
        lambda: collections.OrderedDict(enumerate(parts)),
        lambda: SimpleNamespace(parts=parts),
        lambda: array.array("d", [1.5] * len(parts)),
        lambda: iter(parts),
        lambda: ValueError(*parts),
        lambda: Frozen(parts),
    ]
    return draw(st.sampled_from(makers))()


def _library_object(draw: st.DrawFn, numbers: list[float], pool: list[object]) -> object:
    """A table, a tensor or an array that looks at memory of the pool, or has its own."""
    frames = [part for part in pool if isinstance(part, pd.DataFrame)]
    tensors = [part for part in pool if isinstance(part, torch.Tensor) and part.dim() == 1]
    buffers = [part for part in pool if isinstance(part, bytearray) and part]
    frame = frames[-1] if frames else pd.DataFrame({"a": numbers, "b": ["x"] * len(numbers)})
    tensor = tensors[-1] if tensors else torch.arange(6.0)
    buffer = buffers[-1] if buffers else bytearray(b"buffer")
    makers: list[Callable[[], object]] = [
        lambda: frame,
        lambda: frame["a"],
        lambda: frame[["b", "a"]],
        lambda: frame.iloc[1:],
        lambda: frame.groupby("b"),
        lambda: frame["a"].to_numpy(copy=True),  # without a copy it follows the table only within a step
        lambda: tensor.detach()[1:],
        lambda: tensor.detach().numpy(),
        lambda: torch.nn.Parameter(tensor.detach().double()),
        lambda: torch.nn.Linear(2, 1),
        lambda: np.frombuffer(buffer, "u1"),
        lambda: memoryview(buffer)[1:],
        lambda: np.ma.masked_less(np.array(numbers), 0),
        lambda: np.random.default_rng(len(numbers)),
    ]
    return draw(st.sampled_from(makers))()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(values=_graphs())
def test_a_round_trip_keeps_digests_identities_the_partition_and_what_changes_with_what(
    values: dict[str, object], other: Other
) -> None:
    groups = dump(values, store=other.store, namespace=SPACE)
    assert tuple(group.names for group in groups) == partition(values, namespace=SPACE)
    before = {name: digest(value, namespace=SPACE).hex for name, value in values.items()}
    for prelude in ("", NOTEBOOK):
        reply = other.ask(groups, "", prelude)
        assert reply["digests"] == before
        assert [names for names, _ in cast("list[list[object]]", reply["groups"])] == [
            list(group.names) for group in groups
        ]
    loaded, there = _loaded(groups, other)
    for group in groups:
        one, two = ({name: side[name] for name in group.names} for side in (values, loaded))
        assert same(one, two, namespaces=(SPACE, there)) is None
    assert partition(loaded, namespace=there) == partition(values, namespace=SPACE)
    assert _identities(loaded) == _identities(values)
    change = CHANGE.format(names=sorted(values))
    reply = other.ask(groups, "", NOTEBOOK, change)
    exec(change, {**SPACE, **values})
    assert reply["read"] == {name: digest(value, namespace=SPACE).hex for name, value in values.items()}


def _loaded(groups: tuple[Group, ...], other: Other) -> tuple[dict[str, object], dict[str, object]]:
    there: dict[str, object] = {"__name__": "__main__"}
    loaded: dict[str, object] = {}
    for group in groups:
        loaded.update(load(group, store=other.store, namespace=there))
    return loaded, there


def _identities(values: dict[str, object]) -> list[tuple[str, str]]:
    """The variables that are one object, small ones that Python has once left out."""
    names = [
        name for name in sorted(values) if not isinstance(values[name], str | int | bytes | tuple | frozenset | None)
    ]
    return [(one, two) for one in names for two in names if one < two and values[one] is values[two]]
