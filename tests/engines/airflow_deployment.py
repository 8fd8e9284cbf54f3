"""A real Airflow on loopback: PostgreSQL, api-server, scheduler with LocalExecutor, and dag-processor."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from environments import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PATIENCE = 180.0
_ENDED = frozenset({"success", "failed"})


class RefusedError(Exception):
    """The REST interface refused."""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def variables(home: Path, dags: Path, database: str) -> dict[str, str]:
    """The environment of all of Airflow's processes."""
    port = _free_port()
    own = {name: text for name, text in os.environ.items() if not name.startswith(("NB2PIPE", "PYTEST", "AIRFLOW"))}
    bundles = [
        {
            "name": "dags-folder",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(dags), "refresh_interval": 1},
        }
    ]
    return {
        **own,
        "PATH": f"{environment('airflow')}{os.pathsep}{own['PATH']}",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": "a secret that only this test has, long enough for all algorithms",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "3600",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT": str(_free_port()),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "False",
    }


@contextlib.contextmanager
def postgresql(log: Path) -> Iterator[str]:
    """A server of its own, run by an ordinary user; its URL."""
    folder = Path(tempfile.mkdtemp(prefix="nb2pipe-postgres-"))
    programs = Path(shutil.which("initdb") or next(Path("/usr/lib/postgresql").glob("*/bin/initdb"))).resolve().parent
    user: dict[str, Any] = {}
    if os.geteuid() == 0:  # it does not run as root
        shutil.chown(folder, "postgres", "postgres")
        user = {"user": "postgres", "group": "postgres", "extra_groups": []}
    data, port = folder / "data", _free_port()
    options = ["--auth=trust", "--username=airflow", "--no-sync", "--encoding=UTF8", "--locale=C", "-D", str(data)]
    with log.open("wb") as out:
        subprocess.run([programs / "initdb", *options], cwd=folder, stdout=out, stderr=out, check=True, **user)
        words = ["-D", str(data), "-p", str(port), "-k", str(folder), "-c", "fsync=off", "-h", "127.0.0.1"]
        server = subprocess.Popen([programs / "postgres", *words], cwd=folder, stdout=out, stderr=out, **user)
        try:
            ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port)]
            wait(lambda: subprocess.run(ready, capture_output=True, check=False).returncode == 0, "PostgreSQL")
            create = [programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "airflow", "airflow"]
            subprocess.run(create, cwd=folder, stdout=out, stderr=out, check=True)
            yield f"postgresql+psycopg2://airflow@127.0.0.1:{port}/airflow"
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(30)
            shutil.rmtree(folder, ignore_errors=True)


