"""The modules beside the notebook that a step imports: their text is code of the step that stands elsewhere."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from nb2pipe.execution.model import StepCall


@dataclass(frozen=True, slots=True)
class LocalModules:
    """Finds modules in the folder that steps run in; each file is read once.

    Attributes:
        folder: Where Python looks first, in a kernel.
    """

    folder: Path
    _known: dict[str, tuple[str, frozenset[str]] | None] = field(default_factory=dict, repr=False, compare=False)

    def of(self, call: StepCall) -> dict[str, str]:
        """The digests of the modules that the code of a step imports, directly and through each other, by name.

        Where the modules of a converted directory run, they are that code, and among what is found.
        """
        texts = package_texts(call)
        found = {name: str(Digest.of("package-module", text)) for name, text in texts.items()}
        cells = {block.cell for block in call.step.blocks}
        codes = texts.values() or [call.notebook.cell(cell).python for cell in cells]
        waiting = [name for code in codes for name in imported(code)]
        while waiting:
            name = waiting.pop()
            module = self._module(name) if name not in found else None
            if module is not None:
                found[name] = module[0]
                waiting += module[1]
        return found

    def _module(self, name: str) -> tuple[str, frozenset[str]] | None:
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> tuple[str, frozenset[str]] | None:
        """The digest of a module or package, and what it imports; None if it is not here."""
        texts = {str(path.relative_to(self.folder)): _text(path) for path in self._files(name)}
        if not texts:
            return None
        names = frozenset(each for text in texts.values() for each in imported(text))
        return str(Digest.of("local-module", texts)), names

    def _files(self, name: str) -> Iterator[Path]:
        module, package = self.folder / f"{name}.py", self.folder / name
        try:
            if package.is_dir():
                yield from sorted(path for path in package.rglob("*.py") if path.is_file())
            elif module.is_file():
                yield module
        except OSError:
            return


def package_texts(call: StepCall) -> dict[str, str]:
    """The modules of a converted directory that a step runs, by their paths in the package; none without such."""
    package = call.surroundings.package
    if package is None:
        return {}
    module = package.modules.get(call.step.name, "").replace(".", "/")
    paths = ("definitions.py", f"steps/{module}.py", f"cells/{module}.py")
    return {path: _text(package.folder / package.name / path) for path in paths}


def imported(code: str) -> Iterable[str]:
    """The top-level names of the modules that a text imports anywhere; none if it is no Python.

    >>> sorted(imported("import a.b, c; from d.e import f; from . import g"))
    ['a', 'c', 'd']
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
