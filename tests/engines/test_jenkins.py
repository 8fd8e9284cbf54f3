"""The target `jenkins`: Groovy runs the Jenkinsfile, whose scripts compute the values of the notebook."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from examples import EngineContract
from jenkins_engine import Jenkins, Told
from test_hostile import WORST, case_of

import nb2pipe
from nb2pipe.bundles.write import write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def jenkins(tmp_path: Path) -> Jenkins:
    return Jenkins(tmp_path / "jenkins")


class TestJenkins(EngineContract):
    name = "jenkins"

    @pytest.fixture
    def engine(self, jenkins: Jenkins) -> Jenkins:
        return jenkins

    def accepts(self, folder: Path) -> None:
        assert self.read(folder).result == "SUCCESS"

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


def bundle_of(text: str, folder: Path) -> Path:
    path = folder / "source" / "n.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))
    write(nb2pipe.emit(nb2pipe.load(path), target="jenkins", folder=folder / "bundle"), folder / "bundle")
    return folder / "bundle"


def test_parameters_never_become_variables_that_programs_know(jenkins: Jenkins, tmp_path: Path) -> None:
    folder = bundle_of(
        """
        # %% tags=["parameters"]
        import os
        path = "p"
        home = "h"
        lr = 1
        LR = 2
        größe = 1.5
        color = "red"
        workers = os.cpu_count()
        api_token = "abc"
        lines = "two\\nlines"
        nothing = None

        # %% tags=["step:make", "env:COLOR:blue", "secret:db:password:DB_PASSWORD"]
        print("made", path, home, lr, LR, größe, color, lines, nothing, api_token[::-1], os.environ["COLOR"])
        shadowed = os.environ["DB_PASSWORD"] == "$x 'y'"
        print("password", shadowed)
        """,
        tmp_path,
    )
    credentials = {"db-password": "$x 'y'", "api_token": "cba"}
    told = jenkins.build(folder, {"LR_2": "7", "PARAMETER": "2.5"}, credentials=credentials, variables={})
    log = "\n".join(told.log)
    assert told.result == "SUCCESS", log
    assert "made p h 1 7 2.5 red two\nlines None abc blue" in log
    assert "password True" in log
    assert told.declared["PARAMETER_path"] == "p"
    assert "api_token" not in told.declared


def test_hostile_texts_stay_texts(jenkins: Jenkins, tmp_path: Path) -> None:
    told = replace(WORST, default=f"{WORST.default} \\u0027 \\u000a\u202e", owner=f"{WORST.owner} \\u000a error 'x'")
    case = case_of(told)
    case.write(tmp_path)
    folder = tmp_path / "bundle"
    write(nb2pipe.emit(nb2pipe.load(tmp_path / case.name), target="jenkins", **case.flags), folder)
    title = "'\"; touch hacked; ${{ x }} $(touch hacked) `touch hacked` \\u0027 $$"
    built = jenkins.build(folder, {"title": title}, credentials={"db-password": "x"}, variables={})
    assert built.result == "SUCCESS", "\n".join(built.log)
    assert built.stages.keys() == {"find the bundle", "make", "use"}
    (record,) = (json.loads(file.read_text()) for file in built.stashes.glob("make/values/make/make.json"))
    assert record["metrics"] == {"score": len(title)}
    assert not list(tmp_path.rglob("hacked"))
    plain = replace(WORST, default=WORST.default.replace("\n", " "))
    case_of(plain).write(tmp_path)
    write(nb2pipe.emit(nb2pipe.load(tmp_path / case.name), target="jenkins", **case.flags), folder, force=True)
    dry = jenkins.build(folder, {}, credentials={}, variables={}, dry=True)
    assert dry.declared == {"title": plain.default}


def test_forty_steps_side_by_side_and_one_after_the_other(jenkins: Jenkins, tmp_path: Path) -> None:
    steps = "".join(
        f'\n# %% tags=["step:s{number}", "gate:v{number} > 0", "retry:1:5s", "timeout:90s"]\n'
        f"v{number} = {f'v{number - 1}' if number % 8 else '1'}\n"
        f'\n# %% tags=["pipeline-metrics"]\nprint(v{number})\n'
        for number in range(40)
    )
    began = time.monotonic()
    folder = bundle_of(steps, tmp_path)
    assert time.monotonic() - began < 2
    told = jenkins.build(folder, {}, credentials={}, variables={}, dry=True)
    assert len([name for name in told.stages if name.startswith("s") and "," not in name]) == 40


def test_what_is_out_of_time_is_told_and_stops_the_rest(jenkins: Jenkins, tmp_path: Path) -> None:
    folder = bundle_of(
        """
        # %% tags=["step:make", "timeout:2s", "retry:1"]
        import time
        time.sleep(60)
        x = 1

        # %% tags=["step:use"]
        y = x
        """,
        tmp_path,
    )
    told = jenkins.build(folder, {}, credentials={}, variables={})
    assert told.result == "ABORTED"
    assert told.stages == {"find the bundle": "SUCCESS", "make": "FAILURE", "use": "SKIPPED"}
