"""In which form a step is written: as a function where every test of its names holds, else as top-level code.

The tests are on the safe side: what is not known to be the same in a function is not put into one.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from nb2pipe.codegen.modules.indent import indented
from nb2pipe.codegen.plan.constructs import makes_functions, obstacle
from nb2pipe.codegen.plan.consumers import handled_names
from nb2pipe.codegen.plan.flow import LateKind
from nb2pipe.codegen.plan.hoist import BUILTINS
from nb2pipe.codegen.plan.inner import inner_problem
from nb2pipe.codegen.plan.readers import Loose, lasts
from nb2pipe.codegen.plan.stores import StoresNeededError, stores_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nb2pipe.codegen.plan.body import Body
    from nb2pipe.codegen.plan.flow import Late
    from nb2pipe.codegen.plan.hoist import Hoisted, Place
    from nb2pipe.codegen.plan.parameters import Defaults
    from nb2pipe.codegen.plan.readers import Readers
    from nb2pipe.codegen.plan.source import Piece


_REPORTS = frozenset({"print_exc", "format_exc", "exc_info", "exception"})
"""Words of a handler that looks at an error without a name for it."""


class Problem(NamedTuple):
    """Why a step cannot be a function.

    Attributes:
        reason: As a clause for people.
        piece: The statement; None where it is the step as a whole.
        line: Within the cell.
    """

    reason: str
    piece: Piece | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the steps of a run have in common, for the tests.

    Attributes:
        hoisted: What can be made before any step runs.
        readers: Who reads which name as a global.
        last_binder: For each name, the number of the last step that binds it, with that step's name.
        optional: For each step, by its name, the inputs that may be missing when it begins, and that it may never read.
        loose: What the steps above in namespace form left; it grows from step to step.
        in_functions: Steps may be functions.
    """

    hoisted: Hoisted
    readers: Readers
    last_binder: Mapping[str, tuple[int, str]]
    optional: Mapping[str, frozenset[str]] = field(default_factory=dict)
    loose: Loose = field(default_factory=Loose)
    in_functions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a step is written.

    Attributes:
        problem: Why it is in namespace form; None for function form.
        shared: Names to store in `definitions` as the function begins.
        stores: Names to store there right after a statement, by its place.
        optional: Inputs that may be missing without that being an error.
    """

    problem: Problem | None = None
    shared: tuple[str, ...] = ()
    stores: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()


def verdicts_of(bodies: Iterable[Body], defaults: Mapping[str, Defaults], around: Surroundings) -> dict[str, Verdict]:
    """How each step is written, by its name: in notebook order, since what one leaves concerns the later ones.

    Args:
        bodies: What each step runs, in notebook order.
        defaults: Where the defaults of each step's parameters are made.
        around: What the steps have in common.
    """
    found: dict[str, Verdict] = {}
    for body in bodies:
        found[body.step.name] = verdict(body, defaults[body.step.name], around)
        if found[body.step.name].problem is not None:
            around.loose.take(body.flow, around.hoisted)
            around.loose.by_text |= any(makes_functions(piece.node) for piece in body.pieces)
    return found


def verdict(body: Body, defaults: Defaults, around: Surroundings) -> Verdict:
    """How a step is written.

    Args:
        body: What it runs.
        defaults: Where the defaults of its parameters are made.
        around: What the steps have in common.
    """
    optional = around.optional.get(body.step.name, frozenset())
    for test in _TESTS:
        problem = test(body, around)
        if problem is not None:
            return Verdict(problem=problem, optional=optional)
    if optional:
        name = min(optional)
        return Verdict(problem=Problem(f"`{name}`, which it takes, may be missing"), optional=optional)
    if defaults.inside:
        part = defaults.inside[0][0]
        return Verdict(problem=Problem(f"cell {part.block.cell} makes defaults of parameters that only it can make"))
    try:
        shared, stores = stores_of(body, around.readers, around.loose)
    except StoresNeededError as error:
        return Verdict(problem=Problem(error.reason, error.piece, error.piece.node.lineno))
    return Verdict(shared=shared, stores=stores)


# ------------------------------------------------------------------------------------------------ tests


def _unwanted(_: Body, around: Surroundings) -> Problem | None:
    return None if around.in_functions else Problem("all steps are to be in this form")


def _may_raise(body: Body, _: Surroundings) -> Problem | None:
    for part, pieces in body.parts:
        if part.block.may_raise and pieces:
            return Problem("its cell may raise, and the step goes on then", pieces[0], 1)
    return None


def _constructs(body: Body, _: Surroundings) -> Problem | None:
    for piece in body.pieces:
        found = obstacle(piece.parts)
        if found is not None and not (isinstance(found.node, ast.ClassDef) and found.node is piece.node):
            return Problem(found.reason, piece, getattr(found.node, "lineno", piece.first))
    return None


def _needs_definitions(body: Body, around: Surroundings) -> Problem | None:
    """Functions and classes that can stand neither in `definitions` nor in the function."""
    for part, pieces in body.parts:
        for piece in pieces:
            repeated = not part.runs_once and isinstance(piece.node, ast.FunctionDef | ast.AsyncFunctionDef)
            if repeated or isinstance(piece.node, ast.ClassDef):
                name = getattr(piece.node, "name", "")
                why = around.hoisted.why_not.get(piece.place) or "it is another one in other steps"
                return Problem(f"`{name}` cannot stand in `definitions.py`: {why}", piece, piece.first)
    return None


def _early(body: Body, around: Surroundings) -> Problem | None:
    """Names that mean something else before the step binds them: in a function they are its own throughout."""
    known = BUILTINS | around.hoisted.by_name.keys()
    own = body.flow.bound - body.given
    for name, node in body.flow.early.items():
        if name in body.flow.bound and name in known:  # what is given is early only where it was deleted before
            line = getattr(node, "lineno", None)
            return Problem(f"it binds `{name}`, which may mean something else before", _around(body, node), line)
    for late in body.flow.late:
        hidden = sorted((late.free & own & known) - late.bound)
        if hidden:
            return Problem(
                f"it binds `{hidden[0]}`, which may mean something else before",
                _around(body, late.node),
                late.node.lineno,
            )
    return None


def _caught(body: Body, _: Surroundings) -> Problem | None:
    """Names that may be unbound where code asks for the error that this is: a function's names another one."""
    for name, node in body.flow.early.items():
        piece = _around(body, node) if name in body.flow.bound else None
        if piece is not None and _shows_error(piece.node, node):
            return Problem(f"it looks at the error of `{name}` being unbound", piece, getattr(node, "lineno", None))
    return None


