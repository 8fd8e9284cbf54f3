"""`nb2pipe lineage`: from a file, an artifact or a model to what it came from, or to what was made from it."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nb2pipe.cli.arguments import STORE
from nb2pipe.cli.output import shown_path, write_file
from nb2pipe.cli.session import CONTEXT, Command, common, with_session
from nb2pipe.cli.text import harmless
from nb2pipe.errors import UsageError
from nb2pipe.execution.home import Home, find_home
from nb2pipe.execution.shared import shared_records
from nb2pipe.lineage import model, openlineage, picture, text
from nb2pipe.lineage.code import code_of
from nb2pipe.lineage.find import find
from nb2pipe.lineage.walk import Walk
from nb2pipe.records.index import links

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.cli.session import Session
    from nb2pipe.lineage.model import Lineage
    from nb2pipe.records.model import RunRecord, StepRecord

    Code = Callable[[RunRecord, StepRecord], Mapping[int, str]]

FORMATS = ("text", "json", "mermaid", "svg", "openlineage")
_ENDINGS = {
    ".txt": "text",
    ".json": "json",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".svg": "svg",
    ".jsonl": "openlineage",
    ".ndjson": "openlineage",
}
_EPILOG = """\b
X is a file, which is found by its content, also where it was moved or renamed; a folder of such; or a
SHA-256, or the beginning of one, of a file or of an artifact in the store.

\b
Examples:
  nb2pipe lineage net.pt
  nb2pipe lineage --forward data/train.csv
  nb2pipe lineage net.pt -v
  nb2pipe lineage net.pt -o net.svg
  nb2pipe lineage net.pt --store s3://bucket/team --format json
"""


@click.command(
    "lineage",
    cls=Command,
    context_settings=CONTEXT,
    short_help="Show what a file or model came from, or what was made from it.",
    epilog=_EPILOG,
)
@click.argument("x", metavar="X")
@click.option("--forward", is_flag=True, help="What was made from X, instead of what X came from.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="The form; text by default.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE; its ending tells the format: .txt, .json, .mmd, .svg, .jsonl (openlineage).",
)
@STORE
@common
@with_session
def command(
    session: Session, x: str, form: str | None, output: Path | None, store: str | None, *, forward: bool
) -> None:
    """Show all that X came from: steps, cells (with -v their texts), parameters, the commit, data sets by SHA-256."""
    chosen = form or ("json" if session.json else None) or _by_ending(output)
    shown = _renderers(_code(session))[chosen](_lineage(session, x, store, forward=forward))
    if output is not None:
        write_file(output, shown.rstrip("\n") + "\n")
        session.say(f"wrote {shown_path(output)}")
        return
    if chosen == "text":
        shown = harmless(shown)
    sys.stdout.write(shown.rstrip("\n") + "\n")
    sys.stdout.flush()


def _lineage(session: Session, x: str, store: str | None, *, forward: bool) -> Lineage:
    home = find_home(Path.cwd(), session.home)
    with ExitStack() as stack:
        folder = home if store is None else stack.enter_context(shared_records(Home(home), store))
        index = stack.enter_context(links(folder, tell=session.warn))
        found = find(x, index, Path.cwd())
        if found.note:
            session.warn(found.note)
        walk = Walk(folder, index)
        return walk.forward(found.digests) if forward else walk.back(found.digests)


def _by_ending(output: Path | None) -> str:
    if output is None:
        return "text"
    form = _ENDINGS.get(output.suffix.lower())
    if form is None:
        hint = f"use --format, or one of {', '.join(_ENDINGS)}"
        raise UsageError(f"the ending of {output} names no format", hint=hint)
    return form


def _renderers(code: Code) -> Mapping[str, Callable[[Lineage], str]]:
    return {
        "text": lambda lineage: text.to_text(lineage, lambda path: shown_path(Path(path)), code),
        "json": lambda lineage: json.dumps(model.to_json(lineage), indent=2),
        "mermaid": picture.to_mermaid,
        "svg": picture.to_svg,
        "openlineage": openlineage.to_openlineage,
    }


def _code(session: Session) -> Code:
    """With `-v`, the texts of the cells are shown; they stand in the notebooks of the home's runs."""
    if not session.verbose:
        return lambda *_: {}
    home = find_home(Path.cwd(), session.home)
    return lambda run, step: code_of(home, run, step)
