"""`nb2pipe convert`: a notebook becomes a package of step modules, with all that is needed to run it elsewhere."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from nb2pipe import plugins
from nb2pipe.cli.arguments import complete_run
from nb2pipe.cli.output import shown_path
from nb2pipe.cli.session import Command, common, with_session
from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.bundles.check import Comparison
    from nb2pipe.bundles.write import Changes
    from nb2pipe.cli.session import Session
    from nb2pipe.codegen.model import StepPlan
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Bundle

OUTDATED = 1
"""Exit code of `--check` where the bundle is not what its notebook makes now."""

_DEFAULT = "python"

_TEXTS = ("image", "operator", "schedule", "timezone")
"""Options that are a text, or not given."""
_OPTIONS = {"target": "--to", "types_from": "--types-from"}
"""Options whose names are others than those of their values."""

_EPILOG = """\b
Files that nb2pipe did not write, or that were edited since, are never overwritten without --force.

\b
Exit code: 0; 1 with --check if DIR is out of date; 3 the notebook has errors; 4 a file is in the way.

\b
Examples:
  nb2pipe convert train.ipynb
  nb2pipe convert train.ipynb -o build/train --include 'data/*.csv'
  nb2pipe convert train.ipynb --types-from latest
  nb2pipe convert train.ipynb --to dvc
  nb2pipe convert train.ipynb --to airflow --schedule '0 3 * * *' --timezone Europe/Berlin
  nb2pipe convert --check train_pipeline
