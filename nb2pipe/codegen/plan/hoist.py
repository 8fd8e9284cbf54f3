"""Which statements can be made before any step runs: imports, functions, classes and settings that change nothing then.

Every name of such a statement is bound once in all notebooks of the run, and making it reads nothing but builtins and
what can be made before it. Whether it then stands in `definitions.py` is decided where it is known who reads it.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from nb2pipe.analysis.definitions import definition_kind
from nb2pipe.analysis.effects import effects
from nb2pipe.analysis.model import DefinitionKind
from nb2pipe.analysis.names import query_names
from nb2pipe.codegen.plan.consumers import handled_names, is_parallel
from nb2pipe.codegen.plan.definable import is_definable
from nb2pipe.codegen.plan.imported import binders, is_future, modules_of, star_names, unknown_star
from nb2pipe.codegen.plan.mentions import mentions
from nb2pipe.notebook.sections import Role

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence

    from nb2pipe.codegen.plan.source import Part, Piece, StepSource
    from nb2pipe.codegen.plan.syntax import Parts

Place = tuple[int, ...]

BUILTINS = frozenset(dir(builtins))

_ENVIRONMENT = frozenset({"environ", "cwd", "sys.path"})
"""Hidden state that an import may see."""

_WORDS = frozenset(
    {"environ", "putenv", "unsetenv", "path", "chdir", "load_dotenv", "use", "switch_backend", "modules"}
    | {"set_env", "change_folder", "run_shell", "shell_lines", "fchdir", "addsitedir"}
)
"""Words of code that sets it."""


class Kind(StrEnum):
    """What a statement that steps repeat is."""

    IMPORT = "import"
    FUNCTION = "function"
    CLASS = "class"
    SETTING = "setting"


_KINDS = {
    DefinitionKind.IMPORT: Kind.IMPORT,
    DefinitionKind.FUNCTION: Kind.FUNCTION,
    DefinitionKind.CLASS: Kind.CLASS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A statement that may be made before any step runs.

    Attributes:
        step: The number of the step whose own code it is; None for what several steps repeat.
    """

    piece: Piece
    kind: Kind
    names: frozenset[str]
    step: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hoisted:
    """What can be made before any step runs.

    Attributes:
        pieces: By place, in notebook order; of several equal imports each.
        by_name: The first that binds each name.
        why_not: Of what cannot be made early, why.
        sets_environment: Settings among them that imports see.
        parallel: Something may run functions in other processes, which find them by their names.
        futures: The places of `from __future__ import ...`, which are not among the others, with their features.
    """

    pieces: Mapping[Place, Candidate]
    by_name: Mapping[str, Candidate]
    why_not: Mapping[Place, str] = field(default_factory=dict)
    sets_environment: bool = False
    futures: Mapping[Place, frozenset[str]] = field(default_factory=dict)
    parallel: bool = False

    def has(self, piece: Piece) -> bool:
        """Whether a statement is among them."""
        return piece.place in self.pieces

    @property
    def functions(self) -> Iterator[Candidate]:
        """The functions and classes."""
        return (each for each in self.pieces.values() if each.kind in {Kind.FUNCTION, Kind.CLASS})


def hoisted(steps: Sequence[StepSource], stars: Mapping[str, tuple[str, ...]]) -> Hoisted:
    """What can be made before any step runs.

    Args:
        steps: All steps of the run.
        stars: The names that star imports bind, by module.
    """
    candidates = _candidates(steps, stars)
    everything = {piece.place: piece for step in steps for piece in step.pieces}
    bound = _bindings(steps, everything.values(), stars)
    parallel = any(map(is_parallel, _modules(steps)))
    inner = _inner_functions(steps, candidates, parallel=parallel)
    walk = _Walk(
        bound=bound,
        stars=stars,
        written=_written_files(steps),
        helpers=frozenset(helper for step in steps for helper in step.helpers),
        future=min((place for place, piece in everything.items() if _annotations(piece)), default=None),
    )
    for place, piece in sorted(everything.items()):
        walk.take(piece, None if place in inner else candidates.get(place))
    return Hoisted(
        pieces=walk.held,
        by_name=walk.names,
        why_not=walk.why,
        sets_environment=walk.sets_environment,
        parallel=parallel,
        futures={
            place: frozenset(alias.name for alias in piece.node.names)
            for place, piece in everything.items()
            if isinstance(piece.node, ast.ImportFrom) and is_future(piece.node)
        },
    )


