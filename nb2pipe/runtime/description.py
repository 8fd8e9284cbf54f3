"""What the runtime reads of `pipeline.json`: the steps in notebook order, what they take, give and measure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

FILE = "pipeline.json"
_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """What the runtime has to know of a step.

    Attributes:
        name: In the run: `STEP`, or `OUTER/INNER` in a nested notebook.
        module: Path of its module below `steps`, such as `outer.inner`.
        function: The name of its function.
        inputs: The names that it takes from earlier steps.
        origins: The steps whose version that is, where the text shows it, by name.
        outputs: The names that it gives.
        parameters: The types of its parameters, by name; None where anything fits.
        given_by: Those that are variables around a nested notebook, with the step that gives each.
        metrics: The names whose numbers are metrics, by the position of their cell.
        patched: Places in libraries that it sets.
        gate: What has to hold for the steps after it to run.
        description: What people read of it.
    """

    name: str
    module: str
    function: str
    inputs: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    given_by: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    patched: tuple[str, ...] = ()
    gate: str | None = None
    description: str | None = None

    @property
    def scope(self) -> str:
        """The step that its notebook is nested in; empty for the notebook itself."""
        return self.name.rpartition("/")[0]

    @property
    def file(self) -> str:
        """The name of the file that says what it left, without an ending."""
        return self.name.replace("/", ".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the runtime has to know of a pipeline.

    Attributes:
        name: The pipeline's.
        notebook: The notebook's file name.
        parameters: The types of its parameters, by name.
        steps: In notebook order.
    """

    name: str
    notebook: str
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    steps: tuple[StepFacts, ...] = ()

    def step(self, name: str) -> StepFacts:
        """The step of a name.

        Raises:
            UsageError: There is none.
        """
        for step in self.steps:
            if step.name == name:
                return step
        hint = f"its steps are: {', '.join(step.name for step in self.steps)}"
        raise UsageError(f"the pipeline `{self.name}` has no step `{name}`", hint=hint)

    def earlier(self, name: str) -> tuple[StepFacts, ...]:
        """The steps that stand above one in the notebook."""
        names = [step.name for step in self.steps]
        return self.steps[: names.index(name)]

    def wanted(self, name: str) -> frozenset[str]:
        """Those of a step's outputs that a later step takes."""
        names = [step.name for step in self.steps]
        later = self.steps[names.index(name) + 1 :]
        return frozenset(self.step(name).outputs) & {one for step in later for one in (*step.inputs, *step.given_by)}

    def taking(self, name: str, given: Collection[str]) -> Description:
        """The same, where a step takes those of its parameters from steps above it that nobody has given.

        Args:
            name: The step.
            given: The parameters whose values are given.
        """
        step = self.step(name)
        taken = {one: maker for one, maker in step.given_by.items() if one not in given}
        changed = replace(step, inputs=(*step.inputs, *taken), origins={**step.origins, **taken})
        return replace(self, steps=tuple(changed if each is step else each for each in self.steps))


def read_description(file: Path) -> Description:
    """What `pipeline.json` says.

    Raises:
        UsageError: It is not there, or is none that this version knows.
    """
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        hint = "it belongs to the bundle, beside the folder of the package; convert the notebook again"
        raise UsageError(f"there is no file `{file}`", hint=hint) from None
    except (OSError, ValueError) as cause:
        raise UsageError(f"`{file}` cannot be read: {cause}", hint="convert the notebook again") from cause
    schema = data.get("schema") if isinstance(data, dict) else None
    if schema != _SCHEMA:
        message = f"`{file}` has the schema {schema!r}, and this version of nb2pipe reads {_SCHEMA}"
        raise UsageError(message, hint="convert the notebook again, or run it with the version that wrote it")
    try:
        return _description(data)
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise UsageError(f"`{file}` is damaged: {type(cause).__name__}: {cause}", hint="convert again") from cause


def _description(data: Mapping[str, Any]) -> Description:
    return Description(
        name=str(data["name"]),
        notebook=str(data["notebook"]["path"]),
        parameters=_types(data["parameters"]),
        steps=tuple(_step(step) for step in data["steps"]),
    )


def _step(data: Mapping[str, Any]) -> StepFacts:
    return StepFacts(
        name=str(data["name"]),
        module=str(data["module"]),
        function=str(data["function"]),
        inputs=tuple(str(port["name"]) for port in data["inputs"]),
        origins={str(port["name"]): str(port["origin"]) for port in data["inputs"] if port.get("origin")},
        outputs=tuple(str(port["name"]) for port in data["outputs"]),
        parameters=_types(data["parameters"]),
        given_by={str(name): str(maker) for name, maker in data.get("given_by", {}).items()},
        metrics={int(cell): tuple(names) for cell, names in data["metrics"].items()},
        patched=tuple(str(place) for place in data.get("patched", ())),
        gate=data.get("gate"),
        description=data.get("description"),
    )


def _types(parameters: Any) -> dict[str, str | None]:
    return {str(one["name"]): one.get("type") for one in parameters}
