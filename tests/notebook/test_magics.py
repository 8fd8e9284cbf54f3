"""IPython syntax becomes Python of the same lines; IPython itself is the oracle."""

from __future__ import annotations

import ast
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nb2pipe.notebook.interpolation import BoundNames, bound_names
from nb2pipe.notebook.magics import translate
from nb2pipe.notebook.model import Magic, MagicKind

BOUND = BoundNames(frozenset({"x", "path", "src", "dst", "cfg"}))

CASES = [
    ("%matplotlib inline\nimport os", "pass\nimport os"),
    ("!pip install x", "pass"),
    ("!pip install a \\\n  b\ny = 1", "pass\n\ny = 1"),
    ("files = !ls", "files = get_ipython().getoutput('ls')"),
    ("a, b = !ls", "a, b = get_ipython().getoutput('ls')"),
    ("cfg.files = !ls", "cfg.files = get_ipython().getoutput('ls')"),
    ("x = %env HOME", "x = get_ipython().run_line_magic('env', 'HOME')"),
    ("r = %time f(x)", "r = f(x)"),
    ("%time y = f(x)", "y = f(x)"),
    ("%time", "pass"),
    ("%prun -l 5 -q y = f(x)", "y = f(x)"),
    ("%timeit -n 10 -r3 f(x)", "(f(x))"),
    ("%timeit y = f(x)", "(f(x))"),
    ("%%time\ny = 1\n!ls", "pass\ny = 1\npass"),
    ("\n\n%%time\ny = 1", "\n\npass\ny = 1"),
    ("%%capture out\nprint(1)", "out = get_ipython().run_cell_magic('capture', 'out')\nprint(1)"),
    ("%%capture --no-stderr\nprint(1)", "pass\nprint(1)"),
    ("%%time\n%%capture out\ny = 1", "pass\nout = get_ipython().run_cell_magic('capture', 'out')\ny = 1"),
    ("%%bash\nfor i in a; do\n  echo $i\ndone", "pass\n\n\n"),
    (
        "%%bash --out text --err problems\nls",
        "text = problems = get_ipython().run_cell_magic('bash', '--out text --err problems')\n",
    ),
    ("%%writefile {path}\nx = (", "str((path))\n"),
    ("%%html\n<b>", "pass\n"),
    ("obj?", "pass"),
    ("?obj", "pass"),
    ("obj.attr[0]??", "pass"),
    ("%time?", "pass"),
    ("if x:\n    !rm {path}\n    %time y = 1\nz = 2", "if x:\n    str((path))\n    y = 1\nz = 2"),
    ("for p in path:\n\t%cd $p", "for p in path:\n\tpass"),
    ("z = (5\n  % x)\n!ls", "z = (5\n  % x)\npass"),
    ("z = 5 \\\n  % x\n!ls", "z = 5 \\\n  % x\npass"),
    ("s = '''\n!ls\n%time\nobj?\n'''\n!ls", "s = '''\n!ls\n%time\nobj?\n'''\npass"),
    ("s = '!ls' # !ls\nt = \"a = !ls\"\n!ls", "s = '!ls' # !ls\nt = \"a = !ls\"\npass"),
    ("f(a=1,\n  b=!ls)", ""),
    ("!cp {src} $dst", "str((src)), str((dst))"),
    ("!cp {path + '/a'} .", "str((path + '/a'))"),
    ("!awk '{print $1}' file", "pass"),
    ("!echo $HOME", "pass"),
    ("!echo {unknown}", "pass"),
    ("!echo {{x}} $$x", "pass"),
    ("!echo {x:.2f}", "pass"),  # IPython takes the colon for one of a slice
    ("!echo {path[1:2]}", "str((path[1:2]))"),
    ("files = !ls {path}", "files = get_ipython().getoutput('ls {path}', str((path)))"),
    ("  y = 1\n  !ls", "y = 1\npass"),
    (">>> y = 1\n>>> print(y)", "y = 1\nprint(y)"),
    ("In [3]: y = 1", "y = 1"),
    (",f a b", "f('a', 'b')"),
    (";f a b", "f('a b')"),
    ("/f a b", "f(a, b)"),
    ("%xdel x", "del x"),
    ("%store -r x", "x = get_ipython().run_line_magic('store', '-r x')"),
    ("%load_ext autoreload\n%autoreload 2", "pass\npass"),
    ("await f()\n!ls", "await f()\npass"),
    ("%matplotlib inline\nfrom __future__ import annotations", "pass\nfrom __future__ import annotations"),
    ("%%unknown\nx y z", "pass\n"),
]


