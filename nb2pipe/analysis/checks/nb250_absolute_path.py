"""An absolute path, or a path into somebody's home directory.

The file is where it is on the author's machine; on another machine, or in a container, it is not.

    table = pd.read_csv("/home/me/data.csv")

What to do: use a path relative to the notebook's folder, in which steps run; or make the folder a parameter, in a cell
tagged `parameters`, and give it with `-p`.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2pipe.analysis.checks.production import dotted, last_name, line_place, node_place, texts
from nb2pipe.diagnostics import Diagnostic, Severity
from nb2pipe.notebook.model import MagicKind
from nb2pipe.notebook.sections import Role
from nb2pipe.notebook.shown import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.analysis.checks.production import Code, Source
    from nb2pipe.diagnostics import Location
    from nb2pipe.notebook.model import Notebook

CODE = "NB250"
_WORTH_READING = re.compile(r"[/\\~]")

_SOMEBODYS = re.compile(
    r"(?:file://)?(?:/(?:home|Users)/[^/\s]|/root/[^/\s]|/(?:tmp|mnt|media|content|kaggle|scratch|dbfs|Volumes)/[^/\s])"
    r"|~[\w.-]*[/\\][^\s/\\]"
    r"|(?:file:///)?[A-Za-z]:[\\/](?![\\/])[\w.% -]"
    r"|\\\\[\w.-]+\\[\w.$-]+"
)
"""Paths that are those of one machine, wherever they stand."""

_ABSOLUTE = re.compile(
    r"/(?!dev/|proc/|sys/)[\w.-]+(?:/[\w.*?\[\] -]+)+/?\Z|/(?:data|datasets?|models?|output|input)/?\Z"
)
"""Paths that may be routes of an address too: only where a file is meant."""

_FILE_CALL = re.compile(
    r"(?:^|\.)(?:open|Path|PurePath|PosixPath|chdir|listdir|scandir|walk|glob|iglob|makedirs|mkdir|exists|isfile|isdir|join"
    r"|read_\w+|to_(?:csv|parquet|pickle|json|excel|feather|hdf)|load|save|savez|savetxt|loadtxt|genfromtxt|savefig|imread"
    r"|imsave|imwrite|copy\w*|move|rmtree|remove|unlink|ImageFolder|dump|ZipFile|TarFile|connect)$"
)
_FILE_NAME = re.compile(
    r"(?:^|_)(?:path|paths|dir|dirs|directory|folder|file|files|filename|root|fname)(?:_|\d|$)", re.IGNORECASE
)


def check(code: Code) -> Iterator[Diagnostic]:
    """The absolute paths of a notebook's code."""
    for source in code.mentioning(_WORTH_READING):
        names = _names(source.tree)
        for node, parent in texts(source.tree):
            if _is_path(str(node.value), parent, names.get(id(node), "")):
                yield _diagnostic(source, str(node.value), node_place(code.notebook, source, node))
        yield from _of_magics(code.notebook, source)


def _is_path(text: str, parent: ast.AST, name: str) -> bool:
    if "\n" in text:
        return False
    if _SOMEBODYS.match(text):
        return True
    if not _ABSOLUTE.match(text):
        return False
    return bool(_FILE_NAME.search(name)) or (isinstance(parent, ast.Call) and bool(_FILE_CALL.search(_called(parent))))


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return dotted(call.func)


def _names(tree: ast.Module) -> Mapping[int, str]:
    """The names that texts are bound to: by an assignment, an argument's name or a key."""
    found: dict[int, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[target], value=value):
                found[id(value)] = last_name(target)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                found[id(value)] = last_name(target)
            case ast.keyword(arg=str(name), value=value):
                found[id(value)] = name
            case ast.Dict(keys=keys, values=values):
                found.update((id(value), last_name(key)) for key, value in zip(keys, values, strict=True) if key)
            case _:
                pass
    return found


def _of_magics(notebook: Notebook, source: Source) -> Iterator[Diagnostic]:
    for magic in source.cell.magics:
        if magic.kind not in {MagicKind.LINE, MagicKind.SHELL}:
            continue
        for word in re.split(r"[\s='\"]+", magic.arguments):
            if _SOMEBODYS.match(word):
                yield _diagnostic(source, word, line_place(notebook, source, magic.line))


def _diagnostic(source: Source, text: str, place: Location) -> Diagnostic:
    home = "home" in text[:8] or "Users" in text or text.startswith(("~", "/root"))
    what = "a path into a home directory" if home else "an absolute path"
    if source.role is Role.PARAMETERS:
        severity, hint = Severity.INFO, "it is a parameter, so that another machine can give its own with `-p`"
    else:
        severity, hint = Severity.WARNING, "use a path relative to the notebook, or make it a parameter"
    return Diagnostic(code=CODE, severity=severity, message=f"`{shown(text)}` is {what}", location=place, hint=hint)
