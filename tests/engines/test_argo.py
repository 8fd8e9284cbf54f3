"""The target `argo`: what Argo's schema, Hera and our own check say of it, and what a DAG of processes makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from argo_driver import Argo, ArgoError, Finished
from argo_references import dangling
from examples import EngineContract
from lasting import Lasting, lasting
from programs import program

import nb2pipe
from nb2pipe.bundles.write import write
from nb2pipe.testing.targets import Ran

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

CHECK = Path(__file__).with_name("argo_check.py")
CHECKERS: list[Lasting] = []


@pytest.fixture(scope="module", autouse=True)
def _checker() -> Iterator[None]:
    """Hera and the schema, which take seconds to be read."""
    with lasting(program("argo", "python"), CHECK) as checker:
        CHECKERS.append(checker)
        yield
        CHECKERS.remove(checker)


def refused(folder: Path) -> list[str]:
    """What Argo's schema, Hera and our own check have against a workflow."""
    found: list[str] = CHECKERS[-1].ask(folder / "workflow.yaml")
    return found + dangling(manifest(folder))


def manifest(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "workflow.yaml").read_text("utf-8"))
    return content


def accepted(folder: Path) -> dict[str, Any]:
    """The manifest of a bundle; nothing has anything against it."""
    assert refused(folder) == []
    return manifest(folder)


def template(content: Mapping[str, Any], name: str) -> dict[str, Any]:
    spec = content["spec"].get("workflowSpec", content["spec"])
    (found,) = (each for each in spec["templates"] if each["name"] == name)
    return dict(found)


def submitted(value: object) -> str:
    """A value as `argo submit -p` takes it."""
    return value if isinstance(value, str) else json.dumps(value)


def records(finished: Finished) -> dict[str, Any]:
    """What the steps left, by name."""
    files = [
        file
        for node in finished.nodes.values()
        if "values" in node.artifacts
        for file in node.artifacts["values"].glob("*.json")
    ]
    found = [json.loads(file.read_text("utf-8")) for file in files]
    return {record["step"]: record for record in found if "step" in record}


class ArgoEngine:
    """Runs bundles for the contract."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs = 0

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        self._runs += 1
        work = self._folder / f"argo-{self._runs}"
        work.mkdir()
        given = {name: submitted(value) for name, value in parameters.items()}
        if "NB2PIPE_STORE" in variables:
            given["pipeline-store"] = variables["NB2PIPE_STORE"]
        own = {name: value for name, value in variables.items() if name != "NB2PIPE_STORE"}
        finished = Argo(work=work, secrets=secrets, variables=own).run(folder, given)
        print(finished.printed)  # noqa: T201  # pytest shows it where a test fails
        metrics: dict[str, float] = {}
        for node in finished.nodes.values():
            metrics |= json.loads(node.parameters.get("metrics", "{}"))
        notebooks = {
            name: node.artifacts["notebook"] for name, node in finished.nodes.items() if "notebook" in node.artifacts
        }
        return Ran(
            succeeded=finished.phase == "Succeeded", records=records(finished), metrics=metrics, notebooks=notebooks
        )


class TestArgo(EngineContract):
    name = "argo"

    @pytest.fixture
    def engine(self, tmp_path: Path) -> ArgoEngine:
        return ArgoEngine(tmp_path)

    def accepts(self, folder: Path) -> None:
        accepted(folder)

    def emitted_schedule(self, folder: Path) -> None:
        content = accepted(folder)
        assert content["kind"] == "CronWorkflow"
        assert content["spec"]["schedules"] == ["30 3 * * 1-5"]
        assert content["spec"]["concurrencyPolicy"] == "Forbid"
        assert content["spec"]["startingDeadlineSeconds"] == 0

    def emitted_timezone(self, folder: Path) -> None:
        assert accepted(folder)["spec"]["timezone"] == "Europe/Berlin"

    def emitted_cpu(self, folder: Path) -> None:
        self.limits(folder, {"cpu": "1500m"})

    def emitted_memory(self, folder: Path) -> None:
        self.limits(folder, {"memory": "3Gi"})

    def emitted_gpu(self, folder: Path) -> None:
        self.limits(folder, {"nvidia.com/gpu": "1"})

    def emitted_limits(self, folder: Path) -> None:
        self.limits(folder, {"ephemeral-storage": "5Gi"})

    def limits(self, folder: Path, wanted: dict[str, str]) -> None:
        content = accepted(folder)
        assert template(content, "make")["container"]["resources"] == {"limits": wanted}
        assert "resources" not in template(content, "use")["container"]

    def emitted_image(self, folder: Path) -> None:
        assert "FROM registry.example.com:5000/team/python@sha256:" in (folder / "Dockerfile").read_text()
        assert template(accepted(folder), "make")["container"]["image"] == "{{workflow.parameters.pipeline-image}}"

    def emitted_step_images(self, folder: Path) -> None:
        content = accepted(folder)
        assert template(content, "make")["container"]["image"] == "registry.example.com:5000/team/train:1.2"
        assert template(content, "use")["container"]["image"] == "{{workflow.parameters.pipeline-image}}"

    def emitted_labels(self, folder: Path) -> None:
        assert template(accepted(folder), "make")["metadata"]["labels"] == {"team": "vision"}

    def emitted_annotations(self, folder: Path) -> None:
        wanted = {"example.com/page": "https://h:80/?a=b&c='d'"}
        assert template(accepted(folder), "make")["metadata"]["annotations"] == wanted

    def emitted_owner(self, folder: Path) -> None:
        assert accepted(folder)["metadata"]["annotations"]["owner"] == "team@example.com"


def bundle_of(notebook: Path, folder: Path, **options: Any) -> Path:
    write(nb2pipe.emit(nb2pipe.load(notebook), target="argo", **options), folder)
    return folder


def written(folder: Path, text: str) -> Path:
    path = folder / "n.py"
    path.write_text(dedent(text))
    return path


def ran(folder: Path, work: Path, secrets: Mapping[tuple[str, str], str] | None = None, **given: str) -> Finished:
    work.mkdir()
    return Argo(work=work, secrets=secrets or {}).run(folder, given)


HOSTILE = r"""
plain = "it's {{ x }} \"q\" $(HOME) $$ `id` \\ --x \u200b ümlaut 🚀"
known = "{{workflow.name}}"
evaluated = "{{=1+1}}"
opened = "{{ never closed"
controls = "a\x1b\x07b"
lines = "a\n  b\t: c # d"
dashed = "--nb2pipe-outputs=/hacked"
number = "1e3"
truth = "yes"
empty = ""
many = ["{{workflow.name}}", {"$(A)": [None, True, -1.5, "\x00"]}]
tiny = 1e-300
nothing = None
"""
VARIABLE = "{{workflow.name}} {{=1}} $(HOME) $$ {{ 'a' #"
SHOWING = """
import json, os
values = [plain, known, evaluated, opened, controls, lines, dashed, number, truth, empty, many, tiny, nothing]
print("found", json.dumps([values, os.environ["TEXT"], sorted(os.listdir())]))
"""


def test_texts_that_argo_kubernetes_yaml_and_shells_would_read_arrive_as_they_are(
    tmp_path: Path, write_notebook: Callable[[Path, list[tuple[list[str], str]]], Path]
) -> None:
    file = "a 'b' {{c}} $(d).txt"
    cells = [
        (["parameters"], HOSTILE),
        (["step:take", "papermill_description={{=1}} : # '\""], f"open({file!r}, 'w').write(known)"),
        (["step:show", f"env:TEXT:{VARIABLE}", "annotation:note:{{ x }} '*/' : #"], SHOWING),
    ]
    folder = bundle_of(write_notebook(tmp_path / "{{=1}} $(x) '.ipynb", cells), tmp_path / "bundle")
    accepted(folder)
    space: dict[str, Any] = {}
    exec(HOSTILE, space)
    values = [value for name, value in space.items() if name != "__builtins__"]
    assert found_in(ran(folder, tmp_path / "work")) == [values, VARIABLE, [file]]
    given = {"plain": "$$(x) {{ y }}\n'", "nothing": "[1]", "tiny": "-2", "many": '["$$"]', "empty": "--known=1"}
    changed = {**dict(zip(space, [None, *values], strict=True)), **given, "nothing": [1], "tiny": -2, "many": ["$$"]}
    assert found_in(ran(folder, tmp_path / "again", **given))[0] == list(changed.values())[1:]


def found_in(finished: Finished) -> Any:
    """What the last step printed."""
    assert finished.phase == "Succeeded", finished.printed
    (line,) = (each for each in finished.printed.splitlines() if each.startswith("found "))
    return json.loads(line.removeprefix("found "))


GATES = """
# %% tags=["parameters"]
score = 0.1
other = 0.1

