"""The parameters of a pipeline as params of an Airflow DAG: defaults and JSON schema."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pipe.codegen.modules.lines import bracketed
from nb2pipe.codegen.modules.values import value_text
from nb2pipe.codegen.modules.words import one_line
from nb2pipe.records.values import is_masked_default
from nb2pipe.targets.texts import span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nb2pipe.pipeline.model import Parameter, Pipeline

_TYPES: Mapping[str, str] = {
    "int": "integer",
    "float": "number",
    "str": "string",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_ANY = ["array", "boolean", "null", "number", "object", "string"]
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """The parameters of a pipeline.

    Attributes:
        known: Those that the DAG has, in the notebook's order.
        unwritten: Those whose defaults cannot stand in the DAG.
        hidden: Those that are secrets: no page shows them, and no file has them.
        run_date: The one that has the run's date; empty where none has.
    """

    known: tuple[Parameter, ...]
    unwritten: tuple[Parameter, ...]
    hidden: tuple[str, ...] = ()
    run_date: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of those that the DAG has."""
        return tuple(one.name for one in self.known)

    def words(self, also: str = "") -> Iterator[tuple[str, str]]:
        """For each, the template of the word that gives it to a step in a container.

        Args:
            also: A filter of Jinja that all of them pass last.
        """
        left = {one.name for one in self.unwritten}
        for one in self.known:
            value = f"params[{one.name!r}]"
            if one.name == self.run_date:
                yield one.name, f"--{one.name}={{{{ ({value} or run_date(dag_run)){also} }}}}"
            elif one.name not in left:
                text = value if one.type == "str" else f"{value} | tojson"
                yield one.name, f"--{one.name}={{{{ {text}{also} }}}}"

    def rows(self) -> Iterator[str]:
        """The items of `params={...}`."""
        left = {one.name for one in self.unwritten}
        for one in self.known:
            if one.name == self.run_date:
                words = "The date that the run is for, where none is given."
                schema = {"type": ["null", "string"], "format": "date", "description": words}
                yield _row(one.name, None, schema)
            elif one.name in left:
                shown = one_line(str(one.default))[:_SHOWN]
                words = f"Where none is given, as the notebook has it: {span(shown)}"
                yield _row(one.name, None, {"type": _ANY, "description": words})
            else:
                yield _row(one.name, one.default, dict(_schema(one.default)))


def params_of(pipeline: Pipeline) -> Params:
    """The parameters of a pipeline as params."""
    asked = pipeline.settings.run_date or ""
    known = tuple(one for one in pipeline.parameters if not is_masked_default(one.default))
    run_date = next((one.name for one in known if one.name == asked), "")
    unwritten = tuple(one for one in pipeline.parameters if one.name != run_date and not _is_written(one))
    hidden = tuple(one.name for one in pipeline.parameters if is_masked_default(one.default))
    return Params(known=known, unwritten=unwritten, hidden=hidden, run_date=run_date)


def _is_written(one: Parameter) -> bool:
    if not one.is_literal or is_masked_default(one.default) or one.type not in {*_TYPES, "None"}:
        return False
    try:
        text = json.dumps(one.default, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
    except (ValueError, TypeError):
        return False
    return bool(json.loads(text) == one.default) and "\\u0000" not in text


def _schema(value: object) -> Iterator[tuple[str, object]]:
    match value:
        case None:
            yield "type", _ANY
        case "":
            yield "type", ["null", "string"]
        case str():
            yield "type", "string"
            if "\n" in value:
                yield "format", "multiline"
        case list():
            yield "type", "array"
            if not value or not all(isinstance(item, str) for item in value):
                yield "items", {"type": _items(value)}
        case _:
            yield "type", _TYPES[type(value).__name__]


def _items(values: list[object]) -> object:
    """The type of a list's items: what the form of Airflow lets people type."""
    is_number = all(isinstance(item, int | float) and not isinstance(item, bool) for item in values)
    return "number" if values and is_number else _ANY


def _row(name: str, default: object, schema: Mapping[str, object]) -> str:
    items = [value_text(default), *(f"{key}={value_text(value)}" for key, value in schema.items())]
    return bracketed(f"{value_text(name)}: Param", items, ",", indent=" " * 8).lstrip()
