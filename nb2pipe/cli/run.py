"""`nb2pipe run`: runs a notebook as a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from nb2pipe import api
from nb2pipe.cli.arguments import EXECUTOR, JOBS, NOTEBOOK, PARAMETER, STORE, TRACKER, ParameterCommand
from nb2pipe.cli.compiled import compiled
from nb2pipe.cli.conduct import conduct
from nb2pipe.cli.parameters import given_values
from nb2pipe.cli.planned import tell_plan
from nb2pipe.cli.session import common, current
from nb2pipe.errors import UsageError
from nb2pipe.execution.converted import read_converted
from nb2pipe.execution.options import SEEDS, RunOptions
from nb2pipe.execution.plan import plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nb2pipe.cli.session import Session
    from nb2pipe.execution.model import Package
    from nb2pipe.pipeline.model import Pipeline

_EPILOG = """\b
Exit code: 0; 3 the notebook has errors; 5 a step failed; 130 interrupted.

\b
Examples:
  nb2pipe run train.ipynb
  nb2pipe run train.ipynb out.ipynb -p lr 0.1 -p epochs=3
  nb2pipe run train.ipynb -f params.yaml -j 2
  nb2pipe run train.ipynb --dry-run
  nb2pipe run train.ipynb --executor subprocess
  nb2pipe run train_pipeline
  nb2pipe run train.ipynb --store s3://bucket/team      reuse what others ran, share what runs here
  nb2pipe run train.ipynb --tracker mlflow              send it to MLFLOW_TRACKING_URI
  nb2pipe run train.ipynb --json | tail -1 | jq .metrics
"""


@click.command("run", cls=ParameterCommand, short_help="Run a notebook as a pipeline.", epilog=_EPILOG)
@NOTEBOOK
@click.argument("output", required=False, type=click.Path(dir_okay=False, path_type=Path), metavar="[OUT.ipynb]")
@PARAMETER
@click.option(
    "-f",
    "--parameters-file",
    "files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parameters from a YAML or JSON file; -y and -p win over it.",
)
@click.option(
    "-y",
    "--parameters-yaml",
    "texts",
    multiple=True,
    metavar="YAML",
    help="Parameters as YAML, such as '{lr: 0.1, layers: [8, 8]}'; -p wins over it.",
)
@JOBS
@click.option(
    "-k",
    "--kernel",
    metavar="KERNEL",
    envvar="NB2PIPE_KERNEL",
    show_envvar=True,
    help="The kernel; by default the notebook's.",
)
@click.option(
    "--cwd",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    envvar="NB2PIPE_CWD",
    show_envvar=True,
    help="The folder in which the steps run; by default the notebook's.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would run; nothing is executed or written.")
@click.option("--keep-going", is_flag=True, help="A step that fails stops only what depends on it.")
@click.option(
    "--from", "first", metavar="STEP", help="Run only STEP and what follows from it, on results of earlier runs."
)
@click.option("--until", "last", metavar="STEP", help="Run only STEP and what it follows from.")
@click.option("--only", metavar="STEP", help="Run only STEP, on results of earlier runs.")
@click.option("--force", is_flag=True, help="Run all steps again; what they make is kept for later runs.")
@click.option("--no-cache", is_flag=True, help="Take no results of earlier runs, and keep none for later ones.")
@EXECUTOR
@click.option(
    "--seed",
    type=click.IntRange(0, SEEDS - 1),
    metavar="N",
    envvar="NB2PIPE_SEED",
    show_envvar=True,
    help="The initial state of random, NumPy and torch; by default the home's, drawn at its first run.",
)
@click.option("--fresh-random", is_flag=True, help="Draw the initial random state anew for this run.")
@TRACKER
@STORE
@click.option("--name", metavar="NAME", help="A name for the run, by which other commands find it.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A word to find the run by. May be repeated.")
@click.option("--note", metavar="TEXT", help="A note that is kept with the run.")
@common
@click.pass_context
def command(ctx: click.Context, /, notebook: Path, output: Path | None, *, dry_run: bool, **more: Any) -> None:
    """Run NOTEBOOK as a pipeline, each step in a kernel of its own.

    NOTEBOOK may be a folder that `nb2pipe convert` made: then its modules run, as they stand there.

    OUT.ipynb is the executed notebook with all outputs; the run keeps one in the home too.
    """
    session = current(ctx)
    _check_output(output)
    pipeline, package = _to_run(notebook, session)
    parameters = given_values(more["given"], more["files"], more["texts"])
    options = RunOptions(
        parameters=parameters,
        jobs=more["jobs"],
        kernel=more["kernel"],
        folder=more["cwd"],
        home=session.home,
        seed=_seed(ctx),
        fresh_random=more["fresh_random"],
        executor=_executor(ctx, package),
        package=package,
        name=more["name"],
        tags=_tags(more["tags"]),
        note=more["note"],
        output=output,
        keep_going=more["keep_going"],
        force=more["force"],
        no_cache=more["no_cache"],
        first=more["first"],
        last=more["last"],
        only=more["only"],
        store=more["store"],
        trackers=tuple(more["trackers"]),
    )
    if dry_run:
        api.check_executor(pipeline, options)
        tell_plan(session, plan(pipeline, options))
        return
    ctx.exit(
        conduct(
            session,
            lambda listeners, cancel: api.start(pipeline, options, listeners=listeners, cancel=cancel),
            output=output,
            what="notebook" if package is None else "module",
        )
    )


def _to_run(notebook: Path, session: Session) -> tuple[Pipeline, Package | None]:
    """The pipeline, and where a converted directory was given its package."""
    if not notebook.is_dir():
        return compiled(notebook, session), None
    converted = read_converted(notebook)
    return converted.pipeline, converted.package


def _executor(ctx: click.Context, package: Package | None) -> str:
    """The executor; for a converted directory only the command line itself says another than `subprocess`."""
    said = ctx.get_parameter_source("executor") is ParameterSource.COMMANDLINE
    name: str = ctx.params["executor"]
    return name if said or package is None else api.default_executor(package)


def _seed(ctx: click.Context) -> int | None:
    """The seed; `--fresh-random` on the command line wins over one that the environment or the project says."""
    fresh = ctx.params["fresh_random"]
    said = ctx.get_parameter_source("seed") is ParameterSource.COMMANDLINE
    seed: int | None = ctx.params["seed"]
    return None if fresh and not said else seed


def _tags(tags: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tags))


def _check_output(output: Path | None) -> None:
    """The rest is checked where a run is prepared."""
    if output is not None and output.suffix != ".ipynb":
        raise UsageError(f"the executed notebook {output} has to end in .ipynb", hint="parameters are given with -p")
