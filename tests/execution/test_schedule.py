"""The schedule, without anything that runs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.analysis.model import FlowKind
from nb2pipe.execution.schedule import Schedule, depending, make_schedule, ready
from nb2pipe.pipeline.model import Edge


def schedule(order: str, *edges: str, **more: Any) -> Schedule:
    made = [Edge(source=edge[0], target=edge[1], kinds=(FlowKind.VALUE,)) for edge in edges]
    return make_schedule(tuple(order), made, **more)


def test_what_waits_for_nothing_is_ready_in_notebook_order() -> None:
    assert ready(schedule("abc", "ab"), pending="abc", running="", jobs=4) == ("a", "c")


def test_a_step_is_ready_when_all_before_it_have_ended() -> None:
    diamond = schedule("abcd", "ab", "ac", "bd", "cd")
    assert ready(diamond, pending="d", running="c", jobs=4) == ()
    assert ready(diamond, pending="d", running="", jobs=4) == ("d",)


def test_no_more_steps_begin_than_there_are_places() -> None:
    assert ready(schedule("abcd"), pending="bcd", running="a", jobs=3) == ("b", "c")


def test_the_longest_way_to_the_end_comes_first() -> None:
    times = {"a": 1.0, "b": 1.0, "c": 9.0, "d": 5.0}
    assert ready(schedule("abcd", "bc", seconds=times), pending="abcd", running="", jobs=2) == ("b", "d")


def test_one_at_a_time_steps_go_in_notebook_order() -> None:
    times = {"a": 1.0, "b": 9.0, "c": 2.0}
    assert ready(schedule("abc", seconds=times), pending="abc", running="", jobs=1) == ("a",)


def test_an_unknown_duration_counts_as_the_median() -> None:
    times = {"a": 1.0, "c": 5.0, "d": 9.0}
    assert ready(schedule("abcd", seconds=times), pending="abcd", running="", jobs=4) == ("d", "b", "c", "a")


def test_a_wide_step_leaves_room_that_a_narrow_one_takes() -> None:
    wide = schedule("ab", places={"a": 2})
    assert ready(wide, pending="ab", running="", jobs=2) == ("a",)
    assert ready(schedule("xab", places={"a": 2}), pending="ab", running="x", jobs=2) == ("b",)


def test_a_step_wider_than_the_machine_runs_alone() -> None:
    assert ready(schedule("ab", places={"a": 8}), pending="ab", running="", jobs=2) == ("a",)


def test_a_step_waits_for_what_it_does_not_need() -> None:
    waiting = schedule("ab", waits={"b": frozenset("a")})
    assert ready(waiting, pending="ab", running="", jobs=2) == ("a",)
    assert depending(waiting, "a") == ()


def test_all_that_depends_on_a_step_falls_with_it() -> None:
    assert depending(schedule("abcde", "ab", "bd", "ce"), "a") == ("b", "d")


def test_a_gate_acts_through_everything_but_random_generators() -> None:
    edges = [
        Edge(source="a", target="b", kinds=(FlowKind.RANDOM,)),
        Edge(source="a", target="c", kinds=(FlowKind.ORDER,)),
        Edge(source="a", target="d", declared=True),
        Edge(source="d", target="e", kinds=(FlowKind.RANDOM, FlowKind.VALUE)),
    ]
    made = make_schedule(tuple("abcde"), edges)
    assert depending(made, "a", gate=True) == ("c", "d", "e")
    assert depending(made, "a") == ("b", "c", "d", "e")


@given(st.integers(1, 12), st.integers(1, 4), st.data())
def test_every_step_of_any_graph_gets_its_turn_after_those_before_it(
    count: int, jobs: int, data: st.DataObject
) -> None:
    names = tuple(f"s{number}" for number in range(count))
    pairs = [(a, b) for index, b in enumerate(names) for a in names[:index]]
    chosen = data.draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    places = {name: data.draw(st.integers(1, 3)) for name in names}
    edges = [Edge(source=a, target=b, kinds=(FlowKind.VALUE,)) for a, b in chosen]
    made = make_schedule(names, edges, places=places)
    pending, running, ended = set(names), list[str](), list[str]()
    while pending or running:
        for name in ready(made, pending=pending, running=running, jobs=jobs):
            pending.remove(name)
            running.append(name)
        assert running, "nothing runs, and something is left"
        assert sum(min(places[name], jobs) for name in running) <= jobs
        ended.append(running.pop(data.draw(st.integers(0, len(running) - 1))))
    assert sorted(ended) == sorted(names)
    assert all(ended.index(a) < ended.index(b) for a, b in chosen)


def test_a_chain_of_two_thousand_steps_needs_no_recursion() -> None:
    names = tuple(f"s{number}" for number in range(2000))
    edges = [Edge(source=a, target=b) for a, b in pairwise(names)]
    made = make_schedule(names, edges, seconds={"s0": 1.0})
    assert made.priority["s0"] == 2000.0


def test_a_step_that_reserves_a_gpu_waits_until_one_is_free() -> None:
    plan = replace(schedule("abc"), devices={"a": 1, "b": 1, "c": 0}, gpus=1)
    assert ready(plan, pending="abc", running="", jobs=4) == ("a", "c")
    assert ready(plan, pending="b", running="ac", jobs=4) == ()
    assert ready(plan, pending="b", running="c", jobs=4) == ("b",)


def test_where_there_are_fewer_gpus_than_a_step_reserves_it_takes_all_of_them() -> None:
    plan = replace(schedule("ab"), devices={"a": 8, "b": 1}, gpus=2)
    assert ready(plan, pending="ab", running="", jobs=4) == ("a",)
    assert ready(replace(plan, gpus=0), pending="ab", running="", jobs=4) == ("a", "b")
