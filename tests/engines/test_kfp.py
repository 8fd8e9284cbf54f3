"""The target `kfp` with the real KFP: its compiler makes the same YAML, and `kfp.local` computes the same values."""

from __future__ import annotations

import http.server
import json
import math
import subprocess
import sys
import sysconfig
import threading
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from examples import EngineContract
from programs import program, variables

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES
from nb2pipe.testing.targets import Ran, digests

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DRIVER = Path(__file__).with_name("kfp_driver.py")
POD = "metadata.labels['pipeline/runid']"


def kfp(*arguments: str, path: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """The driver in KFP's environment; its processes find what steps need where the tests have it."""
    own = {"PYTHONPATH": str(path)} if path else {}
    return called([program("kfp", "python"), str(DRIVER), *arguments], {**more, **own})


def called(
    words: Sequence[str], more: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=folder, env=variables(**more), capture_output=True, text=True, check=False)


class Kfp:
    """`kfp.local`, with what it caches."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runs = 0
        self.printed = ""
        (root / "path").mkdir(parents=True)
        found = f"import site, sys\nsite.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
        (root / "path" / "sitecustomize.py").write_text(found)

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        known = json.dumps({"/".join(place): value for place, value in secrets.items()})
        before = set(self.root.glob("artifacts/*"))
        arguments = ("run", str(folder), str(self.root), json.dumps(dict(parameters)))
        path = Path(f"{folder}:{self.root / 'path'}")
        done = kfp(*arguments, path=path, KFP_SECRETS=known, **variables)
        self.printed = done.stdout + done.stderr
        sys.stderr.write(self.printed)
        (made,) = set(self.root.glob("artifacts/*")) - before
        records = [json.loads(file.read_text()) for file in made.rglob("state/*.json")]
        told = [json.loads(file.read_text()) for file in made.rglob("executor_output.json")]
        metrics = [each["artifacts"]["metrics"]["artifacts"][0]["metadata"] for each in told if has_metrics(each)]
        return Ran(
            succeeded=done.returncode == 0,
            records={record["step"]: record for record in records},
            metrics={name: value for each in metrics for name, value in each.items()},
            notebooks={file.stem.rpartition(".")[2]: file for file in made.rglob("notebook/*.ipynb")},
        )


def has_metrics(output: Mapping[str, Any]) -> bool:
    return "metrics" in output.get("artifacts", {})


@pytest.fixture
def engine(tmp_path: Path) -> Kfp:
    return Kfp(tmp_path / "kfp")


class TestKfp(EngineContract):
    name = "kfp"

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Kfp:
        return Kfp(tmp_path / "kfp")

    def accepts(self, folder: Path) -> None:
        done = kfp("compile", str(self.folder), str(folder))
        assert done.returncode == 0, done.stderr
        assert (self.folder / "0.yaml").read_text("utf-8") == (folder / "pipeline.yaml").read_text("utf-8")

    def runs_parameters(self, engine: Kfp) -> None:  # type: ignore[override]
        """As everywhere; but the client of KFP takes no None within a mapping."""
        self.assert_same_values(engine, Feature.PARAMETERS)
        given = {"count": -7, "rate": 1e-7, "title": '--it\'s "${{ x }}" {{ y }} $(z) `w`\\', "flag": False}
        self.assert_same_values(engine, Feature.PARAMETERS, **given, names=["-a", "b c"], table={"k": [1, 2.5, "x"]})

    def of(self, folder: Path, task: str = "make") -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The task, its container and its pod in the YAML."""
        content, platform = yaml.safe_load_all((folder / "pipeline.yaml").read_text("utf-8"))
        container = content["deploymentSpec"]["executors"][f"exec-{task}"]["container"]
        pods = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
        assert pods[f"exec-{task}"]["fieldPathAsEnv"] == [{"fieldPath": POD, "name": "NB2PIPE_RUN"}]
        return content["root"]["dag"]["tasks"][task], container, pods[f"exec-{task}"]

    def emitted_parallel(self, folder: Path) -> None:
        tasks = [self.of(folder, task)[0] for task in ("left", "right")]
        assert not [task for task in tasks if "dependentTasks" in task]

    def emitted_schedule(self, folder: Path) -> None:
        text = (folder / "schedule.py").read_text("utf-8")
        compile(text, "schedule.py", "exec")
        assert 'CRON = "0 30 3 * * 1-5"' in text
        assert "no_catchup=True" in text

    def emitted_timeout(self, folder: Path) -> None:
        assert self.of(folder)[2]["activeDeadlineSeconds"] == "4"

    def emitted_cpu(self, folder: Path) -> None:
        assert self.of(folder)[1]["resources"] == {"cpuLimit": 1.5, "resourceCpuLimit": "1500m"}

    def emitted_memory(self, folder: Path) -> None:
        assert self.of(folder)[1]["resources"] == {"memoryLimit": 3.221225472, "resourceMemoryLimit": "3Gi"}

    def emitted_gpu(self, folder: Path) -> None:
        accelerator = self.of(folder)[1]["resources"]["accelerator"]
        assert (accelerator["resourceType"], accelerator["resourceCount"]) == ("nvidia.com/gpu", "1")

    def emitted_image(self, folder: Path) -> None:
        line = next(each for each in (folder / "Dockerfile").read_text("utf-8").splitlines() if each.startswith("FROM"))
        assert line == f"FROM {CASES[Feature.IMAGE].flags['image']}"
        assert self.of(folder)[1]["image"] == "image"

    def emitted_step_images(self, folder: Path) -> None:
        assert self.of(folder)[1]["image"] == "registry.example.com:5000/team/train:1.2"
        assert self.of(folder, "use")[1]["image"] == "images"

    def emitted_labels(self, folder: Path) -> None:
        assert self.of(folder)[2]["podMetadata"] == {"labels": {"team": "vision"}}

    def emitted_annotations(self, folder: Path) -> None:
        wanted = {"example.com/page": "https://h:80/?a=b&c='d'"}
        assert self.of(folder)[2]["podMetadata"] == {"annotations": wanted}

    def emitted_owner(self, folder: Path) -> None:
        content = next(yaml.safe_load_all((folder / "pipeline.yaml").read_text("utf-8")))
        assert content["pipelineInfo"]["description"] == "Owner: team@example.com"


# ------------------------------------------------------------------------------------------------ the schedule


class Api:
    """What KFP's client talks to when it makes a recurring run."""

    def __init__(self) -> None:
        taken: list[tuple[str, dict[str, Any]]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer({"experiments": []})

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                taken.append((self.path, content))
                self.answer({**content, "experiment_id": "e1", "recurring_run_id": "r1"})

            def answer(self, content: Mapping[str, Any]) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(content).encode())

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.taken = taken
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_the_schedule_makes_a_recurring_run(tmp_path: Path) -> None:
    case = CASES[Feature.RUN_DATE]
    more = (("parameters",), 'rows = 3\nday = "1999-12-31"\n')
    replace(case, cells=(more, *(each for each in case.cells if each[0] != ("parameters",)))).write(tmp_path)
    folder = bundle_of(tmp_path / case.name, tmp_path / "bundle", **case.flags)
    api = Api()
    done = called([program("kfp", "python"), str(folder / "schedule.py"), api.url, "rows=7"], {"HOME": str(tmp_path)})
    api.server.shutdown()
    api.server.server_close()
    assert done.returncode == 0, done.stderr
    (content,) = [content for path, content in api.taken if path.endswith("/recurringruns")]
    assert content["trigger"]["cron_schedule"]["cron"] == "0 0 3 * * *"
    assert content["no_catchup"] is True
    assert content["max_concurrency"] == 1
    assert content["runtime_config"]["parameters"] == {"day": "[[ScheduledTime.2006-01-02]]", "rows": 7}
    assert content["pipeline_spec"]["pipeline_spec"]["pipelineInfo"]["name"] == "dated"
    assert "kubernetes" in content["pipeline_spec"]["platform_spec"]["platforms"]


# ------------------------------------------------------------------------------------------------ notebooks


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="kfp", **options), folder)
    return folder


