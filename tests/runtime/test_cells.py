"""Cells of a step in namespace form, run in the dictionary of a module."""

from __future__ import annotations

import asyncio
from textwrap import dedent
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.runtime.borders import listen, stop_listening
from nb2pipe.runtime.cells import run_cells, run_cells_async
from nb2pipe.runtime.modules import UNBOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from nb2pipe.runtime.markers import Place


class Heard:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def begin(self, place: Place) -> None:
        self.words.append(f"begin {place.cell}")

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:
        self.words.append(f"end {place.cell}" + (f" x={values()['x']}" if "x" in values() else ""))

    def caught(self, place: Place, error: BaseException) -> None:
        self.words.append(f"{type(error).__name__} in {place.cell}")


@pytest.fixture
def heard() -> Iterator[Heard]:
    listener = Heard()
    listen(listener)
    yield listener
    stop_listening(listener)


@pytest.fixture
def definitions() -> ModuleType:
    return ModuleType("__main__")


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def made(text: str) -> Path:
        file = tmp_path / "cells.py"
        file.write_text(dedent(text).lstrip("\n"))
        return file

    return made


def test_what_is_given_is_bound_and_what_is_unbound_is_taken_away(write: Any, definitions: ModuleType) -> None:
    vars(definitions)["old"] = 1
    found = run_cells(write("# %% cell 1\ny = x + 1\nz = 'old' in globals()\n"), definitions, {"x": 2, "old": UNBOUND})
    assert (found["y"], found["z"]) == (3, False)
    assert found is vars(definitions)


def test_listeners_hear_of_each_cell_once_with_its_variables(write: Any, definitions: ModuleType, heard: Heard) -> None:
    text = """
        # %% cell 1
        x = 1

        # %% cell 1, line 5
        x = 2
        # %% cell 3 (may raise)
        x = 3
        raise KeyError
        # %% cell 3, line 9 (may raise)
        x = 4
        # %% cell 4
    """
    run_cells(write(text), definitions, {})
    assert heard.words == ["begin 1", "end 1 x=2", "begin 3", "KeyError in 3", "end 3 x=3", "begin 4", "end 4 x=3"]


def test_definitions_run_once_in_a_process_and_imports_each_time(write: Any, definitions: ModuleType) -> None:
    text = """
        # %% cell 1 (definitions)
        import math
        # %% cell 2 (definitions)
        made = made + 1
        # %% cell 3
        code = 1
    """
    file = write(text)
    run_cells(file, definitions, {"made": 0})
    del vars(definitions)["math"]
    found = run_cells(file, definitions, {})
    assert (found["made"], "math" in found) == (1, True)


def test_values_are_injected_after_the_cell_that_makes_their_default(write: Any, definitions: ModuleType) -> None:
    text = """
        # %% cell 1
        lr = 1
        # %% cell 1, line 3
        twice = lr * 2
        # %% cell 2
        seen = lr
    """
    found = run_cells(write(text), definitions, {}, injected={1: {"lr": 5, "twice": UNBOUND}})
    assert (found["twice"], found["seen"]) == (2, 5)


def test_what_future_gives_holds_in_later_cells(write: Any, definitions: ModuleType) -> None:
    text = """
        # %% cell 1
        before: missing_name.x = 1
    """
    with pytest.raises(NameError):
        run_cells(write(text), definitions, {})
    text = """
        # %% cell 1
        from __future__ import annotations
        # %% cell 2
        def after(x: missing_name.x): ...
    """
    assert run_cells(write(text), definitions, {})["after"].__annotations__ == {"x": "missing_name.x"}


def test_errors_pass_as_they_are_and_lines_are_those_of_the_file(write: Any, definitions: ModuleType) -> None:
    with pytest.raises(StopIteration) as raised:
        run_cells(write("# %% cell 1\nx = 1\n# %% cell 2\n\nnext(iter([]))\n"), definitions, {})
    assert raised.tb is not None
    assert raised.traceback[-1].lineno + 1 == 5
    with pytest.raises(SyntaxError) as wrong:
        run_cells(write("# %% cell 1\nx = 2\n# %% cell 2\ny = = 1\n"), definitions, {})
    assert wrong.value.lineno == 4
    assert vars(definitions)["x"] == 2


def test_statements_are_compiled_one_by_one_as_in_a_notebook(write: Any, definitions: ModuleType) -> None:
    assert run_cells(write("# %% cell 1\nx = 1\nglobal x\nx = 2\n"), definitions, {})["x"] == 2


def test_cells_may_await_where_the_step_does(write: Any, definitions: ModuleType) -> None:
    file = write("# %% cell 1\nimport asyncio\nx = await asyncio.sleep(0, 3)\n")
    assert asyncio.run(run_cells_async(file, definitions, {}))["x"] == 3
    with pytest.raises(SyntaxError):
        run_cells(file, definitions, {})
