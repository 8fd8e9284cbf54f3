"""From a pipeline to a bundle: what a bundle is made of is read around the notebook; nothing is written."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nb2pipe import plugins
from nb2pipe.bundles.flags import checked_image, refuse_operator, scheduled
from nb2pipe.bundles.local_files import local_files
from nb2pipe.bundles.requirements import imports_of_mode, resolve
from nb2pipe.codegen.modules.package import package_files
from nb2pipe.codegen.notebooks.bundle_notebook import notebook_files
from nb2pipe.codegen.plan.make import make_plan
from nb2pipe.diagnostics import Report
from nb2pipe.errors import ConversionError, UsageError
from nb2pipe.notebook.environment import read_environment
from nb2pipe.pipeline.concealed import concealed
from nb2pipe.pipeline.nested import inlined
from nb2pipe.targets.imports import imported
from nb2pipe.targets.model import Flags, Material

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.codegen.files import EmittedFile
    from nb2pipe.codegen.model import PackagePlan
    from nb2pipe.notebook.model import Notebook
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.imports import Imported
    from nb2pipe.targets.model import Bundle, Requirements, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How a bundle is wanted.

    Attributes:
        target: The target's name.
        folder: Where the bundle is to lie; None for a folder of the package's name, here.
        flags: What the user asked for; its `templates` are ignored.
        templates: A folder whose templates win over ours.
        types: Types of values that a run saw, by `STEP.NAME`.
        known: What an earlier bundle needed: its versions hold.
    """

    target: str = "python"
    folder: Path | None = None
    flags: Flags = field(default_factory=Flags)
    templates: Path | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    known: Requirements | None = None


def emit(pipeline: Pipeline, wishes: Wishes) -> Bundle:
    """The bundle of a pipeline; nothing is written, and nothing of the notebook is executed.

    Args:
        pipeline: Without errors.
        wishes: How it is wanted.

    Raises:
        UsageError: There is no such target, or a flag is wrong.
        PluginError: The target is broken.
        ConversionError: Modules cannot hold what the notebook does, all reasons are in the report; or a template of the
            user's does not work.
    """
    target = _target(wishes.target)
    refuse_operator(target, wishes.flags.operator)
    pipeline = concealed(scheduled(pipeline, wishes.flags))
    path = Path(pipeline.notebook.path).absolute()
    plan = _plan(pipeline, path.parent)
    folder = (wishes.folder or Path(plan.name)).absolute()
    flags, templates = _flags(wishes, folder), _templates(wishes)
    package = package_files(plan, wishes.types, templates=templates)
    package += notebook_files(pipeline, plan, templates=templates)
    files = local_files(
        [path.parent, *_nested_folders(pipeline.notebook)],
        _imports(package, plan.name),
        flags.include,
        avoid=folder,
        notebook=pipeline.notebook.path,
    )
    requirements, found = resolve(
        [*files.others, *imports_of_mode(flags.mode)],
        plan.requirements,
        notebook=pipeline.notebook.path,
        python=pipeline.notebook.kernel.version,
        known=wishes.known,
    )
    material = Material(
        plan=plan,
        package=package,
        types=wishes.types,
        requirements=requirements,
        copies=tuple(copy for copy in files.copies if copy.source.resolve() != (folder / copy.path).resolve()),
        notebook=Path(os.path.relpath(path, folder)).as_posix(),
        flags=flags,
        templates=templates,
    )
    bundle = target.emit(pipeline, material)
    report = Report.of(bundle.diagnostics, files.diagnostics, found)
    return _checked(pipeline, replace(bundle, diagnostics=report))


def _target(name: str) -> Target:
    made = plugins.load("targets", name)
    assert callable(made)
    return cast("Target", made())


def _plan(pipeline: Pipeline, folder: Path) -> PackagePlan:
    plan = make_plan(pipeline, read_environment(inlined(pipeline.notebook), folder))
    if plan.report.errors:
        raise ConversionError(f"{pipeline.notebook.path} cannot be converted", report=plan.report)
    return plan


def _checked(pipeline: Pipeline, bundle: Bundle) -> Bundle:
    if bundle.diagnostics.errors:
        raise ConversionError(f"{pipeline.notebook.path} cannot be converted", report=bundle.diagnostics)
    return bundle


def _flags(wishes: Wishes, folder: Path) -> Flags:
    """What the user asked for, as `bundle.json` keeps it."""
    templates, flags = wishes.templates, wishes.flags
    relative = None if templates is None else Path(os.path.relpath(templates.absolute(), folder)).as_posix()
    return replace(
        flags, image=checked_image(flags.image), include=tuple(dict.fromkeys(flags.include)), templates=relative
    )


def _templates(wishes: Wishes) -> Path | None:
    if wishes.templates is not None and not wishes.templates.is_dir():
        raise UsageError(f"there is no folder {wishes.templates} with templates", hint="--templates DIR")
    return wishes.templates


def _nested_folders(notebook: Notebook) -> Iterator[Path]:
    for inner in notebook.nested.values():
        yield Path(inner.path).absolute().parent
        yield from _nested_folders(inner)


def _imports(package: tuple[EmittedFile, ...], name: str) -> list[Imported]:
    """What the modules of a package import, but for the package itself; `definitions` first, which knows its cells."""
    files = sorted((file for file in package if file.path.endswith(".py")), key=lambda file: file.path.count("/"))
    found: dict[str, Imported] = {}
    for file in files:
        inner = file.path.removesuffix("/__init__.py").removesuffix(".py").split("/")
        for each in imported(file.text, ".".join(inner if file.path.endswith("__init__.py") else inner[:-1])):
            if each.module.partition(".")[0] != name:
                old = found.get(each.module)
                if old is None or (old.optional and not each.optional):
                    found[each.module] = each
    return list(found.values())