def _annotations(piece: Piece) -> bool:
    return is_future(piece.node) and "annotations" in {alias.name for alias in piece.node.names}  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------------ candidates


def _candidates(steps: Iterable[StepSource], stars: Mapping[str, tuple[str, ...]]) -> dict[Place, Candidate]:
    found: dict[Place, Candidate] = {}
    for step in steps:
        for part in step.parts:
            crowded = _crowded_lines(part)
            for piece in part.pieces:
                kind = _kind(piece, part)
                if kind is None or unknown_star(piece.parts, stars) or {piece.first, piece.last} & crowded:
                    continue
                names = frozenset({*piece.flow.bound, *star_names(piece.parts, stars)})
                own = step.number if part.runs_once else None
                known = found.get(piece.place)
                if known is None or (known.step is not None and own is None and kind is not Kind.IMPORT):
                    found[piece.place] = Candidate(piece=piece, kind=kind, names=names, step=own)
    return found


def _kind(piece: Piece, part: Part) -> Kind | None:
    if part.is_own and part.block.may_raise:
        return None
    kind = definition_kind(piece.node, Role.DEFINITIONS)
    if is_future(piece.node):
        return None
    if kind is not None:
        return _KINDS[kind]
    return None if part.is_own or piece.flow.bound else Kind.SETTING


def _crowded_lines(part: Part) -> frozenset[int]:
    """The lines that a definition shares with a statement that is none."""
    touched: dict[int, list[Piece]] = defaultdict(list)
    for piece in part.text.pieces:
        for line in {piece.first, piece.last}:
            touched[line].append(piece)
    return frozenset(
        line
        for line, pieces in touched.items()
        if len(pieces) > 1 and any(definition_kind(piece.node, Role.DEFINITIONS) is None for piece in pieces)
    )


def _bindings(
    steps: Iterable[StepSource], pieces: Iterable[Piece], stars: Mapping[str, tuple[str, ...]]
) -> dict[str, set[Hashable]]:
    """What binds each name."""
    found: dict[str, set[Hashable]] = defaultdict(set)
    for piece in pieces:
        for name, same in binders(piece, stars):
            found[name].add(same)
        for name in piece.flow.functions:
            found[name].add("global")
    for step in steps:
        for parameter in step.book.pipeline.parameters:
            found[parameter.name].add("parameter")
    return found


def _written_files(steps: Iterable[StepSource]) -> frozenset[str]:
    """The Python files that steps write, which cannot be imported before."""
    books = {step.book.place: step.book for step in steps}.values()
    facts = (fact for book in books if book.pipeline.dataflow is not None for fact in book.pipeline.dataflow.facts)
    return frozenset(path for fact in facts for path in fact.files_written if path.endswith(".py"))


# ------------------------------------------------------------------------------------------------ functions in steps


def _inner_functions(
    steps: Sequence[StepSource], candidates: Mapping[Place, Candidate], *, parallel: bool
) -> set[Place]:
    """The functions that stay in the function of their step: they read what it binds, and nothing else knows them."""
    own = defaultdict(list)
    for place, candidate in candidates.items():
        if candidate.step is not None and isinstance(candidate.piece.node, ast.FunctionDef | ast.AsyncFunctionDef):
            own[candidate.step].append(place)
    if not own:
        return set()
    users = _users(steps, parallel=parallel)
    late: dict[str, set[Place]] = defaultdict(set)
    for place, candidate in candidates.items():
        for name in candidate.piece.flow.late_reads:
            late[name].add(place)
    return {
        place
        for number, places in own.items()
        for place in _inner(steps[number], {place: candidates[place] for place in places}, (users, late), candidates)
    }


