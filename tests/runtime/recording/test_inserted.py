from __future__ import annotations

import traceback
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest

from nb2pipe.runtime.recording.inserted import Told, insert

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = '''
"""A library."""

def plain(a, b=2, *, c=3):
    """Its text."""
    def inner():
        return "inner"
    if a:
        return [a, b, c, inner()]
    raise ValueError("no a")

class Thing:
    def method(self, value):
        total = 0
        for each in value: total += each; \\
            total += 1
        return total

    def __init__(self):
        super().__init__()

lambda_made = lambda a: a
'''


@pytest.fixture
def library(tmp_path: Path) -> Any:
    path = tmp_path / "library.py"
    path.write_text(TEXT)
    spec = spec_from_file_location("library", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_function_tells_and_stays_the_same_object_with_the_same_results(library: Any) -> None:
    told: list[Any] = []

    @contextmanager
    def around(a: Any) -> Iterator[None]:
        told.append(("around", a))
        yield
        told.append(("after", a))

    def result(a: Any, found: Any) -> Any:
        told.append(("result", a, found))
        return found

    function, text = library.plain, library.plain.__doc__
    insert(function, Told(names=("a",), before=lambda a: told.append(("before", a)), result=result, around=around))
    assert function is library.plain
    assert function(1, c=5) == [1, 2, 5, "inner"]
    assert told == [("before", 1), ("around", 1), ("result", 1, [1, 2, 5, "inner"]), ("after", 1)]
    assert (function.__doc__, function.__name__, function.__qualname__) == (text, "plain", "plain")


def test_a_traceback_is_as_it_was(library: Any) -> None:
    def shown() -> str:
        try:
            library.plain(0)
        except ValueError:
            return "".join(traceback.format_exc().splitlines(keepends=True)[2:])
        return ""

    before = shown()
    insert(library.plain, Told(names=("a",), before=lambda _: None, result=lambda _, found: found))
    assert shown() == before
    assert "library.py" in before


def test_methods_tell_too(library: Any) -> None:
    told: list[Any] = []
    insert(library.Thing.method, Told(names=("value",), result=lambda value, found: told.append(value) or found))
    assert library.Thing().method([1, 2]) == 5
    assert told == [[1, 2]]


def test_what_cannot_be_changed_is_left_alone(library: Any) -> None:
    for function in (library.Thing.__init__, len, library.lambda_made):
        with pytest.raises(ValueError, match="code"):
            insert(function, Told(names=(), before=lambda: None))
    assert library.lambda_made(1) == 1
