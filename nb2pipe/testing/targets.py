"""What a target keeps to: for each feature it runs, or says it in the platform's words, or a diagnostic says it cannot.

```python
class TestMyTarget(TargetContract):
    name = "mine"

    @pytest.fixture
    def engine(self): ...  # an `Engine`
    def emitted_labels(self, folder): ...  # for each feature that is `emitted`: looks at the definition
```

Steps of these notebooks tell what they do, at a port that the variable `CONTRACT` names, so that it is seen what ran,
when, how often and with what, whatever the platform keeps of it.
"""

from __future__ import annotations

import functools
import http.server
import json
import socketserver
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, cast

import pytest

import nb2pipe
from nb2pipe import plugins
from nb2pipe.bundles.write import write
from nb2pipe.execution.home import Home
from nb2pipe.execution.shared import shared_runs
from nb2pipe.targets.checks.nb408_not_for_this_target import CODE
from nb2pipe.targets.model import Feature, Level
from nb2pipe.testing.target_cases import CASES, DEFAULT_SCORE, SECRET, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nb2pipe.targets.model import Bundle, Target

TRACES = "CONTRACT"
"""The variable that names the port at which steps tell what they do."""
_PROMPT = 25.0
"""Seconds in which a step that would sleep for longer has to be stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What an engine did with a bundle.

    Attributes:
        succeeded: Whether the engine says that the run succeeded.
        records: What steps left, as their `STEP.json` says, by name; a skipped step may have left none.
        metrics: The metrics that the platform itself shows, by name.
        notebooks: The executed notebooks that the platform keeps, by step.
    """

    succeeded: bool
    records: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, float] = field(default_factory=dict)
    notebooks: Mapping[str, Path] = field(default_factory=dict)


class Engine(Protocol):
    """Runs a bundle as the platform does, with steps that share no working directory unless they do there."""

    def run(
        self,
        folder: Path,
        parameters: Mapping[str, object],
        *,
        secrets: Mapping[tuple[str, str], str],
        variables: Mapping[str, str],
    ) -> Ran:
        """Runs it; the same engine keeps what it reuses from run to run.

        Args:
            folder: The bundle's.
            parameters: The values that are given, by name.
            secrets: What the platform's own store of secrets holds, by secret and key.
            variables: Of the environment that the platform's processes have.
        """
        ...


@dataclass(frozen=True, slots=True)
class Trace:
    """What a step told: when, and its words."""

    when: float
    words: str


