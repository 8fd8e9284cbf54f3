"""Runs in KFP's own environment: `compile OUT FOLDER...`, and `run FOLDER ROOT PARAMETERS`, which uses `kfp.local`.

Tasks of `kfp.local` are processes in one folder. Here each begins in a folder of its own that holds what the Dockerfile
copies there, as containers do.
"""

import json
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

from kfp import compiler, components, local
from kfp.local import subprocess_task_handler


def compiled(out: str, *folders: str) -> None:
    """Compiles the definition in each folder into a file of its number."""
    for number, folder in enumerate(folders):
        module = runpy.run_path(str(Path(folder, "pipeline.py")))
        compiler.Compiler().compile(module["pipeline"], str(Path(out, f"{number}.yaml")))
        components.load_component_from_file(str(Path(folder, "pipeline.yaml")))


def data_of(folder: Path) -> list[str]:
    """What the Dockerfile copies to where steps run."""
    rows = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    prefix = "COPY --chown=10001:10001 "
    return [json.loads(row.removeprefix(prefix))[0] for row in rows if row.startswith(prefix)]


def run(folder: str, root: str, parameters: str) -> None:
    """Runs what the YAML says; `pipeline.py` is not read."""
    text = Path(folder, "pipeline.yaml").read_text(encoding="utf-8")
    process = subprocess_task_handler.run_local_subprocess

    def apart(*arguments: object, **more: object) -> int:
        place = Path(tempfile.mkdtemp(dir=root, prefix="pod-"))
        for name in data_of(Path(folder)):
            copy = shutil.copytree if Path(folder, name).is_dir() else shutil.copyfile
            copy(Path(folder, name), place / name)
        os.chdir(place)
        return process(*arguments, **more)

    subprocess_task_handler.run_local_subprocess = apart
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(Path(root, "artifacts")),
        enable_caching=True,
        cache_root=str(Path(root, "cache")),
    )
    components.load_component_from_text(text)(**json.loads(parameters))


if __name__ == "__main__":
    {"compile": compiled, "run": run}[sys.argv[1]](*sys.argv[2:])
