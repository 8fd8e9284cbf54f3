"""What a target takes and gives: the pipeline with its package and what was read around it, and a bundle of files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from nb2pipe.diagnostics import Report

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nb2pipe.codegen.files import EmittedFile
    from nb2pipe.codegen.model import PackagePlan
    from nb2pipe.digest import Digest
    from nb2pipe.pipeline.model import Pipeline

BUNDLE_FILE = "bundle.json"
"""The file of a bundle that says how it was made."""


class Feature(StrEnum):
    """What a pipeline may ask for, and a target may not have; messages and tables show the text."""

    PARAMETERS = "parameters"
    RUN_DATE = "run date"
    SCHEDULE = "schedule"
    TIMEZONE = "time zone"
    PARALLEL = "parallel steps"
    ORDER = "order without data"
    GATE = "gates"
    NESTED = "nested notebooks"
    RETRY = "retries"
    RETRY_DELAY = "delay of retries"
    TIMEOUT = "time limits"
    CACHE = "reuse by step"
    REPORT = "reports"
    CPU = "cpu"
    MEMORY = "memory"
    GPU = "gpu"
    LIMITS = "other limits"
    IMAGE = "image"
    STEP_IMAGES = "step images"
    ENVIRONMENT = "environment variables"
    LABELS = "labels"
    ANNOTATIONS = "annotations"
    SECRETS = "secrets"
    STATE = "hidden state"
    FILES = "files between steps"
    MODULES = "local modules"
    DATA = "data files"
    METRICS = "metrics"
    RECORDS = "records and lineage"
    NOTEBOOKS = "notebook mode"
    NOTICE = "failure notice"
    OWNER = "owner"


class Level(StrEnum):
    """How far it is shown that a target has a feature.

    `RUNS`: a pipeline ran there, or on the closest real part of it, and did what was asked for. `EMITTED`: the
    definition says it in the platform's own words, and a validator of the platform accepts that.
    """

    RUNS = "runs"
    EMITTED = "emitted"


class Mode(StrEnum):
    """What the platform runs for a step: its module, or its notebook, through papermill."""

    MODULE = "module"
    NOTEBOOK = "notebook"


class Origin(StrEnum):
    """Where a distribution was installed from."""

    INDEX = "index"
    EDITABLE = "editable"
    FOLDER = "folder"
    VCS = "vcs"
    ARCHIVE = "archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A distribution that has to be installed.

    Attributes:
        name: As its metadata write it.
        version: The installed one, such as `2.13.0+cpu`; None where it is not installed.
        specifier: What is asked for instead of a version, such as `>=2,<3`; empty where nothing is.
        extras: Sorted.
        origin: Where it was installed from.
        url: For a repository or an archive, as `pip install` takes it.
    """

    name: str
    version: str | None = None
    specifier: str = ""
    extras: tuple[str, ...] = ()
    origin: Origin = Origin.INDEX
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """All that has to be installed for a package to run.

    Attributes:
        direct: What its modules import and its notebook asks for, sorted.
        lock: The full closure, sorted; all versions are known.
        modules: The distribution of each imported module, so that the same is found where it is not installed; None
            where there is none to install.
        python: The version of Python that all of this is for, such as `3.12`.
    """

    direct: tuple[Requirement, ...] = ()
    lock: tuple[Requirement, ...] = ()
    modules: Mapping[str, str | None] = field(default_factory=dict)
    python: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A file that a bundle takes over as it is.

    Attributes:
        path: In the bundle, and relative to the notebook; with `/`.
        source: Where it lies.
        digest: Of its content.
        size: In bytes.
        module: It is Python code that steps import; otherwise data.
    """

    path: str
    source: Path
    digest: Digest
    size: int
    module: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the user asked for.

    Attributes:
        image: The image that the Dockerfile begins with; None for the notebook's, else a slim Python.
        include: Patterns of files, relative to the notebook.
        templates: A folder whose templates win over ours, relative to the bundle; None where there is none.
        mode: What is run for a step.
        operator: What runs a step, in a target's own word; None for its default.
        schedule: Five fields of cron, instead of the notebook's.
        timezone: The zone of the schedule, instead of the notebook's.
    """

    image: str | None = None
    include: tuple[str, ...] = ()
    templates: str | None = None
    mode: Mode = Mode.MODULE
    operator: str | None = None
    schedule: str | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a bundle is made of, besides the pipeline; all that has to be read is in it.

    Attributes:
        plan: How the package is written.
        package: The files of the package and its step notebooks.
        types: Types of values that a run saw, by name, as they stand in the functions.
        requirements: What has to be installed.
        copies: Files taken over as they are, sorted by path.
        notebook: The notebook's path, relative to the bundle, with `/`.
        flags: What the user asked for.
        templates: A folder whose templates win over ours.
    """

    plan: PackagePlan
    package: tuple[EmittedFile, ...]
    types: Mapping[str, str] = field(default_factory=dict)
    requirements: Requirements
    copies: tuple[Copy, ...] = ()
    notebook: str
    flags: Flags = field(default_factory=Flags)
    templates: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bundle:
    """What a target makes of a pipeline: files, nothing written.

    Attributes:
        target: The target's name.
        files: Sorted by path; `bundle.json` is among them.
        copies: Files taken over as they are, sorted by path.
        diagnostics: What was found on the way.
        plan: How the package is written.
        command: What runs it, typed in its folder.
    """

    target: str
    files: tuple[EmittedFile, ...]
    copies: tuple[Copy, ...] = ()
    diagnostics: Report = field(default_factory=Report)
    plan: PackagePlan
    command: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all its files, sorted."""
        return tuple(sorted([*(file.path for file in self.files), *(copy.path for copy in self.copies)]))

    def text(self, path: str) -> str:
        """The text of an emitted file.

        Raises:
            KeyError: There is none of that path.
        """
        for file in self.files:
            if file.path == path:
                return file.text
        raise KeyError(path)

    def __repr__(self) -> str:
        """One short line; all that it holds would fill screens."""
        return f"<{type(self).__name__} for {self.target}, {len(self.files) + len(self.copies)} files>"


class Target(Protocol):
    """Turns a pipeline into a bundle for a platform. Pure; its fields are its options."""

    @property
    def name(self) -> str:
        """What `--to` calls it."""
        ...

    @property
    def supports(self) -> Mapping[Feature, Level]:
        """What it can express, and how far that is shown."""
        ...

    @property
    def operators(self) -> tuple[str, ...]:
        """What can run a step there, the default first; empty where there is no choice."""
        ...

    def emit(self, pipeline: Pipeline, material: Material) -> Bundle:
        """The bundle of a pipeline.

        Args:
            pipeline: Without errors.
            material: The package and what was read around it.
        """
        ...
