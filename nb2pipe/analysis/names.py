"""What the text alone says of names: which are local to a function, and which global names it may read or bind."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
"""What opens a scope of its own, comprehensions apart."""

_AT_NAME = re.compile(r"@\s*([^\W\d]\w*)")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True, kw_only=True)
class Block:
    """The names of a scope's text.

    Attributes:
        bound: Names that it binds in its own scope.
        loads: Names that it reads, in its own scope.
        global_names: Names that it declares `global`.
        nonlocal_names: Names that it declares `nonlocal`.
        inner: The scopes in it.
        is_class: It is a class body, whose names inner functions do not see.
        yields: It is the body of a generator.
        returns: Its `return` statements.
    """

    bound: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    inner: list[Block] = field(default_factory=list)
    is_class: bool = False
    yields: bool = False
    returns: int = 0

    def free(self) -> frozenset[str]:
        """The names that it, or a function in it, reads from outside."""
        return _free(self, frozenset())

    def global_binds(self) -> frozenset[str]:
        """The global names that it, or a function in it, binds when it is called."""
        found = set(self.global_names)
        for inner in self.inner:
            found |= inner.global_binds()
        return frozenset(found)


def _free(block: Block, outer: frozenset[str]) -> frozenset[str]:
    own = frozenset(block.bound - block.global_names - block.nonlocal_names)
    found = {name for name in block.loads if (name not in own or block.is_class) and name not in outer}
    found |= block.loads & block.global_names
    seen = outer if block.is_class else outer | own
    for inner in block.inner:
        found |= _free(inner, frozenset(seen - inner.global_names))
    return frozenset(found)


def block_of(code: Code) -> Block:
    """The names of a function's or a class's own text; defaults, decorators and base classes are not part of it."""
    block = Block(is_class=isinstance(code, ast.ClassDef))
    collector = _Collector(block)
    if not isinstance(code, ast.ClassDef):
        block.bound.update(argument.arg for argument in arguments(code.args))
    if isinstance(code, ast.Lambda):
        collector.visit(code.body)
    else:
        for statement in code.body:
            collector.visit(statement)
    return block


def module_block(statements: Iterable[ast.stmt]) -> Block:
    """The names of statements at top level."""
    block = Block()
    collector = _Collector(block)
    for statement in statements:
        collector.visit(statement)
    return block


def all_bound(statements: Iterable[ast.stmt]) -> frozenset[str]:
    """The names that statements at top level bind, and those that functions in them bind as globals."""
    found: set[str] = set()
    waiting = [module_block(statements)]
    found |= waiting[0].bound
    for block in waiting:
        found |= block.global_names
        waiting += block.inner
    return frozenset(found)


def read_when_made(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> frozenset[str]:
    r"""The names that a function or class reads as it is made, not when it is called.

    >>> sorted(read_when_made(ast.parse("@d\ndef f(a=start, *, b: int = 1):\n    return late").body[0]))
    ['d', 'int', 'start']
    >>> sorted(read_when_made(ast.parse("class A(B):\n    c = d\n    def m(self, c=c): ...").body[0]))
    ['B', 'd']
    """
    block = module_block([node])
    if not isinstance(node, ast.ClassDef):
        return frozenset(block.loads)
    body = block.inner[0]
    return frozenset(block.loads | (body.loads - body.bound))


def arguments(spec: ast.arguments) -> Iterator[ast.arg]:
    """All arguments of a function."""
    yield from spec.posonlyargs
    yield from spec.args
    yield from spec.kwonlyargs
    if spec.vararg:
        yield spec.vararg
    if spec.kwarg:
        yield spec.kwarg


def bound_by_import(alias: ast.alias) -> str:
    """The name that one part of an import binds: `import a.b` binds `a`."""
    return alias.asname or alias.name.partition(".")[0]


def query_names(node: ast.AST) -> frozenset[str]:
    """The names that a query's text reads from around.

    >>> sorted(query_names(ast.parse("df.query('a > @limit')", mode="eval").body))
    ['limit']
    """
    match node:
        case ast.Call(func=ast.Attribute(attr="query" | "eval"), args=[first, *_]):
            texts = [part.value for part in ast.walk(first) if isinstance(part, ast.Constant)]
            return frozenset(name for text in texts if isinstance(text, str) for name in _AT_NAME.findall(text))
        case _:
            return frozenset()


class _Collector(ast.NodeVisitor):
    def __init__(self, block: Block) -> None:
        self.block = block

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.block.loads.add(node.id)
        else:
            self.block.bound.add(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        self.block.loads.update(query_names(node))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.block.loads.add(node.target.id)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        self.block.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.block.nonlocal_names.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.block.bound.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        self._capture(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        self._capture(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._capture(node.rest)
        self.generic_visit(node)

    def _capture(self, name: str | None) -> None:
        if name:
            self.block.bound.add(name)

    def visit_alias(self, node: ast.alias) -> None:
        self.block.bound.add(bound_by_import(node))

    def visit_Return(self, node: ast.Return) -> None:
        self.block.returns += 1
        self.generic_visit(node)

    def visit_Yield(self, node: ast.Yield) -> None:
        self.block.yields = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.block.yields = True
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.block.bound.add(node.name)
        for eager in (*node.decorator_list, *_defaults(node.args), *_annotations(node)):
            self.visit(eager)
        self.block.inner.append(block_of(node))

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for eager in _defaults(node.args):
            self.visit(eager)
        self.block.inner.append(block_of(node))

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.block.bound.add(node.name)
        for eager in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(eager)
        self.block.inner.append(block_of(node))

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, _COMPREHENSIONS):
            self._comprehension(node)
        else:
            super().generic_visit(node)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        inner = Block()
        collector = _Collector(inner)
        self.visit(node.generators[0].iter)
        for number, generator in enumerate(node.generators):
            collector.visit(generator.target)
            for part in (*([generator.iter] if number else []), *generator.ifs):
                collector.visit(part)
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            collector.visit(part)
        walrus = {part.target.id for part in ast.walk(node) if isinstance(part, ast.NamedExpr)}
        inner.bound -= walrus
        self.block.bound |= walrus
        self.block.inner.append(inner)


def _defaults(spec: ast.arguments) -> list[ast.expr]:
    return [*spec.defaults, *(default for default in spec.kw_defaults if default is not None)]


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    found = [argument.annotation for argument in arguments(node.args) if argument.annotation is not None]
    return [*found, node.returns] if node.returns is not None else found


def eager_expressions(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """What a `def` evaluates when it is executed: decorators apart, its defaults and annotations."""
    return [*_defaults(node.args), *_annotations(node)]
