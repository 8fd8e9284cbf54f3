from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import torch

from nb2pipe.serializers.compare import same
from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, dump, load
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., dict[str, object]]

shared = [1]
loop: list[object] = []
loop.append(loop)


class Point:
    def __init__(self, x: object) -> None:
        self.x = x


EQUAL = [
    ({1, 2, "a"}, {"a", 2, 1}),
    (float("nan"), math.nan),
    ([np.float64("nan")], [np.float64("nan")]),
    (np.arange(3), np.array([0, 1, 2])),
    (np.ones((1, 3)), np.ones((2, 3))[:1]),
    (np.array([math.nan, 0.0]), np.array([math.nan, 0.0])),
    (torch.arange(3), torch.tensor([0, 1, 2])),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 2, 3]}).head(2)),
    (pd.DataFrame({"a": [1, 2], "b": [3, 4]}), pd.DataFrame({"b": [3, 4]}).assign(a=[1, 2])[["a", "b"]]),
    (pd.DataFrame(np.ones((2, 3))), pd.DataFrame({0: [1.0, 1.0], 1: [1.0, 1.0], 2: [1.0, 1.0]})),
    ({"a": (1, (2, "b"))}, {"a": (1, (2, "b"))}),
    ((1, [2.5, "x"], (3, ())), (1, [2.5, "x"], (3, ()))),
    (loop, loop[0]),
    (Point({1, 2}), Point({2, 1})),
    ({frozenset({1, 2}): [1]}, {frozenset({2, 1}): [1]}),
    ([lambda x: x + 1], [lambda x: x + 1]),
]

DIFFERENT: list[tuple[object, object, str]] = [
    (1, 1.0, "v"),
    (1, True, "v"),
    (0.0, -0.0, "v"),
    ([1, 2], [1, 3], "v[1]"),
    ([1, 2], [1, 2, 3], "v"),
    ([1], (1,), "v"),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "v{key}"),
    ({"a": {"b": [0]}}, {"a": {"b": [1]}}, 'v["a"]["b"][0]'),
    ({1, 2}, {1, 3}, "v"),
    ([shared, shared], [[1], [1]], "v[1]"),
    (Point([1]), Point([2]), "v.x[0]"),
    ([Point(1)], [[1]], "v[0]"),
    (np.arange(3), np.arange(3.0), "v"),
    (np.arange(3), np.arange(4), "v"),
    (np.arange(3), np.array([0, 1, 9]), "v"),
    (np.ones((2, 3)), np.asfortranarray(np.ones((2, 3))), "v"),
    ({"w": torch.ones(2)}, {"w": torch.ones(2, requires_grad=True)}, 'v["w"]'),
    ({"w": torch.ones(2)}, {"w": torch.ones(2).double()}, 'v["w"]'),
    (pd.Series([1, 2]), pd.Series([1, 3]), "v"),
    (pd.Series([1, 2], name="a"), pd.Series([1, 2], name="b"), "v"),
    ([lambda x: x + 1], [lambda x: x + 2], "v[0]"),
    (b"a", "a", "v"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_equal_values_have_equal_digests(one: object, other: object) -> None:
    assert digest(one, namespace={}) == digest(other, namespace={})
    assert same(one, other) is None


@pytest.mark.parametrize(("one", "other", "path"), DIFFERENT)
def test_different_values_differ_with_a_path(one: object, other: object, path: str) -> None:
    assert digest(one, namespace={}) != digest(other, namespace={})
    found = same(one, other, name="v")
    assert found is not None
    assert found.startswith(path)


def test_views_that_share_differ_from_copies() -> None:
    base = np.arange(4.0)
    assert digest([base, base[1:]], namespace={}) != digest([base, base[1:].copy()], namespace={})


def test_a_digest_does_not_change_what_it_reads(run: Run) -> None:
    namespace = run("import torch\nl = torch.nn.Linear(2, 2)\nr = iter([1, 2, 3])")
    before = [digest(namespace[name], namespace=namespace) for name in "lr"]
    assert before == [digest(namespace[name], namespace=namespace) for name in "lr"]


def test_digests_are_pinned() -> None:
    value = {"a": [1, 2.5, None, "x", b"y", (1, 2), {3}], "b": np.arange(3, dtype="i4")}
    assert digest(value, namespace={}).hex[:16] == "096fc60dc76fcea4"


def test_a_group_comes_as_a_whole(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    a: list[object] = []
    groups = dump({"a": a, "b": [a], "c": 1}, store=store, namespace={})
    assert [type(group) for group in groups] == [Group, Group]
    assert set(load(groups[0], store=store, namespace={})) == {"a", "b"}
