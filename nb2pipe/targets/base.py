"""What bundles of all targets hold: the package, the runtime that it carries, requirements, image, tests, README."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nb2pipe.codegen.described import described
from nb2pipe.codegen.files import EmittedFile
from nb2pipe.codegen.modules.vendor import vendored_files
from nb2pipe.diagnostics import Report
from nb2pipe.digest import Digest
from nb2pipe.targets.checks.nb406_name_is_the_bundles import name_is_the_bundles
from nb2pipe.targets.checks.nb407_file_may_be_missing import file_may_be_missing
from nb2pipe.targets.checks.nb408_not_for_this_target import not_for_this_target
from nb2pipe.targets.features import features
from nb2pipe.targets.manifest import manifest_text
from nb2pipe.targets.model import BUNDLE_FILE, Bundle
from nb2pipe.targets.reads import cell_that_reads, reads_of_steps
from nb2pipe.targets.texts import dockerfile, readme, requirements_lock, requirements_txt, ruff_toml, test_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nb2pipe.diagnostics import Diagnostic
    from nb2pipe.pipeline.model import Pipeline
    from nb2pipe.targets.model import Copy, Material, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What a target adds to a bundle.

    Attributes:
        definition: The platform's own files.
        guide: A chapter of the README on how they are used.
        diagnostics: What was found on the way.
        command: What runs the pipeline there, typed in the folder of the bundle; empty for plain Python.
        installs: What the image has to hold beside the requirements, as `pip install` takes it: without what that
            itself requires.
    """

    definition: tuple[EmittedFile, ...] = ()
    guide: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    command: str = ""
    installs: tuple[str, ...] = ()


_NO_PLATFORM = Platform()


def base_bundle(pipeline: Pipeline, material: Material, target: Target, platform: Platform = _NO_PLATFORM) -> Bundle:
    """The bundle of a target.

    Args:
        pipeline: Without errors.
        material: The package and what was read around it.
        target: The target.
        platform: What the target adds for its platform.
    """
    package = material.plan.name
    vendored = (replace(file, path=f"{package}/_vendor/{file.path}") for file in vendored_files())
    files = [*material.package, *vendored, *_texts(pipeline, material, platform), *platform.definition]
    clashes = tuple(_clashes(pipeline, material, files))
    copies = [copy for copy in material.copies if copy.path not in {clash for clash, _ in clashes}]
    digests = {file.path: str(Digest.of_bytes(file.text.encode())) for file in files}
    digests |= {copy.path: str(copy.digest) for copy in copies}
    files.append(EmittedFile(path=BUNDLE_FILE, text=manifest_text(pipeline, material, target.name, digests)))
    return Bundle(
        target=target.name,
        files=tuple(sorted(files, key=lambda file: file.path)),
        copies=tuple(copies),
        diagnostics=Report.of(
            material.plan.report,
            (found for _, found in clashes),
            _missing(pipeline, copies),
            _lacking(pipeline, material, target),
            platform.diagnostics,
        ),
        plan=material.plan,
        command=platform.command or f"python -m {package}",
    )


def _texts(pipeline: Pipeline, material: Material, platform: Platform) -> Iterator[EmittedFile]:
    yield EmittedFile(path="pipeline.json", text=described(pipeline, material.plan))
    yield EmittedFile(path="requirements.txt", text=requirements_txt(material))
    yield EmittedFile(path="requirements.lock", text=requirements_lock(material))
    yield EmittedFile(path="Dockerfile", text=dockerfile(pipeline, material, platform.installs))
    yield EmittedFile(path="ruff.toml", text=ruff_toml(material))
    yield EmittedFile(path="README.md", text=readme(pipeline, material, platform.guide))
    yield EmittedFile(path="tests/test_steps.py", text=test_steps(pipeline, material))


def _clashes(pipeline: Pipeline, material: Material, files: Sequence[EmittedFile]) -> Iterator[tuple[str, Diagnostic]]:
    """Files that would be copied to where one of ours stands, or that hide our package."""
    ours = {BUNDLE_FILE.casefold(), *(file.path.casefold() for file in files)}
    package = material.plan.name.casefold()
    for copy in material.copies:
        path = copy.path.casefold()
        top = path.partition("/")[0]
        if path in ours or top.partition(".")[0] == package or any(each.startswith(f"{path}/") for each in ours):
            yield copy.path, name_is_the_bundles(pipeline.notebook.path, copy.path)


def _lacking(pipeline: Pipeline, material: Material, target: Target) -> Iterator[Diagnostic]:
    """What the pipeline asks for and the target lacks."""
    for feature, steps in features(pipeline, material).items():
        if feature not in target.supports:
            yield not_for_this_target(pipeline.notebook.path, target.name, feature, steps)


def _missing(pipeline: Pipeline, copies: Sequence[Copy]) -> Iterator[Diagnostic]:
    """Files that steps read and that are not part of the bundle."""
    here = {copy.path for copy in copies}
    told: set[str] = set()
    for step, paths in reads_of_steps(pipeline).items():
        for path in paths:
            cell = cell_that_reads(pipeline, step, path)
            if path not in here | told and cell is not None:
                told.add(path)
                yield file_may_be_missing(pipeline.notebook.path, path, step, cell)