@dataclass(slots=True)
class _Use:
    """How a name is used: in which steps, and otherwise than by calling it."""

    steps: set[int | None] = field(default_factory=set)
    handled: bool = False


def _modules(steps: Iterable[StepSource]) -> frozenset[str]:
    """The modules that steps import."""
    return frozenset[str]().union(*(modules_of(piece.parts) for step in steps for piece in step.pieces))


def _users(steps: Iterable[StepSource], *, parallel: bool) -> dict[str, _Use]:
    found: dict[str, _Use] = defaultdict(_Use)
    for step in steps:
        for part in step.parts:
            for piece in part.pieces:
                called, handled = mentions(piece.parts)
                held_on = handled if parallel else handled_names(piece.parts)
                for name in called | handled:
                    found[name].steps.add(step.number if part.runs_once else None)
                    found[name].handled |= name in held_on
        for port in step.unit.step.inputs:
            found[port.name].steps.add(step.number)
    return found


def _inner(
    step: StepSource,
    functions: Mapping[Place, Candidate],
    known: tuple[Mapping[str, _Use], Mapping[str, set[Place]]],
    candidates: Collection[Place],
) -> set[Place]:
    users, late = known
    bound = {name for piece in step.pieces if piece.place not in candidates for name in piece.flow.bound}
    able = {}
    for place, candidate in functions.items():
        node = candidate.piece.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        use = users.get(node.name, _Use())
        alone = not use.handled and use.steps <= {step.number}
        queries = any(map(query_names, candidate.piece.parts.of(ast.Call)))  # they see no names of outer functions
        if alone and not queries and not node.decorator_list and not candidate.piece.flow.functions:
            able[place] = (node.name, candidate.piece.flow.late_reads)
    inner: set[Place] = set()
    while new := {place for place, (_, reads) in able.items() if place not in inner and reads & bound}:
        inner |= new
        bound |= {able[place][0] for place in new}
    return {place for place in inner if late.get(able[place][0], set()) <= inner}


