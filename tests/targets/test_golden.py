from __future__ import annotations

import difflib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pipe.api import load
from nb2pipe.bundles.check import manifest_of
from nb2pipe.bundles.emit import Wishes, emit
from nb2pipe.codegen.modules.vendor import vendored_files
from nb2pipe.targets.model import BUNDLE_FILE, Bundle

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
NOTEBOOKS = ("digits", "survey", "tour")


def emitted(notebook: str, *, anew: bool) -> Bundle:
    """The bundle of an example, with the versions that the golden files have."""
    folder = GOLDEN / notebook / "python"
    known = None if anew else manifest_of(folder)
    pipeline = load(Path(os.path.relpath(ROOT / "example_notebooks" / f"{notebook}.ipynb")))
    return emit(pipeline, Wishes(folder=folder, known=known.requirements if known else None))


def texts(bundle: Bundle) -> dict[str, str]:
    """The files that are golden: all but the carried runtime, which is nb2pipe's own."""
    found = {file.path: file.text for file in bundle.files if "/_vendor/" not in file.path}
    content = json.loads(found[BUNDLE_FILE])
    content["files"] = {path: digest for path, digest in content["files"].items() if "/_vendor/" not in path}
    del content["digest"]
    return {**found, BUNDLE_FILE: json.dumps(content, indent=1) + "\n"}


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_example_is_converted_as_the_golden_files_are(notebook: str, *, update_golden: bool) -> None:
    folder = GOLDEN / notebook / "python"
    made = texts(emitted(notebook, anew=update_golden))
    if update_golden:
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    golden = {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in files}
    for path in sorted(golden.keys() | made.keys()):
        old, new = golden.get(path, "").splitlines(), made.get(path, "").splitlines()
        assert not list(difflib.unified_diff(old, new, f"golden {path}", path, lineterm="")), path
    assert golden == made


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_the_carried_runtime_is_nb2pipes_own(notebook: str) -> None:
    bundle = emitted(notebook, anew=False)
    prefix = f"{bundle.plan.name}/_vendor/"
    carried = {file.path.removeprefix(prefix): file.text for file in bundle.files if file.path.startswith(prefix)}
    assert carried == {file.path: file.text for file in vendored_files()}
    assert "nb2pipe/runtime/program.py" in carried


SCRIPT = """
import hashlib, json, os, sys
from pathlib import Path
from nb2pipe.api import load
from nb2pipe.bundles.check import manifest_of
from nb2pipe.bundles.emit import Wishes, emit
for notebook in sys.argv[1:]:
    folder = Path("tests/golden", notebook, "python")
    wishes = Wishes(folder=folder, known=manifest_of(folder).requirements)
    bundle = emit(load(f"example_notebooks/{notebook}.ipynb"), wishes)
    for file in bundle.files:
        print(notebook, file.path, hashlib.sha256(file.text.encode()).hexdigest())
"""


def interpreters() -> list[str]:
    """Pythons of other versions that are installed here, and this one."""
    found = [shutil.which(f"python3.{minor}") for minor in (11, 12, 13)]
    homes = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    found += [str(path) for minor in (12, 13) for path in sorted(homes.glob(f"3.{minor}.*/bin/python"))]
    working = {
        path: subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode for path in found if path
    }
    return [sys.executable, *(path for path, code in working.items() if code == 0)]


def test_all_pythons_that_are_installed_make_the_same_bytes() -> None:
    here = [path for path in sys.path if path.endswith("-packages")]
    lines = set()
    for seed, interpreter in enumerate(interpreters()):
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *here]), "PYTHONHASHSEED": str(seed)}
        variables.pop("__PYVENV_LAUNCHER__", None)
        words = [interpreter, "-S", "-c", SCRIPT, *NOTEBOOKS]
        if interpreter == sys.executable:
            words.remove("-S")
        done = subprocess.run(words, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{interpreter}: {done.stderr}"
        lines.add(done.stdout)
    assert len(lines) == 1
