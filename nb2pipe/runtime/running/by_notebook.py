"""A step as its notebook, through papermill: the same values, files, gates and records as its module gives.

The notebook that was executed is kept, also where the step failed; values of secrets are masked in it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import InternalError, StepError, StoreError, UsageError
from nb2pipe.records.masking import Masking, masking_of, masking_of_environment
from nb2pipe.records.values import masked
from nb2pipe.runtime.heard_secrets import HeardSecrets
from nb2pipe.runtime.running.alone import NOTEBOOK, Alone, read_command_line
from nb2pipe.runtime.running.asked import VARIABLE, Asked
from nb2pipe.runtime.running.told import metrics_shown, tell, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nb2pipe.runtime.description import Description, StepFacts
    from nb2pipe.runtime.handover import Folders

_PROGRAM = """\
import sys
sys.path.insert(0, sys.argv[1])
from nb2pipe.runtime.running.papermill_process import main
main()
"""
_KERNEL = "nb2pipe-step"
_PATHS = "JUPYTER_PATH"
_PATIENCE = 10.0
"""Seconds that an interrupted notebook gets to end."""
_STYLES = re.compile(r"\x1b\[[0-9;:]*m")


def is_asked_for(words: Sequence[str], facts: StepFacts) -> bool:
    """Whether a command line asks for the notebook; it is read before anything of the author's is imported."""
    flags = [f"--nb2pipe-{NOTEBOOK}", *([] if NOTEBOOK in facts.parameters else [f"--{NOTEBOOK}"])]
    parser = ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(*flags, dest="notebook", nargs="?")
    return any(word.partition("=")[0] in flags for word in words) and bool(parser.parse_known_args(words)[0].notebook)


def run_notebook(package: str, description: Description, facts: StepFacts, arguments: Sequence[str] | None) -> None:
    """Runs a step as its notebook.

    Args:
        package: The name of the package.
        description: The pipeline.
        facts: The step.
        arguments: The command line; None for that of this process.

    Raises:
        UsageError: Something is wrong with the command line, or papermill is not installed.
        StepError: The code of the step failed.
    """
    given = read_command_line(package, facts, arguments)
    missing = [name for name in ("papermill", "ipykernel") if find_spec(name) is None]
    if missing:
        hint = f"pip install {' '.join(missing)}"
        raise UsageError(f"a step runs as a notebook only where {' and '.join(missing)} are installed", hint=hint)
    known = description.taking(facts.name, given.parameters)
    alone = Alone(description=known, facts=known.step(facts.name), given=given)
    out = Path(given.own[NOTEBOOK]).absolute()
    _keep(
        _source(description, facts), out
    )  # where a gate keeps it from running, or it is killed, that is what there is
    alone.run(lambda folders: _Run(alone, folders, out).run())


def _source(description: Description, facts: StepFacts) -> dict[str, Any]:
    file = Path(description.folder, "notebooks", f"{facts.file}.ipynb")
    try:
        return dict(json.loads(file.read_bytes()))
    except (OSError, ValueError) as cause:
        hint = "it belongs to the bundle; convert the notebook again"
        raise UsageError(f"`{file}` cannot be read: {cause}", hint=hint) from cause


def _keep(notebook: Mapping[str, Any], out: Path) -> None:
    aside = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        aside.replace(out)
    except OSError as cause:
        hint = "look at space and permissions of its folder"
        raise StoreError(f"`{out}` cannot be written: {cause.strerror or cause}", hint=hint) from cause


