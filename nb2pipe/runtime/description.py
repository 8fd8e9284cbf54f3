"""What the runtime reads of `pipeline.json`: the steps in notebook order, what they take, give and measure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import UsageError
from nb2pipe.records.values import decode, secrets_to_give

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
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
        after: The steps with an edge to it; None where nobody says.
        inputs: The names that it takes from earlier steps.
        origins: The steps whose version that is, where the text shows it, by name.
        outputs: The names that it gives.
        parameters: The types of its parameters, by name; None where anything fits.
        secrets: Those whose defaults are not kept, or are made of such.
        given_by: Those that are variables around a nested notebook, with the step that gives each.
        metrics: The names whose numbers are metrics, by the position of their cell.
        patched: Places in libraries that it sets.
        defaults: Of its parameters, those that are literals.
        notebook: The file name of its notebook, where that is a nested one.
        gate: What has to hold for the steps after it to run.
        gates: The steps before it whose gates have to hold.
        description: What people read of it.
        cells: Positions of its cells in its notebook.
        code: SHA-256 of the texts of the cells that its code stands in, definitions included, by their positions.
    """

    name: str
    module: str
    function: str
    after: tuple[str, ...] | None = None
    inputs: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    given_by: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    patched: tuple[str, ...] = ()
    defaults: Mapping[str, object] = field(default_factory=dict)
    notebook: str | None = None
    gate: str | None = None
    gates: tuple[str, ...] = ()
    description: str | None = None
    cells: tuple[int, ...] = ()
    code: Mapping[int, str] = field(default_factory=dict)

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
        digest: The notebook's.
        folder: The bundle's.
        parameters: The types of its parameters, by name.
        secrets: Those whose defaults are not kept, or are made of such.
        owner: Who is called when it fails.
        on_failure: Where that is told: a webhook's URL, or `secret:SECRET:KEY:ENV`.
        steps: In notebook order.
    """

    name: str
    notebook: str
    digest: str = ""
    folder: str = ""
    parameters: Mapping[str, str | None] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    owner: str | None = None
    on_failure: str | None = None
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

    def above(self, name: str) -> tuple[StepFacts, ...]:
        """The steps from which anything reaches one, in notebook order: those that have ended before it begins."""
        found: set[str] = set()
        earlier = self.earlier(name)
        for step in (self.step(name), *reversed(earlier)):
            if step.name == name or step.name in found:
                found.update([each.name for each in self.earlier(step.name)] if step.after is None else step.after)
        return tuple(step for step in earlier if step.name in found)

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
        return replace(_description(data), folder=str(file.absolute().parent))
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise UsageError(f"`{file}` is damaged: {type(cause).__name__}: {cause}", hint="convert again") from cause


def _description(data: Mapping[str, Any]) -> Description:
    secrets, settings = _secrets(data["parameters"]), data["notebook"].get("settings", {})
    return Description(
        name=str(data["name"]),
        notebook=str(data["notebook"]["path"]),
        digest=str(data["notebook"].get("digest", "")),
        parameters=_types(data["parameters"]),
        secrets=secrets,
        owner=settings.get("owner"),
        on_failure=settings.get("on_failure"),
        steps=tuple(_step(step, _texts(data["notebook"]), secrets) for step in data["steps"]),
    )


def _texts(notebook: Mapping[str, Any]) -> dict[str | None, list[str]]:
    """The texts of the cells of a notebook, by None, and of those nested in it, by their file names."""
    inner = (_texts(each) for each in notebook.get("nested", {}).values())
    own = [str(cell["source"]) for cell in notebook.get("cells", ())]
    return {name: texts for each in inner for name, texts in each.items() if name is not None} | {
        None: own,
        PurePath(str(notebook["path"])).name: own,
    }


def _step(data: Mapping[str, Any], texts: Mapping[str | None, Sequence[str]], secrets: frozenset[str]) -> StepFacts:
    inner = "/" in str(data["name"])
    own = texts.get(data.get("notebook"), ())
    code = sorted({int(block["cell"]) for block in data.get("blocks", ())})
    return StepFacts(
        name=str(data["name"]),
        module=str(data["module"]),
        function=str(data["function"]),
        after=tuple(map(str, data["after"])) if "after" in data else None,
        inputs=tuple(str(port["name"]) for port in data["inputs"]),
        origins={str(port["name"]): str(port["origin"]) for port in data["inputs"] if port.get("origin")},
        outputs=tuple(str(port["name"]) for port in data["outputs"]),
        parameters=_types(data["parameters"]),
        secrets=_secrets(data["parameters"]) if inner else secrets & _types(data["parameters"]).keys(),
        given_by={str(name): str(maker) for name, maker in data.get("given_by", {}).items()},
        metrics={int(cell): tuple(names) for cell, names in data["metrics"].items()},
        patched=tuple(str(place) for place in data.get("patched", ())),
        defaults={
            str(one["name"]): decode(one.get("exact", one.get("default")))
            for one in data["parameters"]
            if one.get("is_literal", True)
        },
        notebook=data.get("notebook"),
        gate=data.get("gate"),
        gates=tuple(str(step) for step in data.get("gates", ())),
        description=data.get("description"),
        cells=tuple(int(cell) for cell in data.get("cells", ())),
        code={cell: _digest(own[cell - 1]) for cell in code if cell <= len(own)},
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _secrets(parameters: Any) -> frozenset[str]:
    known = ((str(one["name"]), one.get("default"), bool(one.get("is_literal", True))) for one in parameters)
    return frozenset(secrets_to_give(known))


def _types(parameters: Any) -> dict[str, str | None]:
    return {str(one["name"]): one.get("type") for one in parameters}