"""


def _complete_target(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's signature
    return [CompletionItem(name) for name in plugins.names("targets") if name.startswith(incomplete)]


@click.command("convert", cls=Command, short_help="Turn a notebook into a package of step modules.", epilog=_EPILOG)
@click.argument("notebook", required=False, type=click.Path(path_type=Path), metavar="[NOTEBOOK]")
@click.option(
    "--to",
    "target",
    metavar="TARGET",
    default=_DEFAULT,
    show_default=True,
    shell_complete=_complete_target,
    help="What it is for.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder to write; NAME_pipeline by default.",
)
@click.option(
    "--check",
    "checked",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write nothing; say whether DIR is what its notebook makes now. All else is taken from DIR/bundle.json.",
)
@click.option("--force", is_flag=True, help="Overwrite also files that were edited, or that nb2pipe did not write.")
@click.option(
    "--types-from",
    metavar="RUN",
    shell_complete=complete_run,
    help="Annotate functions with the types of the values that RUN saw.",
)
@click.option(
    "--include",
    multiple=True,
    metavar="GLOB",
    help="Copy files of the notebook's folder too, such as 'data/*.csv'. May be repeated.",
)
@click.option("--image", metavar="REF", help="What the Dockerfile begins with; by default a slim Python.")
@click.option(
    "--mode",
    type=click.Choice(["module", "notebook"]),
    default="module",
    show_default=True,
    help="What the platform runs for a step: its module; or its notebook, through papermill, which is kept.",
)
@click.option("--operator", metavar="NAME", help="What runs a step, where TARGET has a choice; see `nb2pipe targets`.")
@click.option("--schedule", metavar="CRON", help="When it runs, such as '0 3 * * *'; by default as the notebook says.")
@click.option("--timezone", metavar="ZONE", help="The zone of the schedule, such as Europe/Berlin.")
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder whose templates win over those of nb2pipe.",
)
@common
@with_session
def command(session: Session, notebook: Path | None, checked: Path | None, **more: Any) -> None:
    """Turn NOTEBOOK into a package: a module for each step, and requirements, tests and a Dockerfile with it.

    Nothing of the notebook is executed. `python -m PACKAGE` runs the whole pipeline, and nb2pipe need not be there.
    """
    if checked is not None:
        _check_alone(notebook)
        _check(session, checked)
    elif notebook is None:
        raise UsageError("there is no NOTEBOOK to convert", hint="nb2pipe convert train.ipynb, or --check DIR")
    else:
        _convert(session, notebook, more)


def _convert(session: Session, notebook: Path, more: dict[str, Any]) -> None:
    from nb2pipe import api  # noqa: PLC0415 - help does without
    from nb2pipe.bundles.write import write  # noqa: PLC0415 - as above
    from nb2pipe.cli.compiled import compiled  # noqa: PLC0415 - as above

    pipeline = compiled(notebook, session)
    options = {name: more[name] for name in ("target", "types_from", "include", "templates", "mode", *_TEXTS)}
    bundle = api.emit(pipeline, folder=more["output"], home=session.home, **options)
    folder: Path = more["output"] or Path(bundle.plan.name)
    _tell_forgotten(session, folder, more)
    done = write(bundle, folder, force=more["force"])
    _tell_diagnostics(session, pipeline, bundle)
    if session.json:
        session.emit(_json(bundle, folder, done))
    _tell(session, bundle, folder, done)


def _check_alone(notebook: Path | None) -> None:
    """`--check` takes all from the bundle."""
    given = ["NOTEBOOK"] if notebook is not None else []
    options = ("output", "force", "types_from", "templates", "include", "mode", "target", *_TEXTS)
    source = click.get_current_context().get_parameter_source
    given += [_OPTIONS.get(name, f"--{name}") for name in options if source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise UsageError(
            f"--check goes without {', '.join(given)}", hint="notebook, target and flags are those of DIR/bundle.json"
        )


def _check(session: Session, folder: Path) -> None:
    from nb2pipe.bundles.check import compare  # noqa: PLC0415 - help does without

    found = compare(folder)
    if session.json:
        session.emit(_comparison_json(found, folder))
    if found.up_to_date:
        session.say(f"{shown_path(folder)} is up to date")
        return
    session.say("\n".join(_differences(found, folder)), result=True)
    raise click.exceptions.Exit(OUTDATED)


# ------------------------------------------------------------------------------------------------ what is said


def _tell_forgotten(session: Session, folder: Path, more: dict[str, Any]) -> None:
    """What the folder was made with before, and is not now."""
    from nb2pipe.bundles.check import manifest_of  # noqa: PLC0415 - help does without
    from nb2pipe.errors import ConversionError  # noqa: PLC0415 - as above

    try:
        before = manifest_of(folder)
    except ConversionError:
        return  # it is overwritten, or refused with --force as the way out
    if before is None:
        return
    gone = [f"--include {pattern}" for pattern in before.flags.include if pattern not in more["include"]]
    gone += ["--types-from"] if before.types and more["types_from"] is None else []
    texts = {name: getattr(before.flags, name) for name in _TEXTS if more[name] is None}
    gone += [f"--{name} {shlex.quote(text)}" for name, text in texts.items() if text]
    gone += ["--mode notebook"] if before.flags.mode == "notebook" and more["mode"] == "module" else []
    gone += ["--templates"] if before.flags.templates and more["templates"] is None else []
    if gone:
        session.warn(f"{shown_path(folder)} was made with {', '.join(gone)} before", hint="give it again to keep it")


def _tell_diagnostics(session: Session, pipeline: Pipeline, bundle: Bundle) -> None:
    import sys  # noqa: PLC0415 - where it is used

    from nb2pipe.cli.diagnostics import as_text  # noqa: PLC0415 - help does without
    from nb2pipe.cli.session import write  # noqa: PLC0415 - as above
    from nb2pipe.diagnostics import Severity  # noqa: PLC0415 - as above

    before = set(pipeline.report)
    told = [
        each
        for each in bundle.diagnostics
        if each not in before and (each.severity is Severity.WARNING or session.verbose)
    ]
    if told and not session.quiet:
        write(as_text(told, color=session.colorful(sys.stderr)) + "\n", sys.stderr)


def _tell(session: Session, bundle: Bundle, folder: Path, done: Changes) -> None:
    for path in done.paths if session.verbose else ():
        session.say(f"  {'removed' if path in _removed(bundle, done) else 'wrote'} {shown_path(folder / path)}")
    session.say(_written(bundle, folder, done))
    session.say("\n".join(_forms(bundle.plan.steps)))
    for line in _missing(bundle):
        session.say(line)
    session.say(f"run it: cd {shown_path(folder)} && {bundle.command}")


def _written(bundle: Bundle, folder: Path, done: Changes) -> str:
    if not done.paths:
        return f"{shown_path(folder)} was up to date"
    removed = _removed(bundle, done)
    words = [f"wrote {len(done.paths) - len(removed)} of {len(bundle.paths)} files of {shown_path(folder)}"]
    if removed:
        words.append(f"removed {len(removed)}")
    return ", ".join(words)


def _removed(bundle: Bundle, done: Changes) -> set[str]:
    return set(done.paths) - set(bundle.paths)


def _forms(steps: Sequence[StepPlan]) -> Iterator[str]:
    """How many steps are plain functions, and why the others are not."""
    others = [step for step in steps if step.reason is not None]
    count = f"{len(steps)} step{'' if len(steps) == 1 else 's'}"
    if not others:
        yield f"{count}, {'a plain function' if len(steps) == 1 else 'all plain functions'}"
        return
    yield f"{count}, {len(steps) - len(others)} of them plain functions; the others run their cells as top-level code:"
    for step in others:
        yield f"  {step.name}: {step.reason}{_place(step)}"


def _place(step: StepPlan) -> str:
    place = step.place
    if place is None or place.position is None:
        return ""
    line = f", line {place.line}" if place.line is not None else ""
    where = f"cell {place.position}{line}"
    return "" if step.reason and where in step.reason else f" ({where})"


def _missing(bundle: Bundle) -> Iterator[str]:
    for each in bundle.diagnostics:
        if each.code == "NB407":
            yield f"{each.message} ({each.hint})"


def _differences(found: Comparison, folder: Path) -> Iterator[str]:
    done = found.changes
    reasons = f" ({'; '.join(found.reasons)})" if found.reasons else ""
    yield f"{shown_path(folder)} is out of date{reasons}:"
    for word, paths in (
        ("missing", done.new),
        ("differs", done.changed),
        ("edited", done.foreign),
        ("no longer made", done.removed),
        *((reason, (path,)) for path, reason in done.blocked),
    ):
        yield from (f"  {word:<14}  {path}" for path in paths)
    yield f"mend it: {_command(found, folder)}"


def _command(found: Comparison, folder: Path) -> str:
    """What to type, so that the bundle is made again as it was made."""
    manifest = found.manifest
    flags = manifest.flags
    words = ["nb2pipe", "convert", shown_path(found.notebook), "-o", shown_path(folder)]
    words += ["--to", manifest.target] if manifest.target != _DEFAULT else []
    words += [word for pattern in flags.include for word in ("--include", pattern)]
    words += [word for name in _TEXTS if (text := getattr(flags, name)) for word in (f"--{name}", text)]
    words += ["--mode", flags.mode] if flags.mode == "notebook" else []
    words += ["--templates", shown_path(folder / flags.templates)] if flags.templates is not None else []
    words += ["--types-from", "latest"] if manifest.types else []
    words += ["--force"] if found.changes.foreign else []
    return shlex.join(words)


def _comparison_json(found: Comparison, folder: Path) -> dict[str, object]:
    done = found.changes
    return {
        "folder": shown_path(folder),
        "notebook": shown_path(found.notebook),
        "up_to_date": found.up_to_date,
        "reasons": list(found.reasons),
        "missing": list(done.new),
        "differs": list(done.changed),
        "edited": list(done.foreign),
        "no_longer_made": list(done.removed),
        "blocked": [{"path": path, "reason": reason} for path, reason in done.blocked],
    }


def _json(bundle: Bundle, folder: Path, done: Changes) -> dict[str, object]:
    from nb2pipe.cli.diagnostics import as_json  # noqa: PLC0415 - help does without

    removed = _removed(bundle, done)
    return {
        "folder": shown_path(folder),
        "target": bundle.target,
        "package": bundle.plan.name,
        "files": list(bundle.paths),
        "written": [path for path in done.paths if path not in removed],
        "removed": sorted(removed),
        "steps": [{"name": step.name, "form": str(step.form), "reason": step.reason} for step in bundle.plan.steps],
        "diagnostics": as_json(bundle.diagnostics)["diagnostics"],
    }
