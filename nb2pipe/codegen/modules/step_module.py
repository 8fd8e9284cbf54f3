"""The module of a step: a typed function, and what it leaves as a small class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nb2pipe.codegen.model import ChunkRole, Form, Import, SourceKind
from nb2pipe.codegen.modules.annotations import ANY, Scope, annotate
from nb2pipe.codegen.modules.chunks import body_text, chunk_text
from nb2pipe.codegen.modules.imports import import_text
from nb2pipe.codegen.modules.indent import INDENT
from nb2pipe.codegen.modules.lines import DICT, LIST, bracketed, enclosed, exit_call, skipped, wrapped
from nb2pipe.codegen.modules.parameters import fresh_defaults, needs_any, signature_item, with_any
from nb2pipe.codegen.modules.words import docstring, one_line, quoted
from nb2pipe.codegen.templates import Code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nb2pipe.codegen.model import OutputPlan, PackagePlan, StepPlan
    from nb2pipe.codegen.modules.annotations import Annotation

_OWN = {
    "sys": Import(module="sys", name=None, bound="sys"),
    "Any": Import(module="typing", name="Any", bound="Any"),
    "NamedTuple": Import(module="typing", name="NamedTuple", bound="NamedTuple"),
    "TYPE_CHECKING": Import(module="typing", name="TYPE_CHECKING", bound="TYPE_CHECKING"),
    "dataclass": Import(module="dataclasses", name="dataclass", bound="dataclass"),
    "make_dataclass": Import(module="dataclasses", name="make_dataclass", bound="make_dataclass"),
    "Path": Import(module="pathlib", name="Path", bound="Path"),
    "UNBOUND": Import(module="nb2pipe.runtime.modules", name="UNBOUND", bound="UNBOUND"),
    "run_cells": Import(module="nb2pipe.runtime.cells", name="run_cells", bound="run_cells"),
    "run_cells_async": Import(module="nb2pipe.runtime.cells", name="run_cells_async", bound="run_cells_async"),
    "run_step": Import(module="nb2pipe.runtime.program", name="run_step", bound="run_step"),
}
"""What a module of ours may import, by the name that it has if nothing of the author's is called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The types that are known, by name."""

    inputs: Mapping[str, Annotation]
    outputs: Mapping[str, Annotation]

    @property
    def imports(self) -> frozenset[Import]:
        """What they need, for type checkers."""
        return frozenset(one for found in (*self.inputs.values(), *self.outputs.values()) for one in found.imports)