@dataclass(frozen=True, slots=True)
class _Run:
    """A notebook that runs.

    Attributes:
        alone: The step.
        folders: Where it takes from and leaves.
        out: Where the executed notebook is kept.
    """

    alone: Alone
    folders: Folders
    out: Path

    def run(self) -> dict[str, float]:
        """Runs it; what it measured.

        Raises:
            StepError: The code of the step failed.
        """
        work = Path(tempfile.mkdtemp(prefix="nb2pipe-"))
        try:
            return self._run(work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def _run(self, work: Path) -> dict[str, float]:
        facts, given = self.alone.facts, self.alone.given.parameters
        masking = masking_of(given) | masking_of(
            {f"{name}_secret": given[name] for name in facts.secrets & given.keys()}
        )
        masking |= masking_of_environment(os.environ)
        asked = self._asked(work)
        began = time.monotonic()
        with HeardSecrets(work, masking) as heard:
            asked.serve()
            try:
                code = self._executed(asked)
            finally:
                heard.listen()
                notebook = self._kept(work, masking)
        told = asked.told()
        if code == 0 and told.get("done"):
            tell(f"{facts.name}: done in {time.monotonic() - began:.1f} s{metrics_shown(told['shown'])}")
            return dict(told["metrics"])
        raise self._error(masking.value(told), notebook)

    def _asked(self, work: Path) -> Asked:
        folders, passage = self.folders, self.folders.passage
        return Asked(
            folder=work,
            given=self.alone.given.parameters,
            values={
                "inputs": [str(folder) for folder in folders.inputs],
                "outputs": str(folders.outputs) if folders.outputs else "",
                "files": folders.files,
                "passage": {"url": passage.url, "run": passage.run, "folder": str(passage.folder)} if passage else None,
            },
            seed=self.alone.given.own["seed"],
            environment={_PATHS: os.environ.get(_PATHS)},
        )

    def _executed(self, asked: Asked) -> int:
        """Executes it; the exit code of papermill."""
        facts, given = self.alone.facts, self.alone.given.parameters
        hidden = masked(given)
        shown = {name: value for name, value in given.items() if hidden[name] is value and name not in facts.secrets}
        told = {
            "notebook": str(Path(self.alone.description.folder, "notebooks", f"{facts.file}.ipynb")),
            "out": str(asked.folder / "out.ipynb"),
            "parameters": {"nb2pipe_bundle": self.alone.description.folder, **shown},
            "kernel": _kernel(asked.folder),
        }
        paths = os.pathsep.join(filter(None, [str(asked.folder), os.environ.get(_PATHS)]))
        root = str(Path(__file__).resolve().parents[3])
        process = subprocess.Popen(  # noqa: S603  # this Python, with a program of ours
            [sys.executable, "-W", "ignore", "-c", _PROGRAM, root],
            stdin=subprocess.PIPE,
            env={**os.environ, VARIABLE: str(asked.folder), _PATHS: paths},
            start_new_session=True,  # Ctrl-C is told to the kernel by us
        )
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(told, default=list).encode("ascii") + b"\n")
                process.stdin.flush()
            return _waited(process, asked)
        finally:
            with suppress(OSError):
                process.stdin.close()
            process.wait()

    def _kept(self, work: Path, masking: Masking) -> dict[str, Any]:
        """Keeps the executed notebook, without secrets, and under the name of the kernel that the author's has."""
        try:
            notebook = dict(json.loads((work / "out.ipynb").read_bytes()))
        except (OSError, ValueError):  # it did not come so far
            return {}
        source = _source(self.alone.description, self.alone.facts)
        notebook["metadata"]["kernelspec"] = source["metadata"]["kernelspec"]
        notebook["metadata"].get("papermill", {}).update({"output_path": str(self.out)})
        found = {**notebook, "cells": [masking.value(_joined(cell)) for cell in notebook["cells"]]}
        found["metadata"] = masking.value(found["metadata"])
        _keep(found, self.out)
        if self.folders.passage is not None:
            text = self.out.read_text(encoding="utf-8")
            warn(self.folders.passage.keep_notebook(self.alone.description, self.alone.facts, text))
        return found

    def _error(self, told: Mapping[str, Any], notebook: Mapping[str, Any]) -> BaseException:
        """What to say of a notebook that did not come to its end."""
        facts, description = self.alone.facts, self.alone.description
        for line in _tracebacks(notebook):
            tell(line)
        if "error" in told:
            kinds = {each.exit_code: each for each in (UsageError, StepError, StoreError)}
            kind = kinds.get(told["error"]["exit_code"], InternalError)
            return kind(told["error"]["message"], hint=told["error"]["hint"])
        failure = told.get("failure")
        if failure is None:
            hint = "a kernel that ends by itself mostly lacks memory, or the cell ended Python"
            return StepError(f"the step `{facts.name}` failed: its notebook did not come to its end", hint=hint)
        if failure["kind"] == KeyboardInterrupt.__name__:
            return KeyboardInterrupt(f"in the step `{facts.name}`")
        place = f" in {facts.notebook or description.notebook}, cell {failure['cell']}, line {failure['line']}"
        text = f"{failure['kind']}: {failure['message']}".rstrip(": ")
        return StepError(f"the step `{facts.name}` failed{place}: {text}")


def _kernel(folder: Path) -> str:
    """A kernel of this Python, wherever the notebook's own may be."""
    place = folder / "kernels" / _KERNEL
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]
    told = {"argv": command, "display_name": "Python", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(told), encoding="utf-8")
    return _KERNEL


def _waited(process: subprocess.Popen[bytes], asked: Asked) -> int:
    """The exit code of a process; an interrupt is told to the author's code, which ends as it likes."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        kernel = asked.process()
        if kernel is None:
            raise
        with suppress(ProcessLookupError):
            os.kill(kernel, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)
        raise


def _joined(cell: Any) -> Any:
    """A cell whose texts are whole: a secret may go over several lines."""
    match cell:
        case dict():
            return {key: _joined(value) for key, value in cell.items()}
        case list() if (
            cell and all(isinstance(line, str) for line in cell) and all(line.endswith("\n") for line in cell[:-1])
        ):
            return "".join(cell)
        case list():
            return [_joined(item) for item in cell]
        case _:
            return cell


def _tracebacks(notebook: Mapping[str, Any]) -> Iterator[str]:
    for cell in notebook.get("cells", ()):
        for output in cell.get("outputs", ()):
            if output.get("output_type") == "error":
                lines = output["traceback"]
                yield _STYLES.sub("", lines if isinstance(lines, str) else "\n".join(lines))
