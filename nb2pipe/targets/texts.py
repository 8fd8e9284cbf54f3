"""Requirements, Dockerfile, README and tests of a bundle, as text."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pipe.codegen.literals import literal
from nb2pipe.codegen.model import Form
from nb2pipe.codegen.modules.indent import INDENT
from nb2pipe.codegen.modules.lines import bracketed
from nb2pipe.codegen.modules.values import formatted
from nb2pipe.codegen.modules.words import one_line, quoted
from nb2pipe.codegen.templates import Code, doc, render
from nb2pipe.notebook.model import ImageTag
from nb2pipe.pipeline.work import make_work
from nb2pipe.targets.model import Mode, Origin
from nb2pipe.targets.reads import reads_of_steps

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nb2pipe.codegen.model import StepPlan
    from nb2pipe.pipeline.model import Parameter, Pipeline
    from nb2pipe.pipeline.work import Unit
    from nb2pipe.targets.model import Material, Requirement

_PLAIN = re.compile(r"[\w.,:/+ -]{1,40}")
"""Defaults that an example shows."""

# ------------------------------------------------------------------------------------------------ requirements


def requirements_txt(material: Material) -> str:
    """What the modules import and the notebook asks for."""
    head = f"# What the modules of {material.plan.name} import, and what the notebook asks for."
    return _lines(head, material.requirements.direct)


def requirements_lock(material: Material) -> str:
    """The full closure."""
    head = f"# All that {material.plan.name} needs, as it was installed, for Python {material.requirements.python}."
    return _lines(head, material.requirements.lock)


def _lines(head: str, requirements: Sequence[Requirement]) -> str:
    return "".join(f"{line}\n" for line in (head, *map(requirement_line, requirements)))


def requirement_line(requirement: Requirement) -> str:
    """A line of `requirements.txt`.

    >>> from nb2pipe.targets.model import Requirement
    >>> requirement_line(Requirement(name="torch", version="2.13.0+cpu"))
    'torch==2.13.0  # installed as 2.13.0+cpu'
    """
    version = requirement.version
    name = requirement.name + (f"[{','.join(requirement.extras)}]" if requirement.extras else "")
    if requirement.url is not None:
        return requirement.url if name == requirement.url else f"{name} @ {requirement.url}"
    if version is None:
        return f"{name}{requirement.specifier}"
    public = version.partition("+")[0]
    notes = {
        Origin.EDITABLE: f"installed in editable form as {version}",
        Origin.FOLDER: f"installed from a folder as {version}",
        Origin.VCS: f"installed from a repository as {version}",
        Origin.ARCHIVE: f"installed from a file as {version}",
        Origin.INDEX: f"installed as {version}" if public != version else "",
    }
    note = notes[requirement.origin]
    return f"{name}=={public}  # {one_line(note)}" if note else f"{name}=={public}"


# ------------------------------------------------------------------------------------------------ Dockerfile


def dockerfile(pipeline: Pipeline, material: Material, installs: Sequence[str] = ()) -> str:
    """How an image is made; whatever names files have, a line stays one.

    Args:
        pipeline: The pipeline.
        material: What the bundle is made of.
        installs: What a platform needs beside the requirements, each without its own.
    """
    package = material.plan.name
    modules = [copy.path for copy in material.copies if copy.module]
    data = [copy.path for copy in material.copies if not copy.module]
    notebooks = ["notebooks/"] if material.flags.mode is Mode.NOTEBOOK else []
    return render(
        "bundle/Dockerfile.jinja",
        material.templates,
        title=pipeline.name,
        notebook=material.plan.notebook,
        image=Code(image_of(pipeline, material)),
        has_lock=bool(material.requirements.lock),
        installs=Code(shlex.join(installs)),
        has_git=any((one.url or "").startswith("git+") for one in material.requirements.lock),
        code=[Code(line) for line in _copied([f"{package}/__init__.py", *notebooks, *modules], "/app")],
        data=[Code(line) for line in _copied(data, "/files", owner="10001:10001")],
        package=_json(package),
    )


def image_of(pipeline: Pipeline, material: Material) -> str:
    """The image to begin with: the one asked for, else the notebook's, else a slim Python of the same version."""
    named = [tag.reference for tag in pipeline.settings.step_defaults if isinstance(tag, ImageTag)]
    return material.flags.image or next(iter(named), f"python:{material.requirements.python}-slim")