# ------------------------------------------------------------------------------------------------ the walk


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes down the notebooks, and holds what can be made early."""

    bound: Mapping[str, Collection[Hashable]]
    stars: Mapping[str, tuple[str, ...]]
    written: frozenset[str]
    helpers: frozenset[str]
    future: Place | None
    held: dict[Place, Candidate] = field(default_factory=dict)
    names: dict[str, Candidate] = field(default_factory=dict)
    own: dict[str, ast.stmt] = field(default_factory=dict)
    why: dict[Place, str] = field(default_factory=dict)
    read: set[str] = field(default_factory=set)
    mentioned: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    code_before: bool = False
    set_before: set[str] = field(default_factory=set)
    sets_environment: bool = False

    def take(self, piece: Piece, candidate: Candidate | None) -> None:
        why = self._why_not(candidate) if candidate is not None else None
        if candidate is not None and why is None:
            self._hold(candidate)
        elif not is_future(piece.node):
            self.why[piece.place] = why or ""
            self._pass(piece, candidate)
        self.read |= piece.flow.reads
        self.mentioned |= piece.flow.reads | piece.flow.late_reads | piece.flow.bound

    def _hold(self, candidate: Candidate) -> None:
        piece = candidate.piece
        self.held[piece.place] = candidate
        for name in candidate.names:
            self.names.setdefault(name, candidate)
        if candidate.kind is Kind.IMPORT:
            self.imported |= {module.partition(".")[0] for module in modules_of(piece.parts)}
        elif candidate.kind is Kind.SETTING:
            self.sets_environment |= bool(_words(piece.parts) & (_WORDS | {"warnings"}))
        elif isinstance(piece.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.own[piece.node.name] = piece.node

    def _pass(self, piece: Piece, candidate: Candidate | None) -> None:
        """Goes by code that runs in its step."""
        self.code_before |= candidate is None or candidate.kind is Kind.SETTING
        sets = piece.book.sets(piece.cell) & _ENVIRONMENT
        if sets and (_words(piece.parts) & _WORDS or self._calls_own(piece)):
            self.set_before |= sets

    def _calls_own(self, piece: Piece) -> bool:
        called, handled = mentions(piece.parts)
        return bool((called | handled) & self.own.keys())

    def _why_not(self, candidate: Candidate) -> str | None:
        """Why a statement cannot be made early; None where it can."""
        by_name = next(filter(None, map(self._why_not_name, sorted(candidate.names))), None)
        if by_name is not None:
            return by_name
        unknown = self._unknown(candidate)
        if unknown is not None:
            return f"making it reads `{unknown}`"
        match candidate.kind:
            case Kind.IMPORT:
                return None if self._can_import(candidate.piece) else "code before it may change what it imports"
            case Kind.SETTING:
                return "code runs before it" if self.code_before else None
            case _:
                return self._why_not_defined(candidate)

    def _why_not_name(self, name: str) -> str | None:
        """Why a name cannot be bound early."""
        if len(self.bound[name]) > 1:
            return f"`{name}` is bound in several places"
        if name in self.mentioned and name in BUILTINS:
            return f"`{name}` is a builtin before"
        if name in self.read and name not in self.names:
            return f"`{name}` is read before"
        return None

    def _unknown(self, candidate: Candidate) -> str | None:
        """A name that making it reads, through what it calls too, and that is not there by then."""
        unknown = next((name for name in sorted(candidate.piece.flow.early) if not self._is_known(name)), None)
        if unknown is not None:
            return unknown
        called = sorted(_called_at_once(candidate.piece.node) & self.names.keys())
        return next((found for name in called if (found := self._open(name, set())) is not None), None)

    def _is_known(self, name: str) -> bool:
        return name in self.names or name in self.helpers or (name in BUILTINS and name not in self.bound)

    def _open(self, name: str, seen: set[str]) -> str | None:
        """A name that a function of the notebook reads when it is called, and that is not there by then."""
        if name in seen or name not in self.names:
            return None
        seen.add(name)
        for read in sorted(self.names[name].piece.flow.late_reads):
            if not self._is_known(read):
                return read
            found = self._open(read, seen)
            if found is not None:
                return found
        return None

    def _can_import(self, piece: Piece) -> bool:
        modules = modules_of(piece.parts)
        if any(path.endswith(f"{module.replace('.', '/')}.py") for module in modules for path in self.written):
            return False
        if not self.set_before:
            return True
        known = sys.stdlib_module_names | self.imported
        if "environ" not in self.set_before:
            known |= effects().sections.keys()
        return all(module.partition(".")[0] in known for module in modules)

    def _why_not_defined(self, candidate: Candidate) -> str | None:
        node, place = candidate.piece.node, candidate.piece.place
        if self.future is not None and place < self.future and _is_annotated(node):
            return "a `from __future__` import stands after it"
        if candidate.step is None or is_definable(node, self.own):
            return None
        return "making it may do more than that"


def _called_at_once(node: ast.stmt) -> frozenset[str]:
    """The names that are called, or may be, when a function or class is made."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            defaults = [*node.args.defaults, *(part for part in node.args.kw_defaults if part is not None)]
            parts: list[ast.AST] = [*node.decorator_list, *defaults]
        case ast.ClassDef():
            inner = [_called_at_once(part) for part in node.body]
            keywords = [keyword.value for keyword in node.keywords]
            return frozenset[str]().union(*inner, _names([*node.decorator_list, *keywords]))
        case ast.Import() | ast.ImportFrom():
            return frozenset()
        case _:
            parts = [node]
    return _names(parts)


def _names(parts: Iterable[ast.AST]) -> frozenset[str]:
    return frozenset(name.id for part in parts for name in ast.walk(part) if isinstance(name, ast.Name))


def _is_annotated(node: ast.stmt) -> bool:
    return any(
        isinstance(part, ast.AnnAssign)
        or (isinstance(part, ast.arg) and part.annotation is not None)
        or (isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.returns is not None)
        for part in ast.walk(node)
    )


def _words(parts: Parts) -> frozenset[str]:
    """The names and attributes in a text."""
    names = {name.id for name in parts.of(ast.Name)}
    return frozenset(names | {part.attr for part in parts.of(ast.Attribute)})
