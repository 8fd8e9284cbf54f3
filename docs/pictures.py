"""Makes the README's pictures from the program itself: a graph, and a run as the terminal shows it.

Run by `make pictures`; both pictures are SVG, written beside this file.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

DOCS = Path(__file__).resolve().parent
NOTEBOOK = DOCS.parent / "example_notebooks" / "digits.ipynb"
PROGRAM = [sys.executable, "-m", "nb2pipe"]
WIDTH = 100
FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Fonts that a picture would fetch from elsewhere; the viewer's own will do."""


def draw_graph() -> None:
    """`docs/graph.svg`: the steps of the main example."""
    subprocess.run([*PROGRAM, "graph", str(NOTEBOOK), "-o", str(DOCS / "graph.svg")], check=True)


def draw_run() -> None:
    """`docs/run.svg`: what a run prints, colors included."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(NOTEBOOK, folder)
        command = ["run", NOTEBOOK.name, "-p", "epochs", "4"]
        ran = subprocess.run(
            [*PROGRAM, "--color", "always", *command],
            cwd=folder,
            env={**os.environ, "COLUMNS": str(WIDTH)},
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    console = Console(record=True, width=WIDTH, force_terminal=True, file=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    console.print(Text.from_ansi(f"$ nb2pipe {' '.join(command)}\n{ran.stdout}"))
    picture = FONTS.sub("", console.export_svg(title="nb2pipe"))
    (DOCS / "run.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    draw_graph()
    draw_run()
