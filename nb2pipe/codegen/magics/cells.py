"""Cell magics as plain Python: a first line, and a body of as many lines as the notebook's."""

from __future__ import annotations

import ast
import re
import symtable
from typing import TYPE_CHECKING

from nb2pipe.codegen.magics.installs import installs
from nb2pipe.codegen.magics.lines import HINT, note_install, refuse_magic, timing_options
from nb2pipe.codegen.modules.indent import indented
from nb2pipe.notebook.reader import SCRIPT_MAGICS
from nb2pipe.notebook.shown import shown
from nb2pipe.notebook.syntax import parsed

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pipe.codegen.magics.notes import Notes
    from nb2pipe.notebook.model import Magic

    Read = Callable[[str, int], str]

_SHOWN_ONLY = frozenset({"HTML", "SVG", "html", "javascript", "js", "latex", "markdown", "svg"})
_BACKGROUND = re.compile(r"(?:^|\s)--(?:bg|proc)\b")
_OUTPUT = re.compile(r"(?:^|\s)--(out|err)[=\s]\s*(\S+)")
_NO_RAISE = re.compile(r"(?:^|\s)--no-raise-error\b")
_WRITES = re.compile(r"(?:(?P<first>-a|--append)\s+)?(?P<path>\S.*?)(?:\s+(?P<last>-a|--append))?")
_QUOTES = re.compile(r'"{3,}|"+\Z')
_VISIBLE = re.compile("[^\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]*")


def cell_text(magic: Magic, read: Read, notes: Notes) -> tuple[str, str]:
    """What stands for a cell magic: its first line, and its body.

    Args:
        magic: The cell magic.
        read: Reads the body as a cell.
        notes: Takes what is to be noted.
    """
    if magic.name in _SHOWN_ONLY:
        return _nothing(magic, notes.drop(magic.line, f"`%%{magic.name}` is left out: modules print what is printed"))
    if not magic.body.strip():
        return _nothing(magic, notes.refuse(magic.line, f"`%%{shown(magic.name)}` has no body", "remove it"))
    if magic.name in SCRIPT_MAGICS:
        return _script(magic, notes)
    word = _WORDS.get(magic.name)
    return word(magic, read, notes) if word else _nothing(magic, refuse_magic(magic.name, "%%", magic.line, notes))


def _nothing(magic: Magic, first: str = "pass") -> tuple[str, str]:
    return first, "\n" * magic.body.count("\n")


def _within(head: str, magic: Magic, body: str, notes: Notes) -> tuple[str, str]:
    """A body below a head that ends with a colon."""
    tree = parsed(body)
    if tree is not None and not tree.body:
        return f"{head} pass", body
    moved = indented(body)
    if moved is None:
        return _nothing(magic, notes.refuse(magic.line, f"this `%%{magic.name}` cannot be written in Python", HINT))
    return head, moved


def _timed(magic: Magic, read: Read, notes: Notes) -> tuple[str, str]:
    if magic.arguments:
        hint = "put the statement on a line of its own"
        return _nothing(magic, notes.refuse(magic.line, "`%%time` takes no statement in its own line", hint))
    body = read(magic.body, magic.line + 1)
    return _within(f"with {notes.helper('timed')}():", magic, body, notes)


def _captured(magic: Magic, read: Read, notes: Notes) -> tuple[str, str]:
    words = magic.arguments.split()
    names = [word for word in words if not word.startswith("-")]
    options = [f"{word.removeprefix('--no-')}=False" for word in words if word in {"--no-stdout", "--no-stderr"}]
    body = read(magic.body, magic.line + 1)
    if not all(name.isidentifier() for name in names) or len(names) > 1 or _mentions(body, names):
        hint = "give it a name of its own: `%%capture shown`"
        return _nothing(magic, notes.refuse(magic.line, "modules cannot hold this `%%capture`", hint))
    # IPython keeps nothing where the cell ends with a semicolon.
    kept = f" as {names[0]}" if names and not body.rstrip().endswith(";") else ""
    return _within(f"with {notes.call('captured', *options)}{kept}:", magic, body, notes)


def _mentions(body: str, names: list[str]) -> bool:
    tree = parsed(body)
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set(names)
    return not found.isdisjoint(names)


