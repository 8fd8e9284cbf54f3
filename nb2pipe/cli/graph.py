"""`nb2pipe graph`: the steps of a notebook, what flows between them, and its parameters."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2pipe.cli.arguments import NOTEBOOK
from nb2pipe.cli.compiled import compiled
from nb2pipe.cli.output import shown_path, write_file
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.cli.text import harmless
from nb2pipe.errors import UsageError
from nb2pipe.pipeline import graph
from nb2pipe.pipeline.concealed import concealed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.cli.session import Session
    from nb2pipe.pipeline.model import Pipeline

FORMATS = ("text", "json", "mermaid", "svg", "html")
_ENDINGS = {
    ".txt": "text",
    ".json": "json",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".svg": "svg",
    ".html": "html",
    ".htm": "html",
}
_EPILOG = """\b
Examples:
  nb2pipe graph train.ipynb
  nb2pipe graph train.ipynb -o train.svg
  nb2pipe graph train.ipynb --format mermaid
"""


@click.command(
    "graph", cls=Command, short_help="Show the steps of a notebook and what flows between them.", epilog=_EPILOG
)
@NOTEBOOK
@click.option("--format", "form", type=click.Choice(FORMATS), help="The form; text by default.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE; its ending tells the format: .txt, .json, .mmd, .svg, .html.",
)
@common
@with_session
def command(session: Session, notebook: Path, form: str | None, output: Path | None) -> None:
    """Show the steps of NOTEBOOK, what flows between them, and its parameters. Nothing is executed."""
    chosen = form or ("json" if session.json else None) or _by_ending(output)
    text = _renderers()[chosen](concealed(compiled(notebook, session))).rstrip("\n")
    if output is not None:
        write_file(output, text + "\n")
        session.say(f"wrote {shown_path(output)}")
        return
    if chosen == "text":
        text = harmless(text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _by_ending(output: Path | None) -> str:
    if output is None:
        return "text"
    form = _ENDINGS.get(output.suffix.lower())
    if form is None:
        raise UsageError(
            f"the ending of {output} names no format", hint=f"use --format, or one of {', '.join(_ENDINGS)}"
        )
    return form


def _renderers() -> Mapping[str, Callable[[Pipeline], str]]:
    return {
        "text": graph.to_text,
        "json": lambda pipeline: json.dumps(graph.to_json(pipeline), indent=2),
        "mermaid": graph.to_mermaid,
        "svg": graph.to_svg,
        "html": graph.to_html,
    }