def written(folder: Path, text: str, name: str = "n") -> Path:
    path = folder / f"{name}.py"
    path.write_text(dedent(text))
    return path


def ran(engine: Kfp, folder: Path, **parameters: object) -> Ran:
    done = engine.run(folder, parameters, secrets={}, variables={})
    assert done.succeeded, engine.printed
    return done


def values_of_run(home: Path, run: str) -> dict[str, str]:
    records = [json.loads(file.read_text()) for file in (home / "runs" / run / "steps").glob("*.json")]
    return digests({record["name"]: record for record in records})


MEETING_GATES = """
# %% tags=["parameters"]
one = 1.0
other = 1.0

# %% tags=["step:left", "gate:left_score > 0.5"]
left_score = one

# %% tags=["pipeline-metrics"]
print(left_score)

# %% tags=["step:right", "gate:right_score > 0.5"]
right_score = other

# %% tags=["pipeline-metrics"]
print(right_score)

# %% tags=["step:only-left", "prev:left"]
a = left_score + 1

# %% tags=["step:only-right", "prev:right"]
b = right_score + 1

# %% tags=["step:both"]
c = a + b

# %% tags=["step:deep", "gate:depth > 3"]
depth = c

# %% tags=["pipeline-metrics"]
print(depth)

# %% tags=["step:deeper"]
d = depth * 2
"""


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"only-left", "only-right", "both", "deep", "deeper"}),
        ({"one": 0.1}, {"only-right"}),
        ({"other": 0.1}, {"only-left"}),
    ],
)
def test_gates_that_do_not_lie_in_each_other_hold_too(
    given: dict[str, float], wanted: set[str], engine: Kfp, tmp_path: Path
) -> None:
    folder = bundle_of(written(tmp_path, MEETING_GATES), tmp_path / "bundle")
    done = ran(engine, folder, **given)
    assert {name for name, record in done.records.items() if "skipped" not in record} == wanted | {"left", "right"}