@dataclass(frozen=True, slots=True)
class StepModule:
    """A step's module in the making.

    Attributes:
        package: The package that it is of.
        step: The step.
        types: The type of each output, by `STEP.NAME`.
    """

    package: PackagePlan
    step: StepPlan
    types: Mapping[str, str]

    @property
    def is_function(self) -> bool:
        """Whether the author's text is the function's body."""
        return self.step.form is Form.FUNCTION

    @property
    def stores(self) -> bool:
        """Whether it sets names of the module `definitions`, which type checkers do not find there."""
        return self.is_function and (bool(self.step.shared) or any(chunk.stores for chunk in self.step.chunks))

    @property
    def uses_definitions(self) -> bool:
        """Whether the module `definitions` is named in it."""
        return self.stores or not self.is_function

    def first(self) -> str:
        """The import of `definitions` where it has to come before the author's."""
        if not (self.package.definitions.comes_first and self.is_function and self.step.imports):
            return ""
        own = Import(module=self.package.name, name="definitions", bound=self.own("definitions"))
        return f"{own}" if self.uses_definitions else f"{own}  # noqa: F401"

    @property
    def may_miss(self) -> bool:
        """Whether something may be unbound."""
        step = self.step
        late = any(one.default == "UNBOUND" for one in step.parameters)
        return late or bool(step.optional) or not all(output.always for output in step.outputs)

    @property
    def result_type(self) -> str:
        """What the function returns; a class that is made by a call is no type for checkers."""
        if not self.step.outputs:
            return "None"
        return self.own(ANY) if result_kind(self.step.outputs) == "make_dataclass" else self.step.result

    @property
    def runner(self) -> str:
        """What runs the cells of namespace form."""
        return "run_cells_async" if self.step.is_async else "run_cells"

    def values(self) -> dict[str, object]:
        """What the template prints."""
        known = self.known()
        imports = [*self.imports(self.used(known)), *self.own_definitions()]
        own = frozenset({self.package.name})
        return {
            "package": self.package.name,
            "title": self.package.title,
            "step": self.step,
            "is_function": self.is_function,
            "noqa": Code(", ".join(self.step.noqa if self.is_function else ())),
            "stores": self.stores,
            "first": Code(self.first()),
            "imports": Code(import_text(imports, own=own)),
            "typed": Code(import_text(known.imports, own=own, indent=INDENT)),
            "own": {name: Code(self.own(name)) for name in (*_OWN, "definitions")},
            "cells": Code(self.cells_path()),
            "defaults": Code(chunk_text(self.step.defaults)),
            "kind": result_kind(self.step.outputs),
            "fields": [
                Code(skipped(f"{INDENT}{name}: {self.annotation(known.outputs, name)}")) for name in self.outputs()
            ],
            "result_class": Code(self.made_class()),
            "signature": Code(self.signature(known)),
            "docstring": Code(self.docstring()),
            "fresh": Code(fresh_defaults(self.step.parameters)),
            "shared": [Code(skipped(f"{INDENT}{self.own('definitions')}.{n} = {n}")) for n in self.step.shared],
            "body": Code(body_text(self.step.chunks, self.own("definitions")) if self.is_function else ""),
            "run": Code("" if self.is_function else self.run()),
            "result": Code(self.result()),
            "head": Code(wrapped(f"class {self.step.result}", f"{INDENT}{self.own('NamedTuple')}", ":")),
            "exit": Code(
                exit_call(self.own("sys"), self.own("run_step"), [quoted(self.package.name), quoted(self.step.name)])
            ),
            "run_step": Code(import_text([replace(_OWN["run_step"], bound=self.own("run_step"))], own=own)),
        }

    def outputs(self) -> list[str]:
        """The names of the fields."""
        return [output.name for output in self.step.outputs]

    def fields(self) -> list[str]:
        """Those that have a type."""
        return [] if result_kind(self.step.outputs) == "make_dataclass" else self.outputs()

    def own(self, name: str) -> str:
        """A name of ours, as it is called here: another one where the author uses it."""
        found = self.step.reserved.get(name, name)
        imported = _OWN.get(name)
        taken = self.authors_names() - ({name} if imported in self.step.imports else set())
        while found in taken:
            found += "_"
        return found

    def authors_names(self) -> set[str]:
        """The names that the author gave to something in this module."""
        step = self.step
        bound = {one.bound for one in step.imports} | set(step.from_definitions) | set(step.helpers)
        return bound | set(step.inputs) | {one.name for one in step.parameters} | set(self.outputs()) | {step.function}

    def known(self) -> Known:
        """The annotation of each input and output whose type is known."""
        step = self.step
        made = {name: f"{step.name}.{name}" for name in self.fields()}
        taken = {one.name: f"{one.step}.{one.source}" for one in step.arguments if one.kind is SourceKind.OUTPUT}
        dotted = {source: self.types[source] for source in (*made.values(), *taken.values()) if source in self.types}
        ours = {*(self.own(name) for name in _OWN), self.own("definitions"), self.own("CELLS"), step.result}
        scope = Scope(
            package=self.package.name,
            imports=(*step.imports, *self.own_definitions()),
            taken=frozenset({*ours, *self.outputs(), step.function, *step.helpers}),
        )
        found = annotate(dotted.values(), scope)
        return Known(
            outputs={name: found[dotted[source]] for name, source in made.items() if source in dotted},
            inputs={name: found[dotted[source]] for name, source in taken.items() if source in dotted},
        )

    def annotation(self, known: Mapping[str, Annotation], name: str) -> str:
        """The type of an input or output."""
        text = known[name].text if name in known else ANY
        return self.own(ANY) if text == ANY else text

    def own_definitions(self) -> tuple[Import, ...]:
        """The names of `definitions` that the function uses."""
        module = f"{self.package.name}.definitions"
        return tuple(Import(module=module, name=name, bound=name) for name in self.step.from_definitions)

    def used(self, known: Known) -> list[str]:
        """The names of ours that the module uses."""
        step = self.step
        texts = [self.annotation(known.outputs, name) for name in self.fields()]
        texts += [self.annotation(known.inputs, name) for name in step.inputs]
        uses = {
            "sys": True,
            "Any": self.own(ANY) in [*texts, self.result_type] or needs_any(step.parameters),
            result_kind(step.outputs): bool(step.outputs),
            "TYPE_CHECKING": bool(known.imports),
            "Path": not self.is_function,
            self.runner: not self.is_function,
            "UNBOUND": self.may_miss,
        }
        return [name for name, is_used in uses.items() if is_used]

    def imports(self, names: Iterable[str]) -> list[Import]:
        """What stands on top, but for the names from `definitions`."""
        found = list(self.step.imports)
        for name in names:
            usual = _OWN[name]
            found.append(replace(usual, bound=self.own(name)))
        if self.uses_definitions and not self.first():
            found.append(Import(module=self.package.name, name="definitions", bound=self.own("definitions")))
        helpers = (Import(module="nb2pipe.runtime.magics", name=name, bound=name) for name in self.step.helpers)
        return [*found, *helpers]

    def signature(self, known: Known) -> str:
        """From `def` to the colon."""
        step = self.step
        inputs = [f"{name}: {self.annotation(known.inputs, name)}" for name in step.inputs if name not in step.optional]
        unbound = self.own("UNBOUND")
        optional = [f"{name}: {self.annotation(known.inputs, name)} = {unbound}" for name in step.optional]
        others = {one.name: unbound if one.default == "UNBOUND" else one.default for one in step.parameters}
        optional += [signature_item(with_any(one, self.own(ANY)), others[one.name]) for one in step.parameters]
        items = [*inputs, *(["*", *optional] if optional else [])]
        head = f"{'async ' if step.is_async else ''}def {step.function}"
        return bracketed(head, items, f" -> {self.result_type}:")

    def docstring(self) -> str:
        """The markdown above the step, else which cells it is; and why it is in namespace form."""
        text = self.step.docstring.strip() or self.places()
        return docstring(text, indent=INDENT, more="" if self.is_function else self.why())

    def places(self) -> str:
        """The cells of the step in words."""
        cells = sorted({chunk.cell for chunk in self.step.chunks if chunk.role is ChunkRole.CODE})
        notebook = next((chunk.notebook for chunk in self.step.chunks if chunk.notebook), self.package.notebook)
        if not cells:
            return f"The step `{self.step.name}` of `{one_line(notebook)}`."
        listed = str(cells[0]) if len(cells) == 1 else f"{', '.join(map(str, cells[:-1]))} and {cells[-1]}"
        return f"Cell{'s' if len(cells) > 1 else ''} {listed} of `{one_line(notebook)}`."

    def why(self) -> str:
        """The reason of namespace form."""
        where = f"Its cells run as top-level code, in `cells/{self.step.module.replace('.', '/')}.py`"
        reason = one_line(self.step.reason or "").rstrip(".")
        return f"{where}, since {reason}." if reason else f"{where}."

    def cells_path(self) -> str:
        """The statement that says where the cells are."""
        parts = [*self.step.module.split(".")[:-1], f"{self.step.module.rpartition('.')[2]}.py"]
        below = " / ".join(quoted(part) for part in ("cells", *parts))
        depth = len(parts)
        return skipped(f"{self.own('CELLS')} = {self.own('Path')}(__file__).parents[{depth}] / {below}")

    def made_class(self) -> str:
        """The class of the result where it cannot be written as one."""
        fields = enclosed("", [quoted(name) for name in self.outputs()], "", indent=INDENT, brackets=LIST).lstrip()
        head = f"{self.step.result} = {self.own('make_dataclass')}"
        return bracketed(head, [quoted(self.step.result), fields, "frozen=True", "eq=False"], "")

    def run(self) -> str:
        """The statements that run the cells of namespace form."""
        late = {chunk.cell: chunk.injects for chunk in self.step.chunks if chunk.injects}
        names = [*self.step.inputs, *(one.name for one in self.step.parameters)]
        given = [name for name in names if not any(name in injects for injects in late.values())]
        rows = [_pairs(self.own("given"), given)] if given else []
        arguments = [self.own("CELLS"), self.own("definitions"), self.own("given") if given else "{}"]
        if late:
            rows += [_late(self.own("injected"), late)]
            arguments += [f"injected={self.own('injected')}"]
        kept = f"{self.own('found')} = " if self.step.outputs else ""
        call = f"{kept}{'await ' if self.step.is_async else ''}{self.own(self.runner)}"
        return "\n".join([*rows, bracketed(call, arguments, "", indent=INDENT)])

    def result(self) -> str:
        """The statement that returns what the step leaves; empty where that is nothing."""
        if not self.step.outputs:
            return ""
        items = [self.value(output) for output in self.step.outputs]
        return bracketed(f"return {self.step.result}", items, "", indent=INDENT)

    def value(self, output: OutputPlan) -> str:
        """A field with what it gets."""
        key = quoted(output.name)
        source = "locals()" if self.is_function else self.own("found")
        if not output.always:
            unbound = self.own("UNBOUND")
            return enclosed(f"{output.name}={source}.get", [key, unbound], "", indent=INDENT * 2).lstrip()
        return f"{output.name}={output.name if self.is_function else f'{source}[{key}]'}"


