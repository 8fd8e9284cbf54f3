"""What looks like a credential stands in the code.

A password, token or key in a notebook is seen by everybody who gets the notebook, its repository, or the record of a
run.

    api_key = "..."

What to do: take it from an environment variable, `os.environ["API_KEY"]`, and tag the step `secret:NAME:KEY:API_KEY`,
which a target turns into its own secrets; make the old one invalid. The text itself is never shown here.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import last_name, line_of, line_place, node_place, texts
from nb2pipe.diagnostics import Diagnostic, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nb2pipe.analysis.checks.production import Code, Source
    from nb2pipe.notebook.model import Cell, Notebook

CODE = "NB252"
_WORTH_READING = re.compile(
    r"(?i)passw|pwd|passphrase|secret|credential|token|key|pat(?!h)|://|akia|asia|gh[pousr]_|glpat|sk-|k_live|hf_|xox"
    r"|aiza|pypi-|npm_|eyj"
)
MASK = "***"

_PRIVATE_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----")
_SHAPES = (
    ("an AWS access key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    ("a GitHub token", re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}")),
    ("a GitLab token", re.compile(r"\bglpat-[\w-]{16,}")),
    ("an API key", re.compile(r"\bsk-[\w-]{20,}|\b[sr]k_live_\w{16,}")),
    ("a Hugging Face token", re.compile(r"\bhf_[A-Za-z0-9]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeoprs]-[\w-]{10,}")),
    ("a Google API key", re.compile(r"\bAIza[\w-]{35}")),
    ("a token of a package index", re.compile(r"\bpypi-[\w-]{20,}|\bnpm_\w{30,}")),
    ("a web token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}")),
    ("a private key", _PRIVATE_KEY),
)
_IN_ADDRESS = re.compile(r"\b[a-zA-Z][\w+.-]*://[^/\s:@{}<>]*:(?P<password>[^/\s@{}<>$]{3,})@")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset(
    {"password", "passwd", "pwd", "passphrase", "secret", "secrets", "credential", "credentials", "apikey", "pat"}
)
_KEY_KINDS = frozenset({"api", "private", "access", "secret", "auth", "encryption", "signing", "account", "service"})
_MODEL_TOKENS = frozenset(
    {"pad", "eos", "bos", "unk", "mask", "sep", "cls", "start", "end", "stop", "first", "last", "next", "prev"}
    | {"current", "new", "special", "word", "sub", "image", "text", "input", "output", "blank", "newline", "split"}
)
_OTHER_THINGS = frozenset(
    {
        "name",
        "names",
        "column",
        "col",
        "field",
        "path",
        "file",
        "dir",
        "url",
        "uri",
        "endpoint",
        "type",
        "count",
        "limit",
    }
    | {
        "length",
        "len",
        "prompt",
        "label",
        "env",
        "var",
        "variable",
        "header",
        "pattern",
        "regex",
        "id",
        "policy",
        "hint",
    }
)
_PLACEHOLDERS = re.compile(
    r"your|<|\$|\{|%\(|xx|\*|\.\.\.|enter|insert|changeme|replace|todo|none\Z|null\Z|dummy|example|placeholder|redacted",
    re.IGNORECASE,
)
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\Z")
_SHORTEST = 4
_MOST_WORDS = 3


def check(code: Code) -> Iterator[Diagnostic]:
    """The credentials of a notebook's code; private keys everywhere."""
    for source in code.mentioning(_WORTH_READING, skipped=True):
        told: set[int] = set()
        for node, what in (*_named(source.tree), *_shaped(source.tree)):
            if node.lineno not in told:
                told.add(node.lineno)
                yield _diagnostic(what, _masked_place(code.notebook, source, node))
        yield from _of_magics(code.notebook, source, told)
    yield from _private_keys(code.notebook)


