"""What lies around a notebook, read at the edge so that analysis stays pure: modules, their names, distributions.

Nothing is imported or executed: modules are found by the import system's own finders, and their text is read.
"""

from __future__ import annotations

import ast
import importlib.machinery
import importlib.metadata
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.notebook.model import CellKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nb2pipe.notebook.model import Notebook

_LARGEST = 1 << 20
"""Bytes of a module that are read; a larger one is data, or no module of a person."""

_MOST = 200
"""Modules beside a notebook that are read."""

_DEEPEST = 5
"""Star imports within star imports that are followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What lies around the notebook, read at the edge, so that analysis stays pure.

    Attributes:
        star_exports: The names that `from MODULE import *` binds, by module.
        local_sources: The text of the modules beside the notebook, by module name.
        distributions: Installed distributions and versions.
        modules: The distribution of each importable top-level module.
    """

    star_exports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    local_sources: Mapping[str, str] = field(default_factory=dict)
    distributions: Mapping[str, str] = field(default_factory=dict)
    modules: Mapping[str, str] = field(default_factory=dict)


def read_environment(notebook: Notebook, folder: Path) -> Environment:
    """What lies around a notebook: the modules beside it that it imports, and the names of its star imports.

    Args:
        notebook: The notebook.
        folder: Its folder, which its imports see first.
    """
    statements = [
        statement for cell in notebook.cells if cell.kind is CellKind.CODE for statement in _imports(cell.python)
    ]
    sources = _local_sources(statements, folder)
    finder = _Finder(folder, sources)
    starred = {_module(part) for part in statements if isinstance(part, ast.ImportFrom) and part.names[0].name == "*"}
    inner = {module for source in sources.values() for module in _starred_in(source)}
    exports = {module: names for module in sorted(starred | inner) if (names := finder.star(module)) is not None}
    return Environment(star_exports=exports, local_sources=sources)


def read_distributions(environment: Environment) -> Environment:
    """The same, with all installed distributions; it takes a fifth of a second, so only who needs them asks."""
    modules = {module: names[0] for module, names in importlib.metadata.packages_distributions().items()}
    versions = {name: importlib.metadata.version(name) for name in sorted(set(modules.values()))}
    return Environment(
        star_exports=environment.star_exports,
        local_sources=environment.local_sources,
        distributions=versions,
        modules=modules,
    )


# ------------------------------------------------------------------------------------------------ text


def _parse(text: str) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _imports(text: str) -> list[ast.Import | ast.ImportFrom]:
    if "import" not in text:
        return []
    tree = _parse(text)
    return [part for part in ast.walk(tree) if isinstance(part, (ast.Import, ast.ImportFrom))] if tree else []


def _module(statement: ast.ImportFrom) -> str:
    return "." * statement.level + (statement.module or "")


def _starred_in(text: str) -> set[str]:
    return {
        _module(part)
        for part in _imports(text)
        if isinstance(part, ast.ImportFrom) and any(alias.name == "*" for alias in part.names)
    }


def _modules(statements: Iterable[ast.Import | ast.ImportFrom], package: str = "") -> Iterator[str]:
    """The modules that imports may load; a name that is imported from a package may be one too."""
    for statement in statements:
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
            continue
        base = _absolute(_module(statement), package)
        if base:
            yield base
        yield from (f"{base}.{alias.name}" if base else alias.name for alias in statement.names if alias.name != "*")


def _absolute(module: str, package: str) -> str:
    """A relative module as an absolute one."""
    level = len(module) - len(module.lstrip("."))
    if not level:
        return module
    parts = package.split(".") if package else []
    kept = parts[: len(parts) - level + 1]
    return ".".join([*kept, *([module.lstrip(".")] if module.lstrip(".") else [])])


# ------------------------------------------------------------------------------------------------ local modules


def _local_sources(statements: Iterable[ast.Import | ast.ImportFrom], folder: Path) -> dict[str, str]:
    """The texts of the modules beside a notebook that it imports, and of those that they import."""
    found: dict[str, str] = {}
    waiting = list(_modules(statements))
    while waiting and len(found) < _MOST:
        module = waiting.pop()
        names = [module.rsplit(".", count)[0] for count in range(module.count("."), -1, -1)]
        for name in names:
            if name in found or (path := _local_path(name, folder)) is None or (text := _read(path)) is None:
                continue
            found[name] = text
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            waiting.extend(_modules(_imports(text), package))
    return dict(sorted(found.items()))