TOLD = """
# %% tags=["parameters"]
import os
workers = len(os.sep) + 2
nested = [1.0, [2, None]]
table = {"z": 1.0, "a": {"c": 2, "b": [3.0]}}
big = 2**60
large = 1152921504606846977
pair = (1, 2.5)
nothing = None
text = "a\\nb {{$.inputs}} \\u2028"
limit = 1e400
größe = 3

# %% tags=["step:take"]
taken = [workers, nested, table, big, large, pair, nothing, text, limit, größe]
"""

NONE: dict[str, Any] = {}
GIVEN: dict[str, Any] = {"workers": 7, "nested": [3.0], "large": 2**61, "nothing": {}, "text": "x", "limit": -math.inf}


@pytest.mark.parametrize("given", [NONE, GIVEN])
def test_parameters_that_kfp_has_no_form_for_keep_their_values(
    given: dict[str, Any], engine: Kfp, tmp_path: Path
) -> None:
    path = written(tmp_path, TOLD)
    folder = bundle_of(path, tmp_path / "bundle")
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
    done = ran(engine, folder, **{**texts, **({"limit": "-inf"} if given else {})})
    run = nb2pipe.run(path, home=tmp_path / "home", parameters=given, executor="subprocess")
    assert digests(done.records) == values_of_run(tmp_path / "home", run.run)


def test_components_stay_small_and_each_is_wired_to_the_steps_right_before_it(tmp_path: Path) -> None:
    filler = "".join(f"# {'x' * 100}\n" for _ in range(1500))  # more than Linux takes as an argument
    cells = [f'# %% tags=["step:first"]\n{filler}v0 = 1\n']
    cells += [f'# %% tags=["step:step{n}"]\nv{n} = v{n - 1} + 1\n' for n in range(1, 40)]
    folder = bundle_of(written(tmp_path, "\n".join(cells)), tmp_path / "bundle")
    content = next(yaml.safe_load_all((folder / "pipeline.yaml").read_text()))
    sizes = [len(each["container"]["command"][3]) for each in content["deploymentSpec"]["executors"].values()]
    assert max(sizes) < 10_000
    assert len(content["components"]) == 40
    wiring = [len(each.get("inputDefinitions", {}).get("artifacts", ())) for each in content["components"].values()]
    assert max(wiring) == 2  # the state of the step before it, and the value that it takes


# ------------------------------------------------------------------------------------------------ the compiler

HOSTILE = """
# %% tags=["parameters"]
train = "'''; import os; os.system('x') #"
dsl = "{{channel:task=a;name=b;type=String;}}"
state = "$(touch hacked) `x` \\"${{ y }}\\" {{ z }} */ !!python/object:os.system"
Output = ["a", {"b: c": "- d"}]
run_step = {"-": "#", "e": ""}

# %% tags=["step:train", "label:a.b/c:x y", "label:ok:1", "env:X:\\"'$(y)", "annotation:k:{{$.x}}"]
metrics = [train, dsl]
given = state

# %% tags=["step:pipeline", "retry:3:90s", "timeout:90s", "limit:memory:2Gi", "limit:cpu:2"]
Dataset = metrics + [Output, run_step, given]

# %% tags=["step:condition-1", "image:registry.example.com/a/b@sha256:DIGEST"]
kubernetes = Dataset

# %% tags=["step:klass"]
kfp = kubernetes

# %% tags=["step:Load_2"]
x = kfp

# %% tags=["step:load-2-2", "secret:s:k:K", "secret:s2:k:L", "gate:q > 1"]
q = len(x)

# %% tags=["pipeline-metrics"]
print(q)

# %% tags=["step:tell_failure"]
y = q
""".replace("DIGEST", "0a" * 32)