def _profiled(magic: Magic, read: Read, notes: Notes) -> tuple[str, str]:
    first = notes.drop(magic.line, "`%%prun` is left out: the code runs without a profile")
    return first, read(magic.body, magic.line + 1)


def _timeit(magic: Magic, read: Read, notes: Notes) -> tuple[str, str]:
    given, setup = timing_options(magic.arguments)
    body = read(magic.body, magic.line + 1)
    if setup or _binds(body):
        hint = "call a function in it, `%%timeit` and `f(x)`; or tag the cell `skip`"
        return _nothing(magic, notes.refuse(magic.line, "modules cannot hold a `%%timeit` that binds names", hint))
    options = [f"{name}={text}" for name, text in given.items()]
    return _within(f"for _ in {notes.call('timing', *options)}:", magic, body, notes)


def _binds(body: str) -> bool:
    try:
        table = symtable.symtable(body, "<cell>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return True
    return any(symbol.is_assigned() or symbol.is_imported() for symbol in table.get_symbols())


def _script(magic: Magic, notes: Notes) -> tuple[str, str]:
    lines = [line for line in magic.body.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found = [installs(line) for line in lines]
    if found and all(found) and not magic.target:
        for install in found:
            if install is not None:
                note_install(install, magic.line, notes)
        return _nothing(magic)
    outputs = dict(_OUTPUT.findall(magic.arguments))
    if _BACKGROUND.search(magic.arguments) or not all(name.isidentifier() for name in outputs.values()):
        hint = "let it run to its end, or start it with subprocess.Popen"
        return _nothing(magic, notes.refuse(magic.line, f"modules cannot hold this `%%{magic.name}`", hint))
    rest = _NO_RAISE.sub("", _OUTPUT.sub("", magic.arguments)).strip()
    program = rest if magic.name == "script" else f"{magic.name} {rest}".rstrip()
    options = [f'keep="{"both" if len(outputs) > 1 else next(iter(outputs))}"'] if outputs else []
    options += ["check=False"] if _NO_RAISE.search(magic.arguments) else []
    targets = ", ".join(outputs[stream] for stream in ("out", "err") if stream in outputs)
    call = notes.call("run_script", notes.command(program), block_text(magic.body), *options)
    return _parted(f"{targets} = {call}" if targets else call)


def _writefile(magic: Magic, _read: Read, notes: Notes) -> tuple[str, str]:
    match = _WRITES.fullmatch(magic.arguments)
    path = match["path"] if match else ""
    quotes = len(path) > 1 and path[0] == path[-1] and path[0] in "'\""
    if match is None or path.startswith("-") or (" " in path and not quotes and notes.is_fixed(path)):
        hint = "name one file, in quotes if it holds spaces"
        return _nothing(magic, notes.refuse(magic.line, f"modules cannot hold this `%%{magic.name}`", hint))
    append = ["append=True"] if match["first"] or match["last"] else []
    given = notes.command(path[1:-1] if quotes else path)
    return _parted(notes.call("write_file", given, block_text(magic.body), *append))


def _parted(text: str) -> tuple[str, str]:
    first, _, body = text.partition("\n")
    return first, body


def block_text(body: str) -> str:
    r"""A text as a string of as many lines, which begins with a line end that is not the text's.

    >>> block_text("a\nb") == '"' * 3 + "\na\nb" + '"' * 3
    True
    """
    plain = _VISIBLE.fullmatch(body) and '"""' not in body and not body.endswith(('"', "\\"))
    if plain:
        return f'{"r" if chr(92) in body else ""}"""\n{body}"""'
    return f'"""\n{_escaped(body)}"""'


def _escaped(body: str) -> str:
    text = _QUOTES.sub(lambda found: '\\"' * len(found[0]), body.replace("\\", "\\\\"))
    return "".join(character if _VISIBLE.fullmatch(character) else ascii(character)[1:-1] for character in text)


_WORDS: dict[str, Callable[[Magic, Read, Notes], tuple[str, str]]] = {
    "time": _timed,
    "capture": _captured,
    "timeit": _timeit,
    "prun": _profiled,
    "writefile": _writefile,
    "file": _writefile,
}