@pytest.mark.parametrize(("source", "python"), CASES)
def test_magics_become_python_of_the_same_lines(source: str, python: str) -> None:
    assert translate(source, BOUND).python == python


@pytest.mark.parametrize(("source", "python"), [case for case in CASES if case[1]])
def test_line_numbers_hold(source: str, python: str) -> None:
    assert python.count("\n") == source.count("\n")
    assert translate(source, BOUND).problem is None


def test_plain_python_stays_as_it_is() -> None:
    source = "x = 5 % 3\nif x != 2: print('!ls')\n"
    assert translate(source).python == source
    assert translate(source).magics == ()


def test_a_magic_says_what_and_where_it_is() -> None:
    source = "y = 1\nfiles = !ls \\\n  -l\n\n%cd data\nobj??"
    assert translate(source).magics == (
        Magic(kind=MagicKind.SHELL, name="system", arguments="ls    -l", line=2, target=("files",)),
        Magic(kind=MagicKind.LINE, name="cd", arguments="data", line=5),
        Magic(kind=MagicKind.HELP, name="pinfo2", arguments="obj", line=6),
    )


def test_magics_inside_a_cell_magic_keep_their_lines() -> None:
    found = translate("%%time\n\n# a\n!ls").magics
    assert [(magic.name, magic.line) for magic in found] == [("time", 1), ("system", 4)]
    assert found[0].body == "\n# a\n!ls"


def test_what_timeit_binds_is_gone_after_it() -> None:
    namespace: dict[str, object] = {"x": [1]}
    exec(translate("%%timeit y = 2\nz = y\nx.append(z)").python, namespace)
    assert namespace["x"] == [1, 2]
    assert "y" not in namespace
    assert "z" not in namespace
    assert not any(name.startswith("_timed") for name in namespace)


def test_an_error_has_its_place() -> None:
    problem = translate("%matplotlib inline\ny = 1\nx = (1,\n").problem
    assert problem is not None
    assert (problem.line, problem.column) == (3, 5)
    assert translate("x = (1,").python == ""


@pytest.mark.parametrize(
    "source",
    [
        "return 1",
        "x = ",
        "  x\ny",
        "break",
        "yield 1",
        "x = '",
        "def f(a, a): pass",
        "\0",
        "(" * 300,
        "-" * 100_000 + "1",
    ],
)
def test_what_is_no_python_is_a_problem_and_not_an_exception(source: str) -> None:
    assert translate(source).problem is not None


def test_cell_magics_in_cell_magics_in_cell_magics_are_a_problem_and_not_an_exception() -> None:
    assert translate("%%time\n" * 2000).problem is not None


def test_invalid_escapes_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert translate("x = '\\d'\n!ls").problem is None


def test_the_names_that_a_notebook_binds_are_found() -> None:
    found = bound_names(["a = 1\nfor b in c: pass", "def f(d): e = 1", "import os.path, g as h", "x = ("])
    assert found.names == {"a", "b", "f", "e", "os", "h"}
    assert not found.star
    assert bound_names(["from x import *"]).star


def ipython_calls(source: str) -> list[tuple[str, ...]] | None:
    """The magics that IPython itself sees, or None where its result is no Python."""
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError:
        return None
    calls = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attr), args=[*arguments]
            ):
                texts = [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]
                calls.append((node.lineno, node.col_offset, (attr, *(plain(text) for text in texts))))
            case _:
                pass
    return [call for _, _, call in sorted(calls)]