def test_what_is_emitted_is_what_the_compiler_makes_of_the_definition(tmp_path: Path) -> None:
    sources = [written(tmp_path, HOSTILE, "größe & co"), written(tmp_path, MEETING_GATES, "gates")]
    sources += [written(tmp_path, TOLD, "told")]
    folders = [bundle_of(path, tmp_path / f"example {number}") for number, path in enumerate(sources)]
    for feature, case in CASES.items():
        case.write(tmp_path)
        folders.append(bundle_of(tmp_path / case.name, tmp_path / f"of {feature.name}", **case.flags))
    done = kfp("compile", str(tmp_path), *map(str, folders))
    assert done.returncode == 0, done.stderr
    for number, folder in enumerate(folders):
        wanted = (tmp_path / f"{number}.yaml").read_text("utf-8")
        assert same_order((folder / "pipeline.yaml").read_text("utf-8")) == same_order(wanted), folder
        assert list(yaml.safe_load_all(wanted))


def same_order(text: str) -> list[str]:
    """The lines of a YAML file; KFP's comments show mappings in an order that is another one each time."""
    return ["".join(sorted(line)) if line.startswith("#") else line for line in text.splitlines()]


def test_hostile_texts_arrive_as_they_are(engine: Kfp, tmp_path: Path) -> None:
    path = written(tmp_path, HOSTILE.replace(', "secret:s:k:K", "secret:s2:k:L"', ""))
    folder = bundle_of(path, tmp_path / "bundle")
    done = ran(engine, folder)
    run = nb2pipe.run(path, home=tmp_path / "home", executor="subprocess")
    assert digests(done.records) == values_of_run(tmp_path / "home", run.run)
    assert not list(tmp_path.rglob("hacked"))


def test_an_image_by_name_is_compiled_in(tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, MEETING_GATES), tmp_path / "bundle")
    done = kfp("compile", str(tmp_path), str(folder), PIPELINE_IMAGE="registry.example.com/n@sha256:12")
    assert done.returncode == 0, done.stderr
    content = next(yaml.safe_load_all((tmp_path / "0.yaml").read_text()))
    images = {each["container"]["image"] for each in content["deploymentSpec"]["executors"].values()}
    assert images == {"registry.example.com/n@sha256:12"}


MEASURED = """
# %% tags=["parameters"]
layers = [2, 3]

# %% tags=["step:make", "gate:score > 4"]
import pandas as pd
table = pd.DataFrame({"a": layers, "b": [0.5, 1.5]})
score = float(table.a.sum())

# %% tags=["pipeline-metrics"]
print(score)

# %% tags=["step:use"]
rows = len(table) + score
"""


def test_a_component_needs_nothing_of_kfp_but_the_package_that_its_image_holds(tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, MEASURED), tmp_path / "bundle")
    assert "RUN python -m pip install --no-cache-dir --disable-pip-version-check --no-deps kfp==" in (
        folder / "Dockerfile"
    ).read_text("utf-8")
    places = called([program("kfp", "python"), "-c", "import kfp; print(kfp.__path__[0])"], {})
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "kfp").symlink_to(places.stdout.strip())
    content = next(yaml.safe_load_all((folder / "pipeline.yaml").read_text("utf-8")))
    container = content["deploymentSpec"]["executors"]["exec-make"]["container"]
    made = content["components"]["comp-make"]["outputDefinitions"]["artifacts"]
    artifacts = {
        name: {"artifacts": [{"name": name, "type": each["artifactType"], "uri": str(tmp_path / "out" / name)}]}
        for name, each in made.items()
    }
    told = tmp_path / "told" / "output.json"
    given = {
        "inputs": {"parameterValues": {"layers": [2.0, 3.0]}},
        "outputs": {"artifacts": artifacts, "outputFile": str(told)},
    }
    words = [each.replace("{{$}}", json.dumps(given)) for each in (*container["command"], *container["args"])]
    path = {"PYTHONPATH": f"{tmp_path / 'site'}:{folder}", "HOME": str(tmp_path)}
    done = called(words, path, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    output = json.loads(told.read_text())
    assert output["parameterValues"] == {"Output": True}
    assert output["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {"score": 5.0}
    metadata = output["artifacts"]["table"]["artifacts"][0]["metadata"]
    assert (metadata["type"], metadata["rows"], metadata["shape"]) == ("pandas.DataFrame", 2, [2, 2])
