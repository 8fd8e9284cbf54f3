"""Secret values that are planted, and looked for in everything that is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

import nb2pipe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Write = Callable[[str, list[tuple[list[str], str]]], Path]

PLANTED = "planted"
CELLS = [
    (
        ["parameters"],
        (
            'import os\napi_key = "planted-as-default"\ntoken = ""\nmax_tokens = 5\nkey_column = "id"\n'
            'db = {"host": "h", "password": "planted-within"}\nurl = ""\n'
            'private_key = """-----BEGIN KEY-----\nplanted-one\nplanted-two\n-----END KEY-----"""'
        ),
    ),
    (
        ["step:load"],
        (
            "print(api_key, token, db['password'], os.environ['MY_PASSWORD'], os.environ['PLAIN'])\n"
            "print(private_key)\nprint(token[:6], end='', flush=True)\nimport time\ntime.sleep(0.3)\nprint(token[6:])\n"
            "os.environ['LATE_TOKEN'] = 'plan' + 'ted-late'\n"  # as `load_dotenv` does
            "client = {'login': token, os.environ['LATE_TOKEN']: private_key.splitlines()}\nclient"
        ),
    ),
    (
        ["step:fit", "secret:team:key:PLAIN"],
        (
            "import sys, time\nprint(client, os.environ['MY_PASSWORD'], file=sys.stderr)\n"
            "value = len(client['login'])\n"
            "print('plan', end='', flush=True)\ntime.sleep(0.1)\nprint('ted-late')\n"
            "if os.environ.get('WAITS'):\n    open('waits', 'w').close()\n    time.sleep(60)\n"
            "if os.environ.get('FAILS'):\n    raise ValueError(f\"cannot log in with {client['login']} {api_key}\")"
        ),
    ),
]
VARIABLES = {"MY_PASSWORD": "planted in the environment", "PLAIN": "planted%by&tag", "NB2PIPE_KERNELS": "cold"}


@pytest.fixture
def notebook(folder: Path, write: Write) -> Path:
    """Once committed with git, and changed since, so that a run keeps the difference."""
    path = write("secret.ipynb", [(tags, source.replace("planted", "older")) for tags, source in CELLS])
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@y")
    for words in (["init", "-q"], ["add", "secret.ipynb"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    return write(path.name, CELLS)


def surroundings(folder: Path, variables: dict[str, str]) -> dict[str, str]:
    (folder / "tmp").mkdir(exist_ok=True)
    own = {"TMPDIR": str(folder / "tmp"), "IPYTHONDIR": str(folder / "ipython")}
    return {**os.environ, **VARIABLES, **own, **variables}


def said(folder: Path, *words: object, code: int = 0, **variables: str) -> str:
    """All that the program says, which is checked on the way."""
    command, around = [sys.executable, "-m", *map(str, words)], surroundings(folder, variables)
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, env=around, cwd=folder)
    text = done.stdout + done.stderr
    assert done.returncode == code, text
    assert PLANTED not in text, text
    return text


def left(folder: Path) -> Iterator[Path]:
    """The files that are left, but for the author's own and the store's artifacts."""
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and path.name != "secret.ipynb" and not (".nb2pipe" in parts and "store" in parts):
            yield path


def finds(folder: Path) -> list[Path]:
    return [path for path in left(folder) if PLANTED.encode() in path.read_bytes()]


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_no_secret_is_left_by_a_run_a_failed_run_or_what_shows_them(
    folder: Path, notebook: Path, executor: str
) -> None:
    url = "https://me:planted-and-given@host"  # of no secret name
    given = ("-p", "token", "planted-and-given", "-p", "url", url, "--executor", executor)
    said(folder, "nb2pipe", "run", notebook, "OUT.ipynb", *given)
    said(folder, "nb2pipe", "run", notebook, *given, "--force", "-v", code=5, FAILS="1")
    for words in (["runs", "show"], ["runs", "list"], ["runs", "open", "--no-browser"], ["explain", "latest", "fit"]):
        said(folder, "nb2pipe", *words)
    run = next((folder / ".nb2pipe/runs").iterdir())
    record = json.loads((run / "run.json").read_text())
    assert record["parameters"]["max_tokens"] == 5
    assert record["parameters"]["key_column"] == "id"
    assert (run / "difference.patch").exists()
    assert len(list(left(folder))) > 10
    assert finds(folder) == []


@pytest.mark.parametrize("executor", ["papermill", "subprocess"])
def test_a_run_that_is_killed_leaves_no_secret(folder: Path, notebook: Path, executor: str) -> None:
    words = ["nb2pipe", "run", notebook, "-p", "token", "planted-and-given", "--executor", executor]
    command, around = [sys.executable, "-m", *map(str, words)], surroundings(folder, {"WAITS": "1"})
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=around, cwd=folder, start_new_session=True) as run:
        while not (folder / "waits").exists():
            assert run.poll() is None
            time.sleep(0.02)
        run.kill()
    assert len(list(left(folder))) > 5
    assert finds(folder) == []


def test_a_conversion_masks_defaults_and_what_it_made_asks_for_them(folder: Path, notebook: Path) -> None:
    said(folder, "nb2pipe", "convert", notebook, "-o", "made")
    for words in (["check", notebook], ["graph", notebook, "--json"], ["graph", notebook, "-o", "graph.html"]):
        said(folder, "nb2pipe", *words)
    assert finds(folder) == []
    assert "planted" not in nb2pipe.load(notebook)._repr_html_()
    assert 'api_key: str = "********"' in (folder / "made/secret_pipeline/steps/load.py").read_text()
    said(folder, "nb2pipe", "convert", "--check", "made")
    said(folder, "nb2pipe", "run", "made", code=2)
    given = ("-p", "api_key", "planted-anew", "-p", "db", "{password: planted-too}", "-p", "token", "planted-now")
    given += ("-p", "private_key", "planted-key")
    said(folder, "nb2pipe", "run", "made", *given)
    assert finds(folder) == []


def test_no_diagnostic_shows_a_secret_also_of_a_cell_that_cannot_be_read(folder: Path, write: Write) -> None:
    write("broken.ipynb", [(["parameters"], "token = 'planted-as-text'\nsecret = 'planted\n")])
    said(folder, "nb2pipe", "check", "broken.ipynb", code=3)
    write(
        "derived.ipynb", [(["parameters"], "token = 'planted'\nurl = f'{token}' + 'planted'"), (["step:a"], "x = url")]
    )
    said(folder, "nb2pipe", "check", "derived.ipynb")


def test_resume_needs_a_secret_that_was_given_once_more(folder: Path, notebook: Path) -> None:
    given = ("-p", "token", "planted-and-given")
    said(folder, "nb2pipe", "run", notebook, *given, code=5, FAILS="1")
    assert "`token`" in said(folder, "nb2pipe", "resume", code=2)
    assert "succeeded" in said(folder, "nb2pipe", "resume", *given)


def test_verify_shows_no_secret_and_takes_none_for_a_difference(folder: Path, notebook: Path) -> None:
    assert "identical" in said(folder, "nb2pipe", "verify", notebook, "-p", "token", "planted-and-given")
    assert finds(folder) == []
