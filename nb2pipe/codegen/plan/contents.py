"""What stands in `definitions.py`, and on top of the modules of steps."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nb2pipe.analysis.effects import effects
from nb2pipe.codegen.model import Chunk, DefinitionsPlan
from nb2pipe.codegen.plan.hoist import BUILTINS, Kind
from nb2pipe.codegen.plan.imported import imports_of, is_plain
from nb2pipe.codegen.plan.noqa import noqa_of
from nb2pipe.codegen.plan.rows import as_chunks, chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nb2pipe.codegen.model import Import
    from nb2pipe.codegen.plan.body import Body
    from nb2pipe.codegen.plan.form import Verdict
    from nb2pipe.codegen.plan.hoist import Candidate, Hoisted, Place
    from nb2pipe.codegen.plan.parameters import Defaults
    from nb2pipe.codegen.plan.source import Part, Piece, StepSource
    from nb2pipe.codegen.plan.syntax import Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """What a step's module has from elsewhere.

    Attributes:
        imports: In the notebook's order.
        from_definitions: Names of `definitions`, sorted.
        unused: Some of the imports are there for what importing them does.
    """

    imports: tuple[Import, ...] = ()
    from_definitions: tuple[str, ...] = ()
    unused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All that can be made before any step runs, found by what it is needed for."""

    hoisted: Hoisted
    imports: Mapping[str, tuple[tuple[Import, Candidate], ...]]
    read: frozenset[str] = field(default_factory=frozenset)

    def top(self, body: Body, defaults: Defaults) -> Top:
        """What the module of a step in function form has from elsewhere."""
        own = body.local
        names = (body.mentioned | set(body.outputs)) - own
        names |= {name for _, pieces in defaults.above for piece in pieces for name in piece.flow.early}
        texts = frozenset(chain for piece in body.pieces for chain in _chains(piece.parts))
        found: dict[Import, Place] = {}
        others: list[str] = []
        for name in sorted(names & self.hoisted.by_name.keys()):
            if name in self.imports:
                found |= {one: each.piece.place for one, each in self._chosen(name, texts)}
            else:
                others.append(name)
        effective = {one: place for one, place in self._for_their_effect(body.step) if one not in found}
        ordered = sorted({**found, **effective}.items(), key=lambda item: item[1])
        imports = tuple(one for one, _ in ordered)
        return Top(imports=imports, from_definitions=tuple(others), unused=bool(effective))

    def _chosen(self, name: str, chains: frozenset[str]) -> Iterator[tuple[Import, Candidate]]:
        """The imports of a name that a text uses: `import a.b` where it holds `a.b`."""
        known = self.imports[name]
        submodules = [
            (one, each) for one, each in known if one.name is None and "." in one.module and one.bound == name
        ]
        used = [(one, each) for one, each in submodules if one.module in chains]
        whole = [pair for pair in known if pair not in submodules]
        yield from used
        if whole and not used:
            yield whole[0]
        elif not used:
            yield submodules[0]

    def _for_their_effect(self, step: StepSource) -> Iterator[tuple[Import, Place]]:
        """Imports that no text mentions and that may do something: such as `from sklearn.experimental import ...`."""
        for part in step.parts:
            for piece in part.pieces:
                if self.hoisted.has(piece) and is_plain(piece.node):
                    for one in imports_of(piece.node):
                        if one.bound not in self.read and effects().acts_on_import(one.module):
                            yield one, piece.place

    def needed(self, names: Iterable[str]) -> dict[Place, Candidate]:
        """What names need, with what that reads in turn."""
        todo, seen = list(names), set()
        found: dict[Place, Candidate] = {}
        while todo:
            name = todo.pop()
            if name in seen or name not in self.hoisted.by_name:
                continue
            seen.add(name)
            for each in self._binders(name):
                found[each.piece.place] = each
                todo += each.piece.flow.reads | each.piece.flow.late_reads
        return found

    def _binders(self, name: str) -> Iterator[Candidate]:
        if name in self.imports:
            yield from (each for _, each in self.imports[name])
        else:
            yield self.hoisted.by_name[name]


