"""Which version of a variable a step takes."""

from __future__ import annotations

from dataclasses import replace

from nb2pipe.digest import Digest
from nb2pipe.runtime.versions import Earlier, take_from
from nb2pipe.serializers.groups import Group


def made(name: str, *groups: Group, outputs: str = "x", ended: bool = True) -> Earlier:
    return Earlier(name=name, scope="", outputs=frozenset(outputs.split()), groups=groups if ended else None)


def group(*names: str) -> Group:
    return Group(names=names, digest=Digest.of("test", " ".join(names)))


def test_a_variable_that_a_step_deleted_is_not_taken_from_an_older_one() -> None:
    taken = take_from(frozenset({"x", "y"}), "", [made("a", group("x", "y"), outputs="x y"), made("b")])
    assert dict(taken.variables) == {"y": ("a", group("x", "y"))}
    assert taken.groups == (replace(group("x", "y"), names=("y",)),)


def test_a_step_that_has_not_ended_deletes_nothing() -> None:
    taken = take_from(frozenset({"x"}), "", [made("a", group("x")), made("b", ended=False)])
    assert dict(taken.variables) == {"x": ("a", group("x"))}