def _local_path(module: str, folder: Path) -> Path | None:
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    base = folder.joinpath(*parts)
    return next((path for path in (base / "__init__.py", base.with_name(f"{base.name}.py")) if path.is_file()), None)


def _read(path: Path) -> str | None:
    """The text of a module; None for one that is no text, cannot be read or is too large."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None


# ------------------------------------------------------------------------------------------------ star imports


@dataclass(slots=True)
class _Finder:
    """Finds what a star import binds, from the text of modules."""

    folder: Path
    sources: Mapping[str, str]

    def star(self, module: str, depth: int = 0) -> tuple[str, ...] | None:
        """The names that `from MODULE import *` binds; None where they cannot be told."""
        name = module.lstrip(".")
        if name in sys.modules and name not in self.sources and (names := _built_in(name)) is not None:
            return names
        text = self.sources.get(name)
        package = name
        if text is None:
            path = self._path(name)
            if path is None:
                return _built_in(name)
            text = _read(path)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        tree = _parse(text) if text is not None else None
        return self._exported(tree, package, depth) if tree is not None else None

    def _exported(self, tree: ast.Module, package: str, depth: int) -> tuple[str, ...] | None:
        if any(_mentions_all(statement) for statement in tree.body):
            return _listed(tree)
        names: set[str] = set()
        for statement in _top_level(tree.body):
            if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                inner = self.star(_absolute(_module(statement), package), depth + 1) if depth < _DEEPEST else None
                if inner is None:
                    return None
                names |= set(inner)
            else:
                names |= set(_bound(statement))
        return tuple(sorted(name for name in names if not name.startswith("_")))

    def _path(self, module: str) -> Path | None:
        """The file of a module, found without loading the packages above it."""
        search: list[str] | None = [str(self.folder), *sys.path]
        parts = module.split(".")
        for place in range(len(parts)):
            name = ".".join(parts[: place + 1])
            spec = importlib.machinery.PathFinder.find_spec(name, search)
            if spec is None:
                return None
            search = list(spec.submodule_search_locations or ())
        path = Path(spec.origin) if spec is not None and spec.origin else None
        return path if path is not None and path.suffix == ".py" else None


def _built_in(module: str) -> tuple[str, ...] | None:
    """The names of a module of the interpreter itself, such as `math`, which has no text."""
    loaded = sys.modules.get(module)
    standard = module.partition(".")[0] in sys.stdlib_module_names
    if loaded is None and standard and module in _COMPILED:
        loaded = __import__(module)
    if loaded is None or not standard:
        return None
    listed = getattr(loaded, "__all__", None)
    return tuple(sorted(listed if listed is not None else (name for name in vars(loaded) if not name.startswith("_"))))


_COMPILED = frozenset(
    {"math", "cmath", "itertools", "time", "errno", "array", "binascii", "zlib", "select", "unicodedata"}
)
"""Modules of the standard library without Python text; to import them has no effect."""


def _mentions_all(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return False
    return any(isinstance(part, ast.Name) and part.id == "__all__" for part in ast.walk(statement))


def _listed(tree: ast.Module) -> tuple[str, ...] | None:
    """The names in `__all__`; None where it is computed, as numpy's and torch's are."""
    found: list[str] = []
    for statement in tree.body:
        if not _mentions_all(statement):
            continue
        value = _all_value(statement)
        try:
            part = ast.literal_eval(value) if value is not None else None
        except (ValueError, TypeError, SyntaxError):
            return None
        if not isinstance(part, (list, tuple)):
            return None
        names = [name for name in part if isinstance(name, str)]
        found = [*found, *names] if isinstance(statement, (ast.AugAssign, ast.Expr)) else names
    return tuple(found)


def _all_value(statement: ast.stmt) -> ast.expr | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id="__all__")], value=value):
            return value
        case ast.AnnAssign(target=ast.Name(id="__all__"), value=value):
            return value
        case ast.AugAssign(target=ast.Name(id="__all__"), value=value):
            return value
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="__all__"), attr="extend"), args=[value])):
            return value
        case _:
            return None


def _top_level(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run at import, those in branches too."""
    for statement in statements:
        yield statement
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from _top_level(getattr(statement, name, ()))
        for handler in getattr(statement, "handlers", ()):
            yield from _top_level(handler.body)


def _bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign() | ast.For() | ast.With():
            for part in ast.walk(statement):
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                    yield part.id
        case _:
            pass