def _shows_error(statement: ast.stmt, node: ast.AST) -> bool:
    """Whether a node stands in a `try` that looks at what is raised."""
    return any(
        isinstance(part, ast.Try | ast.TryStar)
        and any(handler.name or _REPORTS & _words_of(handler) for handler in part.handlers)
        and any(inner is node for each in part.body for inner in ast.walk(each))
        for part in ast.walk(statement)
    )


def _words_of(handler: ast.ExceptHandler) -> frozenset[str]:
    found = (getattr(part, "attr", getattr(part, "id", "")) for part in ast.walk(handler))
    return frozenset(word for word in found if isinstance(word, str))


def _unknown(body: Body, around: Surroundings) -> Problem | None:
    """Names that nothing is known of."""
    known = body.local | BUILTINS | around.hoisted.by_name.keys() | body.step.helpers
    for piece in body.pieces:
        for name in sorted((piece.flow.early.keys() | piece.flow.late_reads) - known):
            return Problem(f"it reads `{name}`, which nothing here defines", piece, piece.first)
    return None


def _globals(body: Body, around: Surroundings) -> Problem | None:
    """Names that functions bind as globals, and that the step has to do with."""
    concerned = body.local | body.mentioned | set(body.outputs)
    for name, candidate in sorted(around.readers.binds.items()):
        if name in concerned:
            function = min(candidate.names, default="?")
            return Problem(f"`{function}` binds `{name}` as a global", candidate.piece, candidate.piece.first)
    if around.loose.by_text:
        return Problem("an earlier step runs text that may make functions, whose globals nobody knows")
    loose = sorted(around.loose.binds & concerned)
    return Problem(f"a function of an earlier step binds `{loose[0]}` as a global") if loose else None