def _copied(paths: Sequence[str], to: str, *, owner: str = "") -> Iterator[str]:
    option = f"--chown={owner} " if owner else ""
    for top in sorted({path.partition("/")[0] for path in paths}):
        is_folder = top not in paths
        source = re.sub(r"([*?\[\\])", r"[\1]", top).replace("[\\]", "\\\\")  # COPY takes patterns
        yield f"COPY {option}[{_json(source)}, {_json(f'{to}/{top}/' if is_folder else f'{to}/{top}')}]"


def _json(text: str) -> Code:
    return Code(json.dumps(text, ensure_ascii=not text.isprintable()))


# ------------------------------------------------------------------------------------------------ formatters


def ruff_toml(material: Material) -> str:
    """What formatters and linters leave to the author: cells and files that stand as they were written."""
    copied = [copy.path for copy in material.copies if copy.path.endswith((".py", ".ipynb"))]
    plain = [path for path in copied if re.fullmatch(r"[\w./ -]+", path)]
    return render(
        "bundle/ruff.toml.jinja",
        material.templates,
        excluded=[_json(path) for path in ("_vendor", "notebooks", *sorted(plain))],
    )


# ------------------------------------------------------------------------------------------------ tests


def test_steps(pipeline: Pipeline, material: Material) -> str:
    """The tests of a bundle."""
    width = len(str(len(material.plan.steps)))
    steps = [_test(f"{number:0{width}}", step) for number, step in enumerate(material.plan.steps, 1)]
    reads = {step: tuple(paths) for step, paths in reads_of_steps(pipeline).items()}
    return render(
        "bundle/test_steps.py.jinja",
        material.templates,
        steps=steps,
        data=_assigned("DATA: tuple[str, ...]", tuple(copy.path for copy in material.copies if not copy.module)),
        reads=_assigned("READS: dict[str, tuple[str, ...]]", reads),
    )


def _test(number: str, step: StepPlan) -> Code:
    """The test of a step."""
    name = f"test_{number}_{step.module.replace('.', '_')}"
    head = bracketed(f"def {name}", ["self"], " -> None:", indent=INDENT)
    docstring = doc(f"The step `{step.name}`.", INDENT * 2)
    call = bracketed("self.check", [quoted(step.name)], "", indent=INDENT * 2)
    return Code(f"{head}\n{INDENT * 2}{docstring}\n{call}")


def _assigned(name: str, value: object) -> Code:
    return Code(f"{name} = {formatted(literal(value), before=len(name) + len(' = '))}")


# ------------------------------------------------------------------------------------------------ README


def readme(pipeline: Pipeline, material: Material, guide: str = "") -> str:
    """What the bundle is and how it is used, for people.

    Args:
        pipeline: The pipeline.
        material: What the bundle is made of.
        guide: A chapter on the target's platform; empty where there is none.
    """
    plan = material.plan
    first = plan.steps[0]
    example = next((each for each in pipeline.parameters if _is_shown(each)), None)
    option, value = (example.name, _word(example.default)) if example is not None else ("", "")
    notebooks = [file.path for file in material.package if file.path.startswith("notebooks/")]
    return render(
        "bundle/README.md.jinja",
        material.templates,
        title=Code(prose(pipeline.name)),
        guide=Code(guide),
        description=Code(_prose(plan.description)),
        notebook=Code(span(plan.notebook)),
        python=material.requirements.python,
        package=plan.name,
        facts=[Code(line) for line in _facts(pipeline)],
        rows=[Code(row) for row in _step_rows(pipeline, plan.steps)],
        parameters=[Code(_row((span(one.name), span(one.annotation), span(one.default)))) for one in plan.parameters],
        options=Code(f" --{option} {value}" if example is not None else ""),
        torch=any(one.version and one.name == "torch" and "+" in one.version for one in material.requirements.lock),
        first=first.module,
        commands=[Code(line) for line in _commands(plan.name, plan.steps)],
        notebook_step=Code(_word(notebooks[0])) if notebooks else None,
        papermill=Code(_papermill(first, example)),
        tests=Code(_json_example(example)),
        image=Code(image_name(plan.title)),
        gates=any(step.gates for step in plan.steps),
        has_cells=any(step.form is Form.NAMESPACE for step in plan.steps),
    )