# %% tags=["step:first", "gate:accuracy > 0.4"]
accuracy = score

# %% tags=["pipeline-metrics"]
print(accuracy)

# %% tags=["step:second", "gate:recall > 0.4"]
recall = other + 0 * accuracy

# %% tags=["pipeline-metrics"]
print(recall)

# %% tags=["step:third"]
used = recall + accuracy
"""


def test_gates_below_gates(tmp_path: Path) -> None:
    folder = bundle_of(written(tmp_path, GATES), tmp_path / "bundle")
    accepted(folder)

    def phases(number: int, **given: str) -> tuple[str, dict[str, str]]:
        finished = ran(folder, tmp_path / f"work-{number}", **given)
        return finished.phase, {name: node.phase for name, node in finished.nodes.items()}

    assert phases(1) == ("Succeeded", {"first": "Succeeded", "second": "Skipped", "third": "Omitted"})
    assert phases(2, score="0.5") == ("Succeeded", {"first": "Succeeded", "second": "Succeeded", "third": "Skipped"})
    assert phases(3, score="0.5", other="1")[1]["third"] == "Succeeded"


def test_a_secret_parameter_has_to_be_given(tmp_path: Path) -> None:
    text = """
    # %% tags=["parameters"]
    api_token = "sk-live-0123456789abcdef"
    rows = 2
    # %% tags=["step:use"]
    size = len(api_token) * rows
    print("size", size)
    """
    folder = bundle_of(written(tmp_path, text), tmp_path / "bundle")
    accepted(folder)
    assert "sk-live" not in (folder / "workflow.yaml").read_text()
    with pytest.raises(ArgoError, match="api_token"):
        ran(folder, tmp_path / "work")
    finished = ran(folder, tmp_path / "again", api_token="$(HOME)$$")
    assert "size 18" in finished.printed


def test_forty_steps_are_accepted(tmp_path: Path) -> None:
    steps = [f'# %% tags=["step:s{n}"]\nx{n} = {f"x{n - 1} + 1" if n else 0}\n' for n in range(40)]
    folder = bundle_of(written(tmp_path, "".join(steps)), tmp_path / "bundle")
    tasks = template(accepted(folder), "pipeline")["dag"]["tasks"]
    assert [task.get("depends", "") for task in tasks[:3]] == ["", "s0.Succeeded", "s1.Succeeded"]
