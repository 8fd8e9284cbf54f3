from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.frames import Cells, describe

if TYPE_CHECKING:
    from pathlib import Path

CELLS = {
    5: "\n\ndef f(n):\n    return g(n)",
    7: "f(0)",
    9: "def g(n):\n    try:\n        return 1 / n\n    except ZeroDivisionError:\n        raise KeyError(n)",
}


def name_of(source: str) -> list[str]:
    return [f"<cell {len(source)}>"]


def raised(*positions: int, folder: str = "/nowhere") -> list[dict[str, Any]]:
    """Runs cells as IPython does, without the empty lines at their start."""
    namespace: dict[str, object] = {}
    cells = Cells(list(CELLS.items()), name_of)
    try:
        for position in positions:
            source = CELLS[position]
            exec(compile(source.lstrip("\n"), name_of(source)[0], "exec"), namespace)
    except KeyError as error:
        return describe(error, cells, folder)
    raise AssertionError("nothing was raised")


def test_each_error_of_a_chain_has_its_own_frames() -> None:
    first, last = raised(9, 5, 7)
    assert (first["kind"], first["link"], last["kind"], last["message"]) == (
        "ZeroDivisionError",
        "context",
        "KeyError",
        "0",
    )
    assert first["frames"] == [{"cell": 9, "line": 3, "name": "g"}]
    assert last["frames"] == [
        {"cell": 7, "line": 1, "name": "<module>"},
        {"cell": 5, "line": 4, "name": "f"},
        {"cell": 9, "line": 5, "name": "g"},
    ]


def test_an_error_whose_text_fails_is_told_all_the_same() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    (error,) = describe(MuteError(), Cells([], name_of), "/nowhere")
    assert error["message"] == "(its text cannot be made)"


def test_an_error_that_leads_to_itself_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__context__, two.__context__ = two, one
    assert [part["message"] for part in describe(one, Cells([], name_of), "/nowhere")] == ["two", "one"]


def test_modules_beside_the_notebook_count_and_installed_ones_do_not(tmp_path: Path) -> None:
    for path in (tmp_path / "near.py", tmp_path / "site-packages" / "far.py"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("1 / 0\n")
        try:
            exec(compile(path.read_text(), str(path), "exec"), {})
        except ZeroDivisionError as error:
            (told,) = describe(error, Cells([], name_of), str(tmp_path))
        near = {"file": "near.py", "line": 1, "name": "<module>", "text": "1 / 0"}
        assert told["frames"] == ([near] if path.name == "near.py" else [])
