"""Two processes: values are dumped here and loaded in a worker that lives as long as the tests."""

from __future__ import annotations

import hashlib
import json
import linecache
import os
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from types import FunctionType, ModuleType
from typing import IO, TYPE_CHECKING, cast

import pytest

from nb2pipe.serializers.digests import digest
from nb2pipe.serializers.groups import Group, dump
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Other:
    """The other process, and the way there."""

    store: LocalStore
    stdin: IO[str]
    stdout: IO[str]

    def ask(self, groups: tuple[Group, ...], check: str, prelude: str = "", read: str = "") -> dict[str, object]:
        pairs = [(group.names, group.digest.hex) for group in groups]
        texts = {"check": dedent(check), "prelude": dedent(prelude), "read": dedent(read)}
        job = {"store": str(self.store.root), "groups": pairs, **texts}
        self.stdin.write(json.dumps(job) + "\n")
        self.stdin.flush()
        reply = cast("dict[str, object]", json.loads(self.stdout.readline()))
        assert "error" not in reply, reply["error"]
        return reply

    def round_trip(self, code: str, check: str, prelude: str = "", read: str = "") -> tuple[Group, ...]:
        """Runs code here, passes what it defined to the other process, checks there; digests must stay.

        They stay as well, here and there, where code only reads.
        """
        namespace = run_cell(code)
        values = variables_of(namespace)
        before = {name: digest(value, namespace=namespace).hex for name, value in values.items()}
        run_cell(read, namespace)
        assert before == {name: digest(value, namespace=namespace).hex for name, value in values.items()}
        groups = dump(values, store=self.store, namespace=namespace)
        reply = self.ask(groups, check, prelude, read)
        assert reply["digests"] == before
        assert reply["read"] == before
        assert [names for names, _ in cast("list[list[object]]", reply["groups"])] == [
            list(group.names) for group in groups
        ]
        return groups


def run_cell(code: str, namespace: dict[str, object] | None = None) -> dict[str, object]:
    """Runs a cell as a kernel does: under a file name of its own, with its lines known."""
    source = dedent(code)
    name = f"/tmp/ipykernel_{os.getpid()}/{hashlib.sha256(source.encode()).hexdigest()[:8]}.py"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    namespace = {"__name__": "__main__"} if namespace is None else namespace
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cell's own
        exec(compile(source, name, "exec", dont_inherit=True), namespace)
    return namespace


def variables_of(namespace: dict[str, object]) -> dict[str, object]:
    """The notebook's own variables: no modules, nothing that a library has under its name, nothing hidden."""
    return {name: value for name, value in namespace.items() if not _is_foreign(name, value)}


def _is_foreign(name: str, value: object) -> bool:
    """Whether a name is hidden, or was imported."""
    if name.startswith("_") or isinstance(value, ModuleType):
        return True
    imported = sys.modules.get(str(getattr(value, "__module__", "__main__")))
    return isinstance(value, type | FunctionType) and imported is not None and getattr(imported, name, None) is value


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Other]:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    worker = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("worker.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    yield Other(LocalStore(tmp_path_factory.mktemp("store")), worker.stdin, worker.stdout)
    worker.stdin.close()
    worker.terminate()  # what tests forked may hold the other end open
    worker.wait(30)
    worker.stdout.close()


@pytest.fixture(name="run")
def _run() -> Callable[..., dict[str, object]]:
    return run_cell


@pytest.fixture(name="defined")
def _defined() -> Callable[[dict[str, object]], dict[str, object]]:
    return variables_of
