"""`python -m PACKAGE --nb2pipe-failed` tells the webhook that the notebook names."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from nb2pipe.api import load
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.bundles.write import write
from nb2pipe.targets.model import Feature
from nb2pipe.testing.target_cases import CASES

if TYPE_CHECKING:
    from pathlib import Path


def told(folder: Path, on_failure: str | None, **variables: str) -> subprocess.CompletedProcess[str]:
    case = CASES[Feature.NOTICE].with_settings({"on_failure": on_failure} if on_failure else {})
    case.write(folder)
    write(emit(load(folder / case.name), Wishes(folder=folder / "made")), folder / "made")
    command = [sys.executable, "-m", "notice_pipeline", "--nb2pipe-failed"]
    return subprocess.run(command, cwd=folder / "made", env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("status", [200, 500])
def test_the_webhook_is_told_and_its_refusal_is_an_error_without_the_url(tmp_path: Path, status: int) -> None:
    taken: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.handle_request)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/s3cret"
    done = told(tmp_path, "secret:chat:url:CHAT_URL", CHAT_URL=url, NB2PIPE_RUN="nightly-1")
    thread.join()
    server.server_close()
    (content,) = taken
    assert content["text"] == "the pipeline notice failed, run nightly-1, owner team@example.com"
    assert (content["pipeline"], content["owner"], content["run"]) == ("notice", "team@example.com", "nightly-1")
    assert done.returncode == (0 if status == 200 else 7), done.stderr
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("on_failure", "said"),
    [
        ("secret:chat:url:CHAT_URL", "the environment variable CHAT_URL is not set"),
        ("http://127.0.0.1:9/s3cret", "nobody took the notice"),
    ],
)
def test_what_is_missing_is_told(tmp_path: Path, on_failure: str, said: str) -> None:
    done = told(tmp_path, on_failure)
    assert done.returncode in {2, 7}
    assert said in done.stderr
    assert "s3cret" not in done.stderr
