"""Runs a Jenkinsfile by Groovy, with the steps of Jenkins that ours use (`jenkins.groovy`)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from github_runner import repository_of

from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Mapping

_STUB = Path(__file__).with_name("jenkins.groovy")
_PROGRAM = """\
#!/bin/sh
# Python that installs nothing: that of the tests has what the steps need.
if [ "$1 $2" = "-m venv" ]; then
  for last; do :; done
  mkdir -p "$last/bin"
  exec cp "$0" "$last/bin/python"
fi
if [ "$1 $2 $3" = "-m pip install" ]; then
  for last; do :; done
  exec test -f "$last"
fi
exec {python} "$@"
"""


def _java() -> Path:
    """The home of the Java that is installed; Debian's groovy looks only for the default one."""
    found = shutil.which("java")
    assert found
    return Path(found).resolve().parents[1]


@dataclass
class Told:
    """What came of a build.

    Attributes:
        result: As Jenkins says it.
        stages: What came of each.
        log: What was printed.
        declared: The job's parameters with their defaults.
        directives: Others that were read.
        images: The image and the options of Docker, by stage.
        archive: The folder of the build's artifacts.
        stashes: The folder of what was handed on.
    """

    result: str
    stages: dict[str, str]
    log: list[str]
    declared: dict[str, Any]
    directives: dict[str, Any]
    images: dict[str, list[str]]
    archive: Path
    stashes: Path


@dataclass
class Jenkins:
    """A Jenkins with a job for each bundle, which lies in a folder of its repository."""

    place: Path
    inside: str = "pipelines/one"
    builds: list[Told] = field(default_factory=list)

    def build(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        credentials: Mapping[str, str],
        variables: Mapping[str, str],
        dry: bool = False,
    ) -> Told:
        """A build; a dry one only reads the file."""
        place = self.place / f"build-{len(self.builds) + 1}"
        place.mkdir(parents=True)
        repository = repository_of(folder, place / "repository", self.inside)
        config = {
            "jenkinsfile": str(repository / self.inside / "Jenkinsfile"),
            "repository": str(repository),
            "place": str(place),
            "parameters": parameters,
            "credentials": dict(credentials),
            "environment": {"PATH": f"{self._programs()}:/usr/bin:/bin", "HOME": str(place), **variables},
            "tag": f"jenkins-one-{len(self.builds) + 1}",
            "dry": dry,
        }
        (place / "config.json").write_text(json.dumps(config), "utf-8")
        done = subprocess.run(
            ["groovy", "-c", "UTF-8", str(_STUB), str(place / "config.json")],
            env={
                **os.environ,
                "JAVA_HOME": str(_java()),
                "JAVA_OPTS": "-Xshare:auto -XX:TieredStopAtLevel=1 -Dfile.encoding=UTF-8",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads((place / "told.json").read_text("utf-8"))
        self.builds.append(Told(**told, archive=place / "archive", stashes=place / "stashes"))
        return self.builds[-1]

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        given = {name: value if isinstance(value, str) else json.dumps(value) for name, value in parameters.items()}
        ids = {f"{secret}-{key}": value for (secret, key), value in secrets.items()}
        told = self.build(folder, given, credentials=ids, variables=variables)
        records = [json.loads(file.read_text("utf-8")) for file in told.stashes.glob("*/values/*/*.json")]
        metrics: dict[str, float] = {}
        for file in sorted(told.archive.glob("values/*/told/metrics.json")):
            metrics |= json.loads(file.read_text("utf-8"))
        return Ran(
            succeeded=told.result == "SUCCESS",
            records={one["step"]: one for one in records},
            metrics=metrics,
            notebooks={path.stem: path for path in told.archive.glob("values/*/told/*.ipynb")},
        )

    def _programs(self) -> Path:
        folder = self.place / "bin"
        folder.mkdir(exist_ok=True, parents=True)
        program = folder / "python"
        program.write_text(_PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
        return folder
