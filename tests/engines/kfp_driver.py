"""Runs in KFP's own environment: `compile OUT FOLDER...`, and `run FOLDER ROOT PARAMETERS`, which uses `kfp.local`.

Tasks of `kfp.local` are processes in one folder. Here each begins in a folder of its own that holds what the Dockerfile
copies there, and has the variables that its pod would have.
"""

import datetime as dt
import json
import os
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import yaml
from kfp import compiler, components, local
from kfp.local import subprocess_task_handler

RUN = "b1946ac9-2492-4d23-a6f3-2a8f0c4a1e5d"
RUN_LABEL = "metadata.labels['pipeline/runid']"


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


def pods_of(text: str) -> dict[str, dict[str, str]]:
    """The variables that Kubernetes gives to the pod of each component, from secrets and from the pod itself.

    What secrets hold stands in `KFP_SECRETS`, by `SECRET/KEY`.
    """
    secrets = json.loads(os.environ.pop("KFP_SECRETS"))
    _, platform = yaml.safe_load_all(text)
    found = {}
    for label, pod in platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items():
        own = {each["name"]: RUN for each in pod.get("fieldPathAsEnv", ()) if each["fieldPath"] == RUN_LABEL}
        for secret in pod.get("secretAsEnv", ()):
            for pair in secret["keyToEnv"]:
                own[pair["envVar"]] = secrets[f"{secret['secretName']}/{pair['secretKey']}"]
        found[label] = own
    return found


def run(folder: str, root: str, parameters: str) -> None:
    """Runs what the YAML says; `pipeline.py` is not read."""
    text = Path(folder, "pipeline.yaml").read_text(encoding="utf-8")
    pods = pods_of(text)
    process = subprocess_task_handler.run_local_subprocess

    def apart(full_command: list[str], env_vars: dict[str, str] | None = None) -> int:
        place = Path(tempfile.mkdtemp(dir=root, prefix="pod-"))
        for name in data_of(Path(folder)):
            copy = shutil.copytree if Path(folder, name).is_dir() else shutil.copyfile
            copy(Path(folder, name), place / name)
        os.chdir(place)
        function = full_command[full_command.index("--function_to_execute") + 1]
        return process(full_command, {**(env_vars or {}), **pods.get(f"exec-{function.replace('_', '-')}", {})})

    subprocess_task_handler.run_local_subprocess = apart
    local.init(
        local.SubprocessRunner(use_venv=False),
        pipeline_root=str(Path(root, "artifacts")),
        enable_caching=True,
        cache_root=str(Path(root, "cache")),
    )
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # kfp.local knows no such placeholder
    component = components.load_component_from_text(text.replace("{{$.pipeline_job_create_time_utc}}", now))
    component(**json.loads(parameters))


if __name__ == "__main__":
    {"compile": compiled, "run": run}[sys.argv[1]](*sys.argv[2:])
