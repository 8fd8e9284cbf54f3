"""Each magic run by IPython, and as the text of a module: the same output, variables, files and folder."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2pipe.codegen.magics.text import module_text
from nb2pipe.notebook.interpolation import bound_names
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import Cell, CellKind

WORKER = Path(__file__).parents[2] / "cases" / "magics" / "shell.py"
SEEDED = ["path = name = x = d = path_like = 0"]

CELLS = {
    "a command": "!ls *.txt",
    "its output on both streams": "!echo out; echo err >&2",
    "colors and width of its terminal": "!test -t 1 && echo terminal; stty size",
    "an exit code is no error": "!exit 3",
    "a command that is not there": "!nothing_of_this_name_1",
    "text that is not UTF-8": "!printf 'a\\377b\\n'",
    "text that is not ASCII": "!echo 'é ü 漢'",
    "no line end": "!printf abc",
    "in the background": "!sleep 1 &",
    "lines": "files = !ls *.txt\nn = files.n\ns = files.s\nl = files.l == files",
    "lines of both streams": "files = !echo out; echo err >&2",
    "no lines": "files = !true",
    "two names": "a, b = !echo 1; echo 2",
    "lines that are shown": "!!ls",
    "a line of a list": "files = !ls\nfirst = files[0]\nmore = files.grep('two').fields(0)",
    "braces": "!echo {x} {d['a'][1]} {path!r} {x + 1} {len(path)}",
    "dollars": "!echo $x '$x' \"$name\" $$x $d",
    "doubled braces": "!echo {{x}} ${{HOME}}",
    "what is not bound": "!echo {x} {unknown} $nothing_like_it",
    "format specifications": "!echo {x:>3}",
    "slices": "!echo {path[0:1]} {d['a'][:1]}",
    "quotes": '!echo "it\'s {x}" \'{name}\' \\"a\\" `echo b`',
    "backslashes": "!echo 'a\\tb' \\\\ {'a'}",
    "percent signs": "!echo 100% %s {x}%",
    "awk": "!echo 'a b' | awk '{print $2}'",
    "a joined line": "!echo a \\\n   b\ny = 1",
    "in a loop": "for each in d['a']:\n    !echo {each}\n    files = !echo $each",
    "in a function": "def f(a, b=2):\n    !echo {a} $b\n    return 7\nz = f(1)",
    "setting": "%env NB2PIPE_A=1\nimport os\ny = os.environ['NB2PIPE_A']",
    "setting with a blank": "%env NB2PIPE_A  two words\nimport os\ny = os.environ['NB2PIPE_A']",
    "setting to a name": "%env NB2PIPE_A=$path\nimport os\ny = os.environ['NB2PIPE_A']",
    "setting otherwise": "%set_env NB2PIPE_A {x}\n!echo $NB2PIPE_A",
    "a variable": "%env NB2PIPE_B=7\ny = %env NB2PIPE_B",
    "no variable": "%env NB2PIPE_NOTHING",
    "a variable with a blank": "%env A B=1",
    "a folder": "%cd data",
    "a folder of a name": "%cd {name}\nimport os\ny = os.getcwd()",
    "a folder in silence": "%cd -q data",
    "no such folder": "%cd nothing",
    "and back": "%cd data\n%cd -",
    "two folders up and down": '%cd data\n%cd ..\n%cd "data"',
    "this folder": "here = %pwd",
    "a time": "%time y = sum(range(10))",
    "the time of a value": "y = %time 1 + 1",
    "the time of nothing": "%time",
    "an error in a time": "%time 1 / 0",
    "a timed cell": "%%time\ny = 1\nfor each in range(2):\n    print(each)\nz = '''a\nb'''\nz",
    "a timed command": "%%time\n!echo a",
    "a call that is timed": "%timeit -n 2 -r 3 len(path)",
    "an assignment that is timed": "%timeit -n 2 -r 3 y = len(path)",
    "a cell that is timed often": "%%timeit -n 2 -r 3\nlen(path)\nlen(name)",
    "quietly": "%timeit -n 2 -r 1 -q len(path)",
    "capture": "%%capture out\nimport sys\nprint(1)\nprint(2, file=sys.stderr)\n!echo 3\ny = 4",
    "capture and forget": "%%capture\nprint(1)\ny = 4",
    "capture one": "%%capture out --no-stderr\nimport sys\nprint(1)\nprint(2, file=sys.stderr)",
    "capture with a semicolon": "%%capture out\nprint(1);",
    "show again": "%%capture out\nprint(1)",
    "a script": '%%bash\necho a\nfor i in 1 2; do\n  echo $i "it\'s"\ndone\necho b >&2',
    "a script with arguments": '%%bash -s "$x" {name}\necho $1 $2',
    "a script that is kept": "%%bash --out y --err z\necho a\necho b >&2",
    "a script whose output is kept": "%%sh --out y\necho a\necho b >&2",
    "a script that fails": "%%bash\necho a\nexit 3",
    "a script that may fail": "%%bash --no-raise-error\necho a\nexit 3",
    "another program": '%%script python3 -c \'import sys; print(sys.stdin.read().upper())\'\na\\tb """c"""',
    "python": "%%python3\nimport sys\nprint(sys.argv, 'it''s')",
    "a program that is not there": "%%script nothing_of_this_name_1\na",
    "a file": "%%writefile a.py\nx = '''\n\\d'''\n\n",
    "a file with quotes": '%%writefile "a b.txt"\n"""a"',
    "a file again": "%%writefile one.txt\na",
    "a longer file": "%%writefile -a one.txt\na {x} $x\n",
    "a file of a name": "%%writefile {name}/b.txt\n\n  a\n",
    "a file in no folder": "%%writefile nothing/b.txt\na",
    "numbers": "import numpy as np\n%precision 2\nprint(np.array([1 / 3]))\n%precision\nprint(np.array([1 / 3]))",
    "calls without parentheses": "def f(*a): print(a)\n,f a b\n;f a b\n/f x path",
    "aliases": "%mkdir -p {name}/c\n%cat one.txt",
    "what is only shown": "%%html\n<b>a</b>",
    "display": "from IPython.display import display as show, HTML\nshow(x)\ndisplay(HTML('a'), x)\ndel show",
    "a handle": "h = display(x, display_id=True)\nh.update(4)\ndel h",
    "inside and outside": "y = 'google.colab' in str(get_ipython())",
    "common indentation": "  y = 1\n  !echo {y}",
    "cell magics in cell magics": "%%time\n%%capture out\nprint(1)\ny = 2",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("magics")
    texts = []
    for number, source in enumerate(CELLS.values(), start=1):
        cell = Cell(id="a", position=number, kind=CellKind.CODE, source=source)
        bound = bound_names([*SEEDED, translate(source).python])
        made = module_text(cell, bound, notebook="n.ipynb")
        texts.append((made.text, made.helpers))
    straight = run("ipython", list(CELLS.values()), folder)
    modules = run("module", texts, folder)
    return {name: (one, two) for name, one, two in zip(CELLS, straight, modules, strict=True)}


def run(how: str, cells: list[Any], folder: Path) -> list[dict[str, Any]]:
    given, told = folder / f"{how}.json", folder / f"{how}.told"
    given.write_text(json.dumps(cells))
    variables = {**os.environ, "IPYTHONDIR": str(folder / "ipython"), "HOME": str(folder), "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-W", "ignore", str(WORKER), how, str(given), str(told)]
    subprocess.run(command, check=True, env=variables, cwd=Path(__file__).parents[3], stdin=subprocess.DEVNULL)
    read: list[dict[str, Any]] = json.loads(told.read_text())
    return read


TIME = re.compile(r"[\d.]+(e[+-]\d+)? (ns|μs|us|ms|s)\b")
UNEVEN = re.compile(r"The slowest run took.*\n")


def without_times(told: dict[str, Any]) -> dict[str, Any]:
    text = UNEVEN.sub("", TIME.sub("TIME", told["out"]))
    return {**told, "out": text}


@pytest.mark.parametrize("name", CELLS)
def test_a_module_does_what_ipython_does(found: dict[str, tuple[dict[str, Any], dict[str, Any]]], name: str) -> None:
    straight, module = found[name]
    assert without_times(module) == without_times(straight)