def wait(done: Callable[[], Any], what: str, seconds: float = _PATIENCE) -> Any:
    """Asks until there is an answer; the answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = done()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"{what}: nothing within {seconds:.0f} s")


@dataclass
class Airflow:
    """A deployment that runs.

    Attributes:
        home: Its folder, with its logs.
        dags: The folder of DAGs.
        environment: Of its processes.
    """

    home: Path
    dags: Path
    environment: dict[str, str]
    _token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """Where its api-server listens."""
        return f"http://127.0.0.1:{self.environment['AIRFLOW__API__PORT']}"

    def ask(self, method: str, path: str, content: object = None) -> Any:
        """The answer of the REST interface."""
        if not self._token:
            self._token = self._answer("GET", "/auth/token", None, "")["access_token"]
        return self._answer(method, f"/api/v2{path}", content, self._token)

    def _answer(self, method: str, path: str, content: object, token: str) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RefusedError(f"{method} {path}: {error.code} {error.read().decode()}") from error
        return json.loads(text) if text else None

    def is_up(self) -> bool:
        """Whether its parts are well."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v2/monitor/health", timeout=5) as answer:
                health = json.loads(answer.read())
        except (OSError, ValueError):
            return False
        return all(health[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

    def add(self, folder: Path) -> str:
        """Puts a bundle into the folder of DAGs; the DAG's id, once Airflow knows it."""
        name = json.loads((folder / "bundle.json").read_text())["package"]
        place = self.dags / name
        place.unlink(missing_ok=True)
        place.symlink_to(folder, target_is_directory=True)
        dag = name.removesuffix("_pipeline")
        wait(lambda: self._knows(dag, folder), f"the DAG {dag}")
        return str(dag)

    def _knows(self, dag: str, folder: Path) -> bool:
        errors = self.ask("GET", "/importErrors")["import_errors"]
        assert not errors, errors
        try:
            found = self.ask("GET", f"/dags/{dag}/details")
        except RefusedError:
            return False
        parsed = dt.datetime.fromisoformat(found["last_parsed_time"]).timestamp()
        return parsed > max(path.stat().st_mtime for path in (folder / "dags").glob("*.py"))

    def variable(self, key: str, value: str) -> None:
        """Sets a variable of Airflow."""
        with contextlib.suppress(RefusedError):
            self.ask("DELETE", f"/variables/{key}")
        self.ask("POST", "/variables", {"key": key, "value": value})

    def connection(self, conn_id: str, **fields: str) -> None:
        """Sets a connection of Airflow."""
        with contextlib.suppress(RefusedError):
            self.ask("DELETE", f"/connections/{conn_id}")
        self.ask("POST", "/connections", {"connection_id": conn_id, "conn_type": "generic", **fields})

    def trigger(self, dag: str, conf: Mapping[str, object], logical_date: str | None = None) -> str:
        """Starts a run; its id."""
        return str(self.ask("POST", f"/dags/{dag}/dagRuns", {"conf": conf, "logical_date": logical_date})["dag_run_id"])

    def ended(self, dag: str, run: str) -> str:
        """The state in which a run ends."""
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}"

        def state() -> str:
            found = str(self.ask("GET", path)["state"])
            return found if found in _ENDED else ""

        return str(wait(state, f"the run {run} of {dag}"))

    def tasks(self, dag: str, run: str) -> dict[str, dict[str, Any]]:
        """The tasks of a run, by id."""
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances?limit=200"
        return {each["task_id"]: each for each in self.ask("GET", path)["task_instances"]}

    def xcom(self, dag: str, run: str, task: str) -> Any:
        """What a task gave back; None where that is nothing."""
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/{task}/xcomEntries/return_value"
        try:
            value = self.ask("GET", path)["value"]
        except RefusedError:
            return None
        return json.loads(value) if isinstance(value, str) else value

    def log(self, dag: str, run: str, task: str, attempt: int = 1) -> str:
        """What a task printed, with what Airflow says about it."""
        path = f"/dags/{dag}/dagRuns/{urllib.parse.quote(run)}/taskInstances/{task}/logs/{attempt}?full_content=true"
        try:
            return json.dumps(self.ask("GET", path), ensure_ascii=False)
        except RefusedError:
            return "it did not run"

    def told(self, folder: Path) -> None:
        """Waits until the dag-processor has told of a failure."""
        name = json.loads((folder / "bundle.json").read_text())["package"]
        logs = self.home / "logs" / "dag_processor"
        wait(lambda: any("told: " in log.read_text() for log in logs.rglob(f"{name}/dags/*.log")), "the notice")


@contextlib.contextmanager
def airflow(home: Path) -> Iterator[Airflow]:
    """A deployment that runs until the block ends."""
    dags = home / "dags"
    dags.mkdir(parents=True)
    with postgresql(home / "postgresql.log") as database, contextlib.ExitStack() as stack:
        known = variables(home, dags, database)
        program = str(environment("airflow") / "airflow")
        with (home / "migrate.log").open("wb") as out:
            subprocess.run([program, "db", "migrate"], env=known, stdout=out, stderr=out, check=True)
        for part in ("api-server", "scheduler", "dag-processor"):
            stack.enter_context(_running([program, part], known, home / f"{part}.log"))
        deployed = Airflow(home, dags, known)
        wait(deployed.is_up, "Airflow")
        yield deployed


@contextlib.contextmanager
def _running(command: list[str], known: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=dict(known), stdout=out, stderr=out, start_new_session=True)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
