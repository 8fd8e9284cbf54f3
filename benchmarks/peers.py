"""Other tools on the same workloads, each in an environment of its own below `benchmarks/.peers/`.

The notebook is what Kale takes as it stands; for Ploomber and Metaflow each workload is written in their terms, as
their own guides do it: a script a task with `upstream` and `product`, and a flow whose steps hand attributes on.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from timing import Side

if TYPE_CHECKING:
    from collections.abc import Callable

    from workloads import Part, Workload

ENVIRONMENTS = Path(__file__).parent / ".peers"
PINS = {"Ploomber": "ploomber==0.23.3", "Metaflow": "metaflow==2.19.39", "Kale": "kubeflow-kale==2.3.0"}
LOGGERS = {"Aim": "aim==3.29.1"}
"""Those that log numbers; they need nothing else."""
REUSING = ("Ploomber",)
"""Those that look, without being asked, what has changed since the last run."""
LIBRARIES = ("pandas", "scikit-learn", "ipykernel")


def program(peer: str, name: str = "python") -> str:
    """The path of a program of a peer's environment, which is made if it is not there."""
    folder = ENVIRONMENTS / peer.lower()
    if not (folder / "complete").exists():
        needed = (LOGGERS[peer],) if peer in LOGGERS else (PINS[peer], *LIBRARIES)
        print(f"installing {needed[0]} into {folder} ...", file=sys.stderr, flush=True)
        python, pip = str(folder / "bin" / "python"), ("-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        if peer in PINS:
            subprocess.run([python, *pip, "torch==2.13.0"], check=True)
        subprocess.run([python, *pip, *needed], check=True)
        (folder / "complete").touch()
    return str(folder / "bin" / name)


def side(peer: str, workload: Workload, folder: Path) -> Side:
    """A peer that runs a workload, with two places where it can use them."""
    folder.mkdir(parents=True)
    return WRITERS[peer](workload, folder)


# ---------------------------------------------------------------------------------------------------- Ploomber


def _ploomber(workload: Workload, folder: Path) -> Side:
    tasks = []
    for part in workload.parts:
        (folder / f"{part.name}.py").write_text(_script(part, workload), encoding="utf-8")
        product = f"{{nb: out/{part.name}.ipynb, data: out/{part.name}.pkl}}"
        tasks.append(f"  - source: {part.name}.py\n    product: {product}\n")
    executor = "executor:\n  dotted_path: ploomber.executors.Parallel\n  processes: 2\n"
    (folder / "pipeline.yaml").write_text(f"{executor}tasks:\n{''.join(tasks)}", encoding="utf-8")
    return Side(
        name="Ploomber",
        commands=((program("Ploomber", "ploomber"), "build"),),
        folder=folder,
        afresh=("out",),
        variables={"PLOOMBER_STATS_ENABLED": "false", "PATH": _path("Ploomber")},
    )


def _script(part: Part, workload: Workload) -> str:
    upstream = repr(list(part.needs)) if part.needs else "None"
    loads = "".join(f'{name} = pickle.load(open(upstream["{name}"]["data"], "rb"))\n' for name in part.needs)
    return (
        f'# %% tags=["parameters"]\nupstream = {upstream}\nproduct = None\n\n# %%\nimport pickle\n{workload.imports}\n'
        f'# %%\n{loads}{part.code}\npickle.dump({part.name}, open(product["data"], "wb"))\n'
    )


# ---------------------------------------------------------------------------------------------------- Metaflow


def _metaflow(workload: Workload, folder: Path) -> Side:
    (folder / "flow.py").write_text(_flow(workload), encoding="utf-8")
    return Side(
        name="Metaflow",
        commands=((program("Metaflow"), "flow.py", "--quiet", "run", "--max-workers", "2"),),
        folder=folder,
        afresh=(".metaflow",),
        variables={"METAFLOW_USER": "benchmark", "METAFLOW_HOME": str(folder / "settings"), "PATH": _path("Metaflow")},
    )


def _flow(workload: Workload) -> str:
    """A flow: its first step is called `start`; steps that read several take their branches together."""
    parts, methods = workload.parts, []
    for number, part in enumerate(parts):
        after = [each.name for each in parts if part.name in each.needs] or ["end"]
        joins = len(part.needs) > 1
        given = "inputs.{0}" if joins else "self"
        lines = [f"{name} = {given.format(name)}.of_{name}" for name in part.needs]  # steps have their names already
        lines += [*part.code.split("\n"), f"self.of_{part.name} = {part.name}"]
        lines.append(f"self.next({', '.join(f'self.{name}' for name in after)})")
        head = f"    @step\n    def {part.name if number else 'start'}(self{', inputs' if joins else ''}):\n"
        body = "".join(f"        {line}\n" for line in [*workload.imports.strip().split("\n"), *lines])
        methods.append(head + body)
    end = "    @step\n    def end(self):\n        pass\n"
    return (
        "from metaflow import FlowSpec, step\n\n\nclass Flow(FlowSpec):\n"
        + "\n".join([*methods, end])
        + '\n\nif __name__ == "__main__":\n    Flow()\n'
    )


# ---------------------------------------------------------------------------------------------------- Kale

_LOCAL = """\
import re, sys
from kfp import local

# The packages are there already; without this each step would install them again.
text = open(".kale/kale-pipeline.kale.py").read()
open("made.py", "w").write(re.sub(r"packages_to_install=\\\\[.*?\\\\]", "packages_to_install=[]", text, flags=re.S))
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root="out", raise_on_error=True)
sys.path.insert(0, ".")
import made

made.auto_generated_pipeline()
"""


def _kale(workload: Workload, folder: Path) -> Side:
    workload.write(folder / "notebook.ipynb")
    (folder / "run_local.py").write_text(_LOCAL.replace("\\\\", "\\"), encoding="utf-8")
    return Side(
        name="Kale, `kfp.local`",
        commands=((program("Kale", "kale"), "--nb", "notebook.ipynb"), (program("Kale"), "run_local.py")),
        folder=folder,
        afresh=("out", ".kale", "made.py"),
        variables={"PATH": _path("Kale")},
    )


def _path(peer: str) -> str:
    return f"{Path(program(peer)).parent}{os.pathsep}{os.environ['PATH']}"


WRITERS: dict[str, Callable[[Workload, Path], Side]] = {"Ploomber": _ploomber, "Metaflow": _metaflow, "Kale": _kale}