def _prose(text: str) -> str:
    """A description as paragraphs."""
    parts = [one_line(part) for part in re.split(r"\n\s*\n", text)]
    return "\n\n".join(re.sub(r"^([#>|=~*+-])", r"\\\1", prose(part)) for part in parts if part)


def prose(text: str) -> str:
    """A text as one line of Markdown that holds no HTML.

    >>> prose("a <b>")
    'a &lt;b>'
    """
    return one_line(text).replace("<", "&lt;")


def _facts(pipeline: Pipeline) -> Iterator[str]:
    settings = pipeline.settings
    if settings.owner:
        yield f"Owner: {prose(settings.owner)}"
    if settings.schedule:
        zone = f" ({one_line(settings.timezone)})" if settings.timezone else ""
        yield f"Schedule: {span(settings.schedule)}{zone}"


def _step_rows(pipeline: Pipeline, steps: Sequence[StepPlan]) -> Iterator[str]:
    units = make_work(pipeline, Path()).by_name
    for step in steps:
        yield _row(
            (
                span(step.name),
                _spans(step.inputs),
                _spans(output.name for output in step.outputs),
                _spans(one.name for one in step.parameters),
                "; ".join(_notes(step, units[step.name])),
            )
        )


def _notes(step: StepPlan, unit: Unit) -> Iterator[str]:
    own = unit.step
    if own.gate is not None:
        yield f"gate {span(own.gate.text)}"
    if step.gates:
        yield f"runs if the gate of {_spans(step.gates)} holds"
    for secret in own.resources.secrets:
        yield f"reads the environment variable {span(secret.variable)}"
    if own.retry:
        yield f"to be tried again up to {own.retry} time{'s' if own.retry > 1 else ''}"
    if own.timeout is not None:
        yield f"may take {own.timeout:g} s"


def _commands(package: str, steps: Sequence[StepPlan]) -> Iterator[str]:
    for place, step in enumerate(steps):
        taken = {one.name for one in step.parameters}
        inputs, outputs = (f"--nb2pipe-{name}" if name in taken else f"--{name}" for name in ("inputs", "outputs"))
        yield f"python -m {package}.steps.{step.module}{f' {inputs} values' if place else ''} {outputs} values"


def _papermill(step: StepPlan, example: Parameter | None) -> str:
    known = example is not None and example.name in {one.name for one in step.parameters}
    given = f"-p {example.name} {_word(example.default)} " if known and example is not None else ""
    inputs = "-p nb2pipe_inputs values " if step.inputs else ""
    return f"{given}{inputs}-p nb2pipe_outputs values"


def _is_shown(parameter: Parameter) -> bool:
    """Whether a parameter is good for an example."""
    value = parameter.default
    return parameter.is_literal and isinstance(value, (int, float, str)) and bool(_PLAIN.fullmatch(str(value)))


def _word(value: object) -> str:
    """A value as a word of a command line."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return shlex.quote(one_line(text))


def _json_example(parameter: Parameter | None) -> str:
    return json.dumps({parameter.name: parameter.default} if parameter is not None else {}).replace("'", "")


def image_name(title: str) -> str:
    """What the README calls the image of a pipeline.

    >>> image_name("My Pipeline (2)")
    'my-pipeline-2'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower().encode("ascii", "ignore").decode()).strip("-") or "pipeline"


def span(text: str) -> str:
    r"""A text as code in a table of Markdown.

    >>> print(span("a|b"), span("`"))
    `a\|b` `` ` ``
    """
    plain = one_line(text).replace("|", "\\|")
    return f"`` {plain} ``" if "`" in plain else f"`{plain}`"


def _spans(texts: Iterable[str]) -> str:
    return ", ".join(map(span, texts))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