def is_secret_name(name: str) -> bool:
    """Whether a name is that of a credential.

    >>> [is_secret_name(name) for name in ("api_key", "hfToken", "max_tokens", "pad_token", "key_column", "SECRET")]
    [True, True, False, False, False, True]
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _OTHER_THINGS:
        return False
    if _SECRET_WORDS.intersection(words):
        return True
    if words[-1] == "token":
        return words[-2:-1] == [] or words[-2] not in _MODEL_TOKENS
    return words[-1] == "key" and bool(_KEY_KINDS.intersection(words))


def _is_secret(name: str, value: ast.expr) -> bool:
    """Whether a name is bound to a text that is no placeholder."""
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str) or not is_secret_name(name):
        return False
    text = value.value.strip()
    if len(text) < _SHORTEST or len(text.split()) > _MOST_WORDS or text.endswith(":"):
        return False
    if _PLACEHOLDERS.match(text) or _VARIABLE_NAME.match(text):
        return False
    return text.lower().replace("-", "_") not in name.lower()


def _named(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """The texts that are bound to names of credentials."""
    for node in ast.walk(tree):
        for name, value in _bindings(node):
            if _is_secret(name, value):
                yield value, f"`{name}` is"


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield last_name(target), value
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            yield from ((last_name(key), value) for key, value in zip(keys, values, strict=True) if key is not None)
        case ast.arguments():
            yield from _defaults(node)
        case _:
            pass


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target, value:
        case (ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=values) | ast.List(elts=values)):
            yield from ((last_name(one), two) for one, two in zip(names, values, strict=False))
        case _:
            yield last_name(target), value


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    yield from ((one.arg, two) for one, two in zip(with_default, arguments.defaults, strict=True))
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    yield from ((one.arg, two) for one, two in named if two is not None)


def _shaped(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """The texts that have the form of a credential."""
    for node, _ in texts(tree):
        what = _shape(str(node.value))
        if what is not None:
            yield node, what


def _shape(text: str) -> str | None:
    for what, shape in _SHAPES:
        if shape.search(text):
            return f"{what} is"
    found = _IN_ADDRESS.search(text)
    if found and not _PLACEHOLDERS.match(found["password"]) and found["password"].lower() != "password":
        return "a password in an address is"
    return None


def _of_magics(notebook: Notebook, source: Source, told: set[int]) -> Iterator[Diagnostic]:
    """Credentials in lines of IPython syntax, such as `%env API_KEY=...`."""
    for magic in source.cell.magics:
        text = f"{magic.arguments}\n{magic.body}"
        what = _shape(text)
        name, _, value = magic.arguments.replace("=", " ", 1).partition(" ")
        if what is None and magic.name in {"env", "set_env"} and _is_secret(name, ast.Constant(value=value)):
            what = f"`{name}` is"
        if what is not None and magic.line not in told:
            told.add(magic.line)
            head = line_of(source.cell, magic.line).split()[:1]
            yield _diagnostic(what, line_place(notebook, source, magic.line, f"{' '.join(head)} {MASK}"))


def _private_keys(notebook: Notebook) -> Iterator[Diagnostic]:
    """Private keys in comments and in text, where nothing else counts."""
    for cell in notebook.cells:
        if "PRIVATE KEY" not in cell.source:
            continue
        for number, line in enumerate(cell.source.split("\n"), start=1):
            if _PRIVATE_KEY.search(line) and not _is_text_of_code(cell, number):
                place = Location(
                    notebook=notebook.path, cell=cell.id, position=cell.position, line=number, source_line=MASK
                )
                yield _diagnostic("a private key is", place)


def _is_text_of_code(cell: Cell, line: int) -> bool:
    """Whether a line of a code cell lies in a text, which was looked at before."""
    if not cell.python:
        return False
    tree = ast.parse(cell.python)
    return any(
        isinstance(node, ast.Constant) and isinstance(node.value, str) and node.lineno <= line <= (node.end_lineno or 0)
        for node in ast.walk(tree)
    )


def _masked_place(notebook: Notebook, source: Source, node: ast.expr) -> Location:
    """A place whose line is shown without any text that stands in it."""
    place = node_place(notebook, source, node)
    line = line_of(source.cell, node.lineno).encode()
    for text in sorted(_texts_on(source, node.lineno), key=lambda item: item.col_offset, reverse=True):
        end = (text.end_col_offset or 0) if text.end_lineno == node.lineno else len(line)
        start = text.col_offset if text.lineno == node.lineno else 0
        line = line[:start] + f'"{MASK}"'.encode() + line[end:]
    shown = line.decode(errors="replace").partition("#")[0].rstrip()
    return Location(
        notebook=place.notebook,
        cell=place.cell,
        position=place.position,
        line=place.line,
        column=place.column,
        source_line=shown,
        step=place.step,
    )


def _texts_on(source: Source, line: int) -> list[ast.Constant | ast.JoinedStr]:
    """The texts on a line, those in others left out."""
    found = [
        node
        for node in ast.walk(source.tree)
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        if node.lineno <= line <= (node.end_lineno or 0)
    ]
    formatted = [node for node in found if isinstance(node, ast.JoinedStr)]
    inner = {id(part) for node in formatted for part in ast.walk(node) if part is not node}
    return [node for node in found if id(node) not in inner]


def _diagnostic(what: str, place: Location) -> Diagnostic:
    return Diagnostic(
        code=CODE,
        severity=Severity.WARNING,
        message=f"{what} what looks like a credential" if what.startswith("`") else f"{what} in the code",
        location=place,
        hint='take it from the environment, as `os.environ["NAME"]`, and tag the step `secret:SECRET:KEY:NAME`',
    )