def _names_by_text(body: Body, around: Surroundings) -> Problem | None:
    """Functions of the notebook that reach names by their text, and would look for the step's own."""
    readers = around.readers
    if not readers.dynamic:
        return None
    for piece in body.pieces:
        if readers.can_reach(piece, readers.dynamic, body.step):
            return Problem("it may call a function that reaches names by their text", piece, piece.first)
    return None


def _later_code(body: Body, around: Surroundings) -> Problem | None:
    """Lambdas and the like that may outlive the step, and read what a later step binds again.

    A lambda in what the step leaves has to read the notebook's globals, not variables of a function that has ended: it
    would compute the same, and be another function than in the notebook.
    """
    kept = _kept_inside(body)
    for late in body.flow.late:
        if late.consumed or id(late.node) in kept or (late.kind is LateKind.FUNCTION and not lasts(late.node)):
            continue
        for name in sorted(late.free & body.local):
            reason = _why_not_closure(late, name, body, around)
            if reason is not None:
                return Problem(reason, _around(body, late.node), late.node.lineno)
    return None


def _why_not_closure(late: Late, name: str, body: Body, around: Surroundings) -> str | None:
    if late.kind is LateKind.LAMBDA and body.outputs:
        return f"a lambda that may outlive the step reads `{name}`, which the step binds"
    number, step = around.last_binder.get(name, (-1, ""))
    if number > body.step.number:
        what = {LateKind.LAMBDA: "lambda", LateKind.GENERATOR: "generator"}.get(late.kind, "function")
        return f"a {what} reads `{name}`, which the step `{step}` binds again"
    return None


def _kept_inside(body: Body) -> frozenset[int]:
    """The lambdas that are bound to a name which only calls them, or hands them to what is done with them then."""
    named = {
        id(piece.node.value): piece.node.targets[0].id
        for piece in body.pieces
        if isinstance(piece.node, ast.Assign)
        and isinstance(piece.node.value, ast.Lambda)
        and len(piece.node.targets) == 1
        and isinstance(piece.node.targets[0], ast.Name)
    }
    if not named:
        return frozenset()
    handled = frozenset[str]().union(*(handled_names(piece.parts) for piece in body.pieces))
    return frozenset(node for node, name in named.items() if name not in handled and name not in body.outputs)


def _inner(body: Body, around: Surroundings) -> Problem | None:
    found = inner_problem(body, around.readers)
    return Problem(found.reason, _around(body, found.node), found.node.lineno) if found is not None else None


def _text(body: Body, _: Surroundings) -> Problem | None:
    """Text that means something else when it is indented."""
    for part, pieces in body.parts:
        if pieces and indented("\n".join(part.text.rows)) is None:
            return Problem("its text would mean something else if it were indented", pieces[0], pieces[0].first)
    return None


def _around(body: Body, node: ast.AST) -> Piece | None:
    """The statement that a node stands in."""
    return next((piece for piece in body.pieces if any(part is node for part in piece.parts.of(type(node)))), None)


_TESTS: tuple[Callable[[Body, Surroundings], Problem | None], ...] = (
    _unwanted,
    _may_raise,
    _constructs,
    _needs_definitions,
    _unknown,
    _early,
    _caught,
    _globals,
    _names_by_text,
    _inner,
    _later_code,
    _text,
)


def last_binders(bodies: tuple[Body, ...]) -> dict[str, tuple[int, str]]:
    """For each name, the number and name of the last step that binds it."""
    found: dict[str, tuple[int, str]] = {}
    for body in bodies:
        names = body.flow.bound | body.flow.functions
        found |= dict.fromkeys(names, (body.step.number, body.step.name))
    return found