class Listener:
    """Listens to steps.

    Attributes:
        port: Where, on this machine.
        traces: What they told, in the order in which they did.
    """

    def __init__(self) -> None:
        listener = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                word, _, rest = self.rfile.readline().decode().strip().partition(" ")
                self.wfile.write(f"{listener.answer(word, rest)}\n".encode())

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._here: set[str] = set()
        self.port = self._server.server_address[1]
        self.traces: list[Trace] = []

    def answer(self, word: str, rest: str) -> str:
        """The answer to a step."""
        match word:
            case "trace":
                self.traces.append(Trace(time.time(), rest))
            case "count":
                return str(sum(trace.words == rest for trace in self.traces))
            case "here":
                self._here.add(rest)
            case "is":
                return "yes" if rest in self._here else "no"
            case _:
                return "unknown"
        return "heard"

    def forget(self) -> None:
        """Nothing was told."""
        self.traces.clear()
        self._here.clear()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class TargetContract:
    """Inherit it, give `name`, the fixture `engine`, and a method for each feature that is `emitted`."""

    name: ClassVar[str]

    @pytest.fixture
    def engine(self) -> Engine:
        """Runs bundles; steps do not find there what another test left."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _contract(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        with Listener() as self.listener:
            yield

    @pytest.mark.parametrize("feature", list(Feature), ids=lambda feature: feature.name.lower())
    def test_a_feature_is_as_its_level_says(self, feature: Feature, request: pytest.FixtureRequest) -> None:
        """A cell of the table."""
        level = self.target.supports.get(feature)
        if level is None:
            told = {(each.code, feature.value in each.message) for each in self.emit(CASES[feature]).diagnostics}
            assert (CODE, True) in told
            return
        proof = getattr(self, f"{level.value}_{feature.name.lower()}", None)
        assert proof is not None, f"nothing proves that {feature.value!r} is {level.value}"
        if level is Level.EMITTED:
            assert CODE not in {each.code for each in self.emit(CASES[feature]).diagnostics if feature in each.message}
            proof(self.bundle(feature))
        else:
            proof(request.getfixturevalue("engine"))

    def test_the_same_bytes_are_emitted_again(self) -> None:
        """Nothing in a bundle depends on the moment."""
        first, second = self.emit(CASES[Feature.NESTED]), self.emit(CASES[Feature.NESTED])
        assert first.files == second.files

    @property
    def target(self) -> Target:
        """The target."""
        return cast("Callable[[], Target]", plugins.load("targets", self.name))()

    # ------------------------------------------------------------------------------------------------ what is used

    def emit(self, case: Case) -> Bundle:
        """The bundle of a notebook."""
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        case.write(source)
        path = source / case.name
        return nb2pipe.emit(nb2pipe.load(path), target=self.name, folder=self.folder / "bundle", **case.flags)

    def bundle(self, feature: Feature, **settings: object) -> Path:
        """The folder of the bundle of a feature's notebook, written."""
        case = CASES[feature].with_settings(settings)
        write(self.emit(case), self.folder / "bundle", force=True)
        return self.folder / "bundle"

    def run(self, engine: Engine, folder: Path, /, **parameters: object) -> Ran:
        """Runs a bundle; what steps told before is forgotten."""
        return self.run_with(engine, folder, {("db", "password"): SECRET}, parameters)

    def run_with(
        self,
        engine: Engine,
        folder: Path,
        secrets: Mapping[tuple[str, str], str],
        parameters: Mapping[str, object] = MappingProxyType({}),
    ) -> Ran:
        """The same, with other secrets."""
        self.listener.forget()
        return engine.run(folder, parameters, secrets=secrets, variables={TRACES: str(self.listener.port)})

    def traced(self) -> list[str]:
        """What the steps traced, in the order in which they did."""
        return [trace.words for trace in self.listener.traces]

    def assert_same_values(self, engine: Engine, feature: Feature, **parameters: object) -> None:
        """The values of a feature's notebook are those of a run of nb2pipe."""
        ran = self.run(engine, self.bundle(feature), **parameters)
        assert ran.succeeded
        wanted = _values_of_run(feature, json.dumps(parameters))
        assert digests(ran.records) == wanted
        assert wanted

    # ------------------------------------------------------------------------------------------------ the features

    def runs_parameters(self, engine: Engine) -> None:
        """Defaults and given values of all types arrive as they are."""
        self.assert_same_values(engine, Feature.PARAMETERS)
        given = {"count": -7, "rate": 1e-7, "title": '--it\'s "${{ x }}" {{ y }} $(z) `w`\\', "flag": False}
        self.assert_same_values(engine, Feature.PARAMETERS, **given, names=["-a", "b c"], table={"k": [1, None]})

    def runs_run_date(self, engine: Engine) -> None:
        """The parameter has the date that the platform gives."""
        assert self.run(engine, self.bundle(Feature.RUN_DATE)).succeeded
        (day,) = self.traced()
        time.strptime(day, "day %Y-%m-%d")
        assert day != "day 1999-12-31"

    def runs_parallel(self, engine: Engine) -> None:
        """Two steps that do not need each other run at the same time: each waits for the other."""
        assert self.run(engine, self.bundle(Feature.PARALLEL)).succeeded
        assert sorted(self.traced()) == ["left met right", "right met left"]

    def runs_order(self, engine: Engine) -> None:
        """A step that is declared to come later does, though it takes nothing."""
        assert self.run(engine, self.bundle(Feature.ORDER)).succeeded
        assert self.traced() == ["first begins", "first ends", "second"]

    def runs_gate(self, engine: Engine) -> None:
        """What comes after a gate runs only if it holds; the rest runs, and the run succeeds."""
        folder = self.bundle(Feature.GATE)
        assert self.run(engine, folder).succeeded
        assert sorted(self.traced()) == ["beside", f"measured {DEFAULT_SCORE}"]
        assert self.run(engine, folder, score=0.75).succeeded
        assert {"after", "deep", "measured 0.75"} == {*self.traced()} - {"beside"}  # which may be reused

    def runs_nested(self, engine: Engine) -> None:
        """A nested notebook's steps run."""
        self.assert_same_values(engine, Feature.NESTED)

    def runs_retry(self, engine: Engine) -> None:
        """A step that fails once is tried again."""
        assert self.run(engine, self.bundle(Feature.RETRY)).succeeded
        assert self.traced() == ["tried", "tried", "after"]

    def runs_retry_delay(self, engine: Engine) -> None:
        """And not at once."""
        assert self.run(engine, self.bundle(Feature.RETRY_DELAY)).succeeded
        first, second, *_ = self.listener.traces
        assert second.when - first.when >= 2.0  # noqa: PLR2004  # as its tag says

    def runs_timeout(self, engine: Engine) -> None:
        """A step that takes too long is stopped, and the run fails."""
        folder, began = self.bundle(Feature.TIMEOUT), time.monotonic()
        assert not self.run(engine, folder).succeeded
        assert self.traced() == ["begun"]
        assert time.monotonic() - began < _PROMPT

    def runs_cache(self, engine: Engine) -> None:
        """A second run does not do again what did not change."""
        folder = self.bundle(Feature.CACHE)
        assert self.run(engine, folder).succeeded
        assert sorted(self.traced()) == ["always", "once"]
        assert self.run(engine, folder).succeeded
        assert self.traced() == ["always"]

    def runs_environment(self, engine: Engine) -> None:
        """A step has its own variables."""
        assert self.run(engine, self.bundle(Feature.ENVIRONMENT)).succeeded
        assert self.traced() == ["color 'it''s: \"{{ red }}\" ${{ x }} $(y)", "color None"]

    def runs_secrets(self, engine: Engine) -> None:
        """A secret comes from where the platform keeps secrets, and stands in no file of the bundle."""
        folder = self.bundle(Feature.SECRETS)
        assert self.run(engine, folder).succeeded
        assert self.traced() == [f"secret {SECRET}"]

    def runs_state(self, engine: Engine) -> None:
        """Random generators and other hidden state go on from step to step, over steps that do not use them."""
        self.assert_same_values(engine, Feature.STATE)

    def runs_files(self, engine: Engine) -> None:
        """A file that a step writes in its working directory is there for later ones."""
        self.assert_same_values(engine, Feature.FILES)

    def runs_modules(self, engine: Engine) -> None:
        """A module beside the notebook is imported."""
        self.assert_same_values(engine, Feature.MODULES)

    def runs_data(self, engine: Engine) -> None:
        """A file that was taken over is read."""
        self.assert_same_values(engine, Feature.DATA)

    def runs_metrics(self, engine: Engine) -> None:
        """The platform shows what a step measured."""
        ran = self.run(engine, self.bundle(Feature.METRICS))
        assert ran.succeeded
        assert dict(ran.metrics) == {"accuracy": 0.5, "loss": 0.25}

    def runs_records(self, engine: Engine) -> None:
        """A store has the record of the run, under one id."""
        store = self.folder / "store"
        variables = {TRACES: str(self.listener.port), "NB2PIPE_STORE": str(store)}
        assert engine.run(self.bundle(Feature.RECORDS), {}, secrets={}, variables=variables).succeeded
        (run,) = shared_runs(Home(self.folder / "home"), str(store), tell=pytest.fail)
        assert run.status == "succeeded"
        steps = [json.loads(file.read_text("utf-8")) for file in (store / "runs" / run.run / "steps").glob("*.json")]
        assert {step["name"]: step["status"] for step in steps} == {"make": "ran", "use": "ran"}

    def runs_notebooks(self, engine: Engine) -> None:
        """Each step's notebook is executed by papermill, and kept."""
        ran = self.run(engine, self.bundle(Feature.NOTEBOOKS))
        assert ran.succeeded
        assert digests(ran.records) == _values_of_run(Feature.NOTEBOOKS, "{}")
        assert set(ran.notebooks) == {"make", "use"}
        content = json.loads(ran.notebooks["use"].read_text("utf-8"))
        printed = ["".join(out.get("text", ())) for cell in content["cells"] for out in cell.get("outputs", ())]
        assert "made 42\n" in printed

    def runs_notice(self, engine: Engine) -> None:
        """A run that fails is told to the webhook, once."""
        with _Webhook() as webhook:
            folder = self.bundle(Feature.NOTICE, on_failure=webhook.url)
            assert not self.run(engine, folder).succeeded
        (told,) = webhook.taken
        assert (told["pipeline"], told["owner"]) == ("notice", "team@example.com")
        assert "notice failed" in told["text"]


def digests(records: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The SHA-256 of each variable that steps left, by `STEP.NAME`, with the outermost step of nested notebooks.

    Args:
        records: What `STEP.json` of each step says.
    """
    return {
        f"{step.partition('/')[0]}.{name}": group["digest"]
        for step, record in records.items()
        for group in record.get("outputs", ())
        for name in group["names"]
    }


@functools.cache
def _values_of_run(feature: Feature, parameters: str) -> dict[str, str]:
    """The digests of what a run of the notebook itself makes."""
    case = CASES[feature]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        case.write(folder)
        given, home = json.loads(parameters), folder / "home"
        ran = nb2pipe.run(folder / case.name, parameters=given, home=home, executor="subprocess")
        files = (folder / "home" / "runs" / ran.run / "steps").rglob("*.json")
        records = [json.loads(file.read_text("utf-8")) for file in files]
        return digests({record["name"]: record for record in records})


class _Webhook:
    """Takes what is posted to it."""

    def __init__(self) -> None:
        taken: list[dict[str, Any]] = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                taken.append(json.loads(self.rfile.read(length)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.taken = taken
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook?a=1&b='2'"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