def shelf(hoisted: Hoisted, steps: Sequence[StepSource]) -> Shelf:
    """All that can be made before any step runs.

    Args:
        hoisted: What that is.
        steps: All steps.
    """
    imports: dict[str, dict[Import, Candidate]] = defaultdict(dict)
    for each in hoisted.pieces.values():
        if each.kind is Kind.IMPORT and is_plain(each.piece.node):
            for one in imports_of(each.piece.node):
                imports[one.bound].setdefault(one, each)
    read = {name for step in steps for piece in step.pieces for name in piece.flow.reads | piece.flow.late_reads}
    return Shelf(
        hoisted=hoisted,
        imports={name: tuple(known.items()) for name, known in imports.items()},
        read=frozenset(read),
    )


def _chains(parts: Parts) -> Iterator[str]:
    """The dotted names in a text, with the beginnings of each: `a.b.c` and `a.b`."""
    for part in parts.of(ast.Attribute):
        words: list[str] = []
        node: ast.expr = part
        while isinstance(node, ast.Attribute):
            words.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            yield ".".join([node.id, *reversed(words)])


def definitions(
    found: Shelf, bodies: Sequence[Body], verdicts: Mapping[str, Verdict], tops: Mapping[str, Top]
) -> DefinitionsPlan:
    """What stands in `definitions.py`: functions, classes and settings, and the imports that they or others need there.

    Args:
        found: All that can stand there.
        bodies: What each step runs.
        verdicts: How each step is written.
        tops: What the modules of steps in function form have from elsewhere.
    """
    hoisted = found.hoisted
    placed = {place: each for place, each in hoisted.pieces.items() if each.kind is not Kind.IMPORT}
    names = {name for each in placed.values() for name in each.piece.flow.reads | each.piece.flow.late_reads}
    run_here: list[Piece] = []  # what is run in this dictionary, and finds its helpers here
    for body in bodies:
        if verdicts[body.step.name].problem is None:
            names |= set(tops[body.step.name].from_definitions)
            names |= {name for late in body.flow.late if not late.consumed for name in late.free}
        else:
            names |= body.mentioned
            names |= _imported(body.step, hoisted)
            run_here += [piece for _, kept in body.parts for piece in kept]
    placed |= found.needed(names)
    chunks = tuple(_chunks(placed, [body.step for body in bodies]))
    pieces = [each.piece for each in placed.values()]
    text = {helper for body in bodies for part, _ in body.parts for helper in part.text.module.helpers}
    return DefinitionsPlan(
        chunks=chunks,
        helpers=helpers_of([*pieces, *run_here], text),
        noqa=_noqa(pieces, hoisted, text),
        future=tuple(sorted({feature for features in hoisted.futures.values() for feature in features}))
        if chunks
        else (),
        comes_first=hoisted.sets_environment,
    )


def _imported(step: StepSource, hoisted: Hoisted) -> set[str]:
    """The names of the imports that a step keeps."""
    kept = (hoisted.pieces.get(piece.place) for piece in step.pieces)
    return {name for each in kept if each is not None and each.kind is Kind.IMPORT for name in each.names}


def _chunks(placed: Mapping[Place, Candidate], steps: Iterable[StepSource]) -> Iterator[Chunk]:
    texts: dict[tuple[int, ...], tuple[Part, Piece]] = {}
    by_text: dict[int, list[Piece]] = defaultdict(list)
    for step in steps:
        for part in step.parts:
            for piece in part.pieces:
                if piece.place in placed and piece.place not in texts:
                    texts[piece.place] = (part, piece)
                    by_text[id(part.text)].append(piece)
    done: set[int] = set()
    for place in sorted(texts):
        part, piece = texts[place]
        if id(part.text) not in done:
            done.add(id(part.text))
            like = Chunk(cell=piece.cell, line=1, text="", notebook=piece.book.file)
            yield from as_chunks(chunks_of(part.text, by_text[id(part.text)]), like)


def helpers_of(pieces: Iterable[Piece], known: Iterable[str]) -> tuple[str, ...]:
    """The functions of ours that statements call, as they stand in an import."""
    names = frozenset(name for piece in pieces for name in piece.flow.reads | piece.flow.late_reads)
    return tuple(sorted({helper for helper in known if helper.rpartition(" ")[2] in names}))


def _noqa(pieces: Sequence[Piece], hoisted: Hoisted, helpers: Iterable[str]) -> tuple[str, ...]:
    found = set(noqa_of(piece.parts for piece in pieces))
    known = hoisted.by_name.keys() | BUILTINS | {helper.rpartition(" ")[2] for helper in helpers}
    if any(piece.flow.late_reads - known for piece in pieces):
        found.add("F821")
    if any(piece.flow.stars for piece in pieces):
        found |= {"F403", "F405"}
    return tuple(sorted(found))