def plain(text: str) -> str:
    """Without a backslash at the very end, which joins nothing."""
    return text.strip().rstrip("\\").rstrip()


def comparable(source: str) -> bool:
    """IPython's own tokens are unreliable where a bracket stays open before a question mark."""
    opened = sum(source.count(bracket) for bracket in "([{") != sum(source.count(bracket) for bracket in ")]}")
    return not source.lstrip().startswith("%%") and not ("?" in source and opened)


def our_calls(source: str) -> list[tuple[str, ...]] | None:
    translation = translate(source)
    if translation.problem is not None:
        return None
    return [our_call(magic, source) for magic in translation.magics]


def our_call(magic: Magic, source: str) -> tuple[str, ...]:
    match magic.kind:
        case MagicKind.HELP if not magic.arguments:
            return ("show_usage",)
        case MagicKind.HELP if magic.name == "pinfo" and "*" in magic.arguments:
            return ("run_line_magic", "psearch", magic.arguments)
        case MagicKind.LINE | MagicKind.HELP:
            return ("run_line_magic", magic.name, plain(magic.arguments))
        case MagicKind.CELL:
            return ("run_cell_magic", magic.name, magic.arguments, magic.body.strip())
        case MagicKind.SHELL:
            line = source.split("\n")[magic.line - 1]
            captured = magic.target or "=" in line.partition("!")[0] or line.lstrip().startswith("!!")
            return ("getoutput" if captured else "system", plain(magic.arguments))


LINES = st.sampled_from(
    [
        "x = 1",
        "if x:",
        "    y = 2",
        "    !ls",
        "    %cd data",
        "    z = !ls",
        "!ls -l | wc",
        "!!ls",
        "!echo 'a' \"b\" (",
        "!echo its \\",
        "%time",
        "%load_ext autoreload",
        "%cd 'a b'",
        "a = %env HOME",
        "a=!ls",
        "a = !ls \\",
        "a = (1,",
        "  2)",
        "% x",
        "s = '''\n%time\n!ls ?\nobj?\n'''",
        "t = '%time' # !ls",
        "# comment?",
        "obj?",
        "obj.x[1]??",
        "?obj",
        "??",
        "?",
        "x == 2",
        "x != 3",
        "x %= 2",
        "f(a=1)",
        "lambda a=1: a",
        "",
        "   ",
        "%%time",
        "%%bash -x",
        "%%time?",
        "d = {'a': 1,",
        "}",
        "e = [",
        "]",
        "x \\",
        "+ 1",
        "*obj?",
        "b: int = !ls",
    ]
)


@given(st.lists(LINES, min_size=1, max_size=6).map("\n".join))
def test_we_see_the_magics_that_ipython_sees(source: str) -> None:
    theirs = ipython_calls(source)
    if theirs is not None and comparable(source):
        assert our_calls(source) == theirs


@given(st.lists(LINES, min_size=1, max_size=6).map("\n".join))
def test_what_is_python_to_ipython_is_python_to_us(source: str) -> None:
    if comparable(source) and "lambda" not in source:
        assert (our_calls(source) is None) == (ipython_calls(source) is None)


@given(st.lists(LINES, min_size=1, max_size=8).map("\n".join))
def test_lines_hold_whatever_stands_in_a_cell(source: str) -> None:
    translation = translate(source, BOUND)
    assert translation.problem is not None or translation.python.count("\n") == source.count("\n")
    ast.parse(translation.python)
    assert all(1 <= magic.line <= source.count("\n") + 1 for magic in translation.magics)


@given(st.text())
def test_any_text_is_translated_without_an_exception(source: str) -> None:
    ast.parse(translate(source, BOUND).python, feature_version=None)


@given(st.text(alphabet="%!?=()[]{}'\"#\\\n xy$,;/.:1"))
def test_any_odd_text_is_translated_without_an_exception(source: str) -> None:
    translation = translate(source, BOUND)
    assert (translation.problem is None) or translation.python == ""
