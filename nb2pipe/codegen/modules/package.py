"""STAGE 4a: the plan of a package as its files."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING

from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.model import Form, Import
from nb2pipe.codegen.modules.chunks import chunk_text
from nb2pipe.codegen.modules.imports import import_text
from nb2pipe.codegen.modules.main_module import main_values
from nb2pipe.codegen.modules.parameters import own_parameters
from nb2pipe.codegen.modules.step_module import StepModule
from nb2pipe.codegen.templates import Code, render
from nb2pipe.errors import ConversionError, InternalError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nb2pipe.codegen.model import PackagePlan, StepPlan

_UNUSED = frozenset({"F401"})
"""Definitions import for others, cells for cells below them."""

_CELLS = frozenset({"F401", "F403", "F405", "F811", "F821", "F841"})
"""Names of cells are those of the whole notebook."""


def package_files(
    plan: PackagePlan, types: Mapping[str, str], *, templates: Path | None = None
) -> tuple[EmittedFile, ...]:
    """All files of the package but the carried runtime.

    Args:
        plan: What stands where.
        types: The dotted type of an output by `STEP.NAME`, such as `{"train.net": "definitions.Net"}`; what is not in
            it is `Any`.
        templates: A folder of the user's whose templates take the place of ours.

    Returns:
        Files below the folder of the bundle, sorted by path: the same for the same plan, on every Python.

    Raises:
        ConversionError: A template of the user's does not work.
    """
    texts = dict(_texts(plan, types, templates))
    for path, text in texts.items():
        _prove(path, text, templates)
    return tuple(EmittedFile(path=f"{plan.name}/{path}", text=texts[path]) for path in sorted(texts))


def _texts(plan: PackagePlan, types: Mapping[str, str], templates: Path | None) -> Iterator[tuple[str, str]]:
    known = {"title": plan.title, "notebook": plan.notebook, "package": plan.name}
    yield "__init__.py", render("package/init.py.jinja", templates, **known)
    yield "__main__.py", render("package/main.py.jinja", templates, **known, **main_values(plan))
    yield "definitions.py", render("package/definitions.py.jinja", templates, **known, **_definitions(plan))
    yield "steps/__init__.py", _folder(f"the pipeline `{plan.title}`", templates)
    for step in plan.steps:
        own = replace(step, parameters=own_parameters(step, plan.parameters))
        yield from _step(StepModule(plan, own, types), templates)


def _step(module: StepModule, templates: Path | None) -> Iterator[tuple[str, str]]:
    step = module.step
    path = step.module.replace(".", "/")
    names = step.name.split("/")
    for depth in range(1, path.count("/") + 1):
        folder = "/".join(path.split("/")[:depth])
        yield f"steps/{folder}/__init__.py", _folder(f"the nested notebook `{'/'.join(names[:depth])}`", templates)
    yield f"steps/{path}.py", render("package/step.py.jinja", templates, **module.values())
    if step.form is Form.NAMESPACE:
        yield f"cells/{path}.py", render("package/cells.py.jinja", templates, **_cells(step, path))


def _folder(of: str, templates: Path | None) -> str:
    return render("package/steps.py.jinja", templates, of=of)


def _cells(step: StepPlan, path: str) -> dict[str, object]:
    return {
        "step": step.name,
        "module": f"steps/{path}.py",
        "noqa": Code(", ".join(sorted({*_CELLS, *step.noqa}))),
        "chunks": Code(chunk_text(step.chunks)),
    }


def _definitions(plan: PackagePlan) -> dict[str, object]:
    definitions = plan.definitions
    own = frozenset({plan.name})
    future = (Import(module="__future__", name=name, bound=name) for name in definitions.future)
    helpers = (Import(module="nb2pipe.runtime.magics", name=name, bound=name) for name in definitions.helpers)
    noqa = {*definitions.noqa, *(_UNUSED if definitions.chunks else ())}
    return {
        "noqa": Code(", ".join(sorted(noqa))),
        "future": Code(import_text(future, own=own)),
        "helpers": Code(import_text(helpers, own=own)),
        "chunks": Code(chunk_text(definitions.chunks)),
    }


def _prove(path: str, text: str, templates: Path | None) -> None:
    """Raises if a text is no Python."""
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        if templates is not None:
            raise ConversionError(f"with the templates of {templates}, `{path}` is no Python: {error}") from error
        raise InternalError(f"`{path}` is no Python: {error}") from error
