"""The target `jenkins`: Groovy runs the Jenkinsfile, whose scripts compute the values of the notebook."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from jenkins_engine import Jenkins, Told
from programs import EXAMPLES

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.testing.targets import TargetContract, digests

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {("account", "home"): os.environ["HOME"]}
"""Of the examples."""


@pytest.fixture
def jenkins(tmp_path: Path) -> Jenkins:
    return Jenkins(tmp_path / "jenkins")


class TestJenkins(TargetContract):
    name = "jenkins"

    @pytest.fixture
    def engine(self, jenkins: Jenkins) -> Jenkins:
        return jenkins

    def read(self, folder: Path) -> Told:
        return Jenkins(self.folder / "dry").build(folder, {}, credentials={}, variables={}, dry=True)

    def emitted_schedule(self, folder: Path) -> None:
        assert self.read(folder).directives["cron"] == "TZ=UTC\n30 3 * * 1-5"

    def emitted_timezone(self, folder: Path) -> None:
        assert self.read(folder).directives["cron"] == "TZ=Europe/Berlin\n30 3 * * 1-5"

    def emitted_cpu(self, folder: Path) -> None:
        assert self.read(folder).images["make"][1].endswith("LOGNAME=jenkins --cpus 1.5")

    def emitted_memory(self, folder: Path) -> None:
        assert self.read(folder).images["make"][1].endswith(f" --memory {3 * 1024**3}b")

    def emitted_gpu(self, folder: Path) -> None:
        images = self.read(folder).images
        assert images["make"][1].endswith(" --gpus 1")
        assert "--gpus" not in images["use"][1]

    def emitted_image(self, folder: Path) -> None:
        image = "registry.example.com:5000/team/python@sha256:" + "0a" * 32
        assert [one[0] for one in self.read(folder).images.values()] == [image, image]

    def emitted_step_images(self, folder: Path) -> None:
        images = self.read(folder).images
        assert images["make"][0] == "registry.example.com:5000/team/train:1.2"
        assert images["use"][0].startswith("python:3.")

    def emitted_owner(self, folder: Path) -> None:
        assert "\n// Owner: team@example.com\n" in (folder / "Jenkinsfile").read_text()


EXAMPLE_RUNS: dict[str, dict[str, object]] = {"digits": {"epochs": 2, "lr": 0.1}, "survey": {}, "tour": {}}


@pytest.mark.parametrize("name", EXAMPLE_RUNS)
def test_an_example_has_the_values_of_a_run(name: str, jenkins: Jenkins, tmp_path: Path) -> None:
    for file in EXAMPLES.glob("*.ipynb"):
        shutil.copy(file, tmp_path)
    folder, given = tmp_path / "bundle", EXAMPLE_RUNS[name]
    write(nb2pipe.emit(nb2pipe.load(tmp_path / f"{name}.ipynb"), target="jenkins"), folder)
    ran = jenkins.run(folder, given, secrets=SECRETS, variables={})
    assert ran.succeeded, "\n".join(jenkins.builds[-1].log)
    run = nb2pipe.run(tmp_path / f"{name}.ipynb", parameters=given, home=tmp_path / "home", executor="subprocess")
    files = (tmp_path / "home" / "runs" / run.run / "steps").glob("*.json")
    wanted = digests({one["name"]: one for one in (json.loads(file.read_text()) for file in files)})
    wanted = {each: digest for each, digest in wanted.items() if not each.startswith("plot.")}  # figures have ids
    made = digests(ran.records)
    assert {each: made[each] for each in wanted} == wanted
    assert wanted
    assert {key: ran.metrics[key] for key in run.metrics} == run.metrics