def result_kind(outputs: Iterable[OutputPlan]) -> str:
    """What the class of a result is made with: a named tuple cannot hold names that begin with `_`.

    In the body of a class, names that begin with `__` are mangled.
    """
    names = [output.name for output in outputs]
    if any(name.startswith("__") and not name.endswith("__") for name in names):
        return "make_dataclass"
    return "dataclass" if any(name.startswith("_") for name in names) else "NamedTuple"


def _pairs(name: str, given: Iterable[str]) -> str:
    """`name = {"a": a}`."""
    items = [f"{quoted(one)}: {one}" for one in given]
    return bracketed(f"{name} = ", items, "", indent=INDENT, brackets=DICT)


def _late(name: str, late: Mapping[int, tuple[str, ...]]) -> str:
    """`name = {3: {"a": a}}`."""
    items = {cell: [f"{quoted(one)}: {one}" for one in names] for cell, names in late.items()}
    flat = [enclosed(f"{cell}: ", pairs, "", brackets=DICT) for cell, pairs in items.items()]
    short = bracketed(f"{name} = ", flat, "", indent=INDENT, brackets=DICT)
    if "\n" not in short:
        return short
    rows = [enclosed(f"{cell}: ", pairs, ",", indent=INDENT * 2, brackets=DICT) for cell, pairs in items.items()]
    return skipped("\n".join([f"{INDENT}{name} = {{", *rows, f"{INDENT}}}"]))
