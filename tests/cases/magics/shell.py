"""Runs cells of a file in IPython, each in a fresh namespace and folder; tells what each printed, bound and wrote."""

import contextlib
import io
import json
import os
import re
import sys
import tempfile
from pathlib import Path

SEEDED = {"path": "a b", "name": "data", "x": 3, "d": {"a": [1, 2]}, "path_like": Path("q")}


def shown(value):
    if isinstance(getattr(value, "stdout", None), str):
        return [type(value).__name__, value.stdout, value.stderr]
    text = re.sub(" at 0x[0-9a-f]+", "", repr(value))
    return [type(value).__name__, text, getattr(value, "n", None), getattr(value, "s", None)]


def told(run, source, names, visited):
    before = set(names)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("one.txt").write_text("1\n")
        Path("two words.txt").write_text("2\n")
        Path("data").mkdir()
        visited[:] = [Path.cwd()]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            error = run(source)
        files = {str(each.relative_to(folder)): each.read_text() for each in sorted(Path(folder).rglob("*")) if each.is_file()}
        here = str(Path.cwd().relative_to(Path(folder).resolve()))
        os.chdir("/")
    bound = {name: shown(names[name]) for name in sorted(set(names) - before) if not name.startswith("_")}
    kept = {name: repr(names.get(name)) for name in SEEDED}
    return {
        "out": out.getvalue().replace(os.path.realpath(folder), "FOLDER"),
        "err": err.getvalue() if error is None else "",
        "error": error,
        "bound": json.loads(json.dumps(bound).replace(os.path.realpath(folder), "FOLDER")),
        "kept": kept,
        "files": files,
        "here": here,
    }


def in_ipython(sources):
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import CapturingDisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell

    class Silent(DisplayHook):
        def __call__(self, result=None):
            pass

    InteractiveShell.displayhook_class = Silent
    InteractiveShell.display_pub_class = CapturingDisplayPublisher
    shell = InteractiveShell.instance()
    shell.showtraceback = shell.showsyntaxerror = lambda *_, **__: None

    def run(source):
        result = shell.run_cell(source, store_history=False)
        found = result.error_before_exec or result.error_in_exec
        return type(found).__name__ if found else None

    for source in sources:
        shell.reset(new_session=False)
        shell.user_ns.update(SEEDED)
        yield told(run, source, shell.user_ns, shell.user_ns["_dh"])


def in_module(texts):
    from nb2pipe.runtime import magics
    from nb2pipe.runtime.magics import places
    from nb2pipe.runtime.display import silence_display

    silence_display()
    for text, helpers in texts:
        names = {"__name__": "__main__", **SEEDED, **{name: getattr(magics, name) for name in helpers}}

        def run(source):
            try:
                exec(compile(source, "<module>", "exec"), names)
            except Exception as error:
                return type(error).__name__
            return None

        yield told(run, text, names, places._visited)


if __name__ == "__main__":
    cells = json.loads(Path(sys.argv[2]).read_text())
    found = list({"ipython": in_ipython, "module": in_module}[sys.argv[1]](cells))
    Path(sys.argv[3]).write_text(json.dumps(found))
