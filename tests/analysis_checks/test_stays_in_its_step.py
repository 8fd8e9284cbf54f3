"""NB208: what hangs on the process of a step ends with it, and that is told where steps stand below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nb2pipe.pipeline.compile import compile_notebook

if TYPE_CHECKING:
    from pathlib import Path

CASES = {
    "a signal handler": ("import signal", "x = 1\nsignal.signal(signal.SIGALRM, print)", (2, 2)),
    "a function at the end": ("import atexit", "atexit.register(print, 1)", (2, 1)),
    "a trace function": ("import sys", "sys.settrace(None)", (2, 1)),
    "by another name": ("from atexit import register", "register(print)", (2, 1)),
    "only asked for": ("import signal", "print(signal.getsignal(signal.SIGALRM))", None),
    "handed on": ("import os", "os.umask(0o022)", None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_ends_with_the_process_of_a_step_is_told(
    case: tuple[str, str, tuple[int, int] | None], tmp_path: Path
) -> None:
    imports, code, found = case
    assert told(tmp_path, [("imports", imports), ("step:a", code), ("step:b", "y = 2")]) == ([found] if found else [])


def test_nobody_misses_it_where_no_step_stands_below(tmp_path: Path) -> None:
    assert (
        told(tmp_path, [("imports", "import atexit"), ("step:a", "y = 2"), ("step:b", "atexit.register(print)")]) == []
    )


def told(folder: Path, cells: list[tuple[str, str]]) -> list[tuple[int, int]]:
    notebook = folder / "n.py"
    notebook.write_text("\n\n".join(f'# %% tags=["{tag}"]\n{code}' for tag, code in cells) + "\n")
    report = compile_notebook(notebook).report
    return [(each.location.position, each.location.line or 0) for each in report if each.code == "NB208"]
