"""What tests of trackers share: a real server of MLflow, and trackers that misbehave."""

from __future__ import annotations

import contextlib
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from typing import TYPE_CHECKING

import pytest

from nb2pipe.trackers import feed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Server:
    """MLflow's server with SQLite, on this machine; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        own = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        words = ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        words += ["--artifacts-destination", f"{self.folder}/artifacts"]
        words += ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mlflow", "server", *words],
                env={**os.environ, **own},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 90
        while not self._answers():
            assert time.monotonic() < end, (self.folder / "server.log").read_text()
            time.sleep(0.1)

    def kill(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("mlflow"))
    made.start()
    yield made
    made.kill()


class _Refuses(http.server.BaseHTTPRequestHandler):
    """Answers each request with an error."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("do_"):
            return lambda: self.send_error(403, "no")
        raise AttributeError(name)

    def log_message(self, *_words: object) -> None:
        """Says nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a server that refuses everything."""
    with http.server.HTTPServer(("127.0.0.1", 0), _Refuses) as made:
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{made.server_port}"
        made.shutdown()


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield f"http://127.0.0.1:{made.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        return f"http://127.0.0.1:{made.getsockname()[1]}"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Trackers that go on in the background are ended with the test."""
    yield
    while feed._left:
        process = feed._left.pop()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


MISBEHAVING = """
import os, pathlib, time

class Fails:
    def __init__(self, folder):
        pass
    def handle(self, event):
        raise RuntimeError("no answer of https://me:hidden@host, " + os.environ.get("OWN_TOKEN", ""))
    def close(self):
        pass

class Hangs(Fails):
    def handle(self, event):
        time.sleep(600)

class Slow(Fails):
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
    def handle(self, event):
        time.sleep(0.4)
    def close(self):
        (self.folder / "through").touch()

class Dies(Fails):
    def handle(self, event):
        os._exit(3)

class Writes(Fails):
    def __init__(self, folder):
        self.file = (pathlib.Path(folder) / "heard.txt").open("w")
    def handle(self, event):
        print("noise on stdout")
        what = getattr(event, "name", "") or getattr(event, "step", "")
        self.file.write(f"{type(event).__name__} {what} {getattr(event, 'index', '')}\\n")
    def close(self):
        self.file.close()
"""


@pytest.fixture
def misbehaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution whose trackers fail, hang, die or write what they hear."""
    folder = tmp_path / "site"
    (folder / "others-1.dist-info").mkdir(parents=True)
    (folder / "others-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1\n")
    entries = "".join(
        f"{name.lower()} = other_trackers:{name}\n" for name in ("Fails", "Hangs", "Slow", "Dies", "Writes")
    )
    (folder / "others-1.dist-info/entry_points.txt").write_text(f"[nb2pipe.trackers]\n{entries}broken = missing:X\n")
    (folder / "other_trackers.py").write_text(MISBEHAVING)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder
