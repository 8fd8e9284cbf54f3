from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema

from nb2pipe.cli.sarif import as_sarif, cell_lines
from nb2pipe.diagnostics import Diagnostic, Location, Report, Severity

if TYPE_CHECKING:
    from pathlib import Path


def _log(folder: Path, *found: Diagnostic, text: str | None = None) -> Any:
    notebook = folder / "a b.ipynb"
    if text is not None:
        notebook.write_text(text, "utf-8")
    log = json.loads(json.dumps(as_sarif(Report.of(found), notebook)))
    jsonschema.validate(log, SARIF)
    return log


NOTEBOOK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "markdown",
                "metadata": {"source": ["no"], "cells": [{"source": "no"}]},
                "source": ["# Title\n", "x"],
            },
            {
                "cell_type": "code",
                "metadata": {"a": ["b", "c"]},
                "outputs": [{"text": ['a "quoted" {\n', "[,]"]}],
                "source": ["a = 1\n", 'b = "{[,]}"\n', "c = \u6a21"],
            },
        ],
        "metadata": {},
    },
    indent=1,
)


def test_each_line_of_a_cell_is_found_in_the_file() -> None:
    lines = NOTEBOOK.splitlines()
    found = cell_lines(NOTEBOOK)
    assert found.keys() == {1, 2}
    assert [json.loads(lines[line - 1].strip().rstrip(",")) for line in found[1]] == ["# Title\n", "x"]
    shown = [json.loads(lines[line - 1].strip().rstrip(",")) for line in found[2]]
    assert shown == ["a = 1\n", 'b = "{[,]}"\n', "c = \u6a21"]


def _object(required: list[str], **properties: object) -> dict[str, object]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


_TEXT = {"type": "string"}
_MESSAGE = _object(["text"], text=_TEXT)
_LINE = {"type": "integer", "minimum": 1}
_PHYSICAL = _object(
    ["artifactLocation"],
    artifactLocation=_object(["uri"], uri={"type": "string", "pattern": r"^[!-~]+$"}),
    region=_object(["startLine"], startLine=_LINE, snippet=_MESSAGE),
)
_LOCATION = _object(
    [],
    physicalLocation=_PHYSICAL,
    logicalLocations={"type": "array", "items": _object([], name=_TEXT, fullyQualifiedName=_TEXT)},
    message=_MESSAGE,
)
_LOCATIONS = {"type": "array", "items": _LOCATION}
_RESULT = _object(
    ["message"],
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_MESSAGE,
    locations=_LOCATIONS,
    relatedLocations=_LOCATIONS,
    properties={"type": "object"},
)
_RULES = {
    "type": "array",
    "uniqueItems": True,
    "items": _object(["id"], id=_TEXT, shortDescription=_MESSAGE, help=_MESSAGE),
}
_DRIVER = _object(["name"], name=_TEXT, version=_TEXT, semanticVersion=_TEXT, rules=_RULES)
_RUN = _object(
    ["tool"],
    tool=_object(["driver"], driver=_DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results={"type": "array", "items": _RESULT},
)
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {"$schema": _TEXT, "version": {"const": "2.1.0"}, "runs": {"type": "array", "items": _RUN}},
    "additionalProperties": False,
}
"""Those parts of the SARIF 2.1.0 schema that we use, with nothing else allowed beside them."""


def test_what_is_no_notebook_has_no_lines() -> None:
    assert cell_lines("") == {}
    assert cell_lines("]}{[") == {}
    assert cell_lines('"cells"') == {}


def test_a_finding_names_the_line_of_the_file_and_the_cell(folder: Path) -> None:
    place = Location(notebook="a b.ipynb", position=2, line=3, column=1, source_line="c = \u6a21", step="fit")
    log = _log(
        folder,
        Diagnostic(code="NB999", severity=Severity.WARNING, message="odd", location=place, hint="mend it"),
        text=NOTEBOOK,
    )
    result = log["runs"][0]["results"][0]
    assert result["ruleId"] == "NB999"
    assert result["level"] == "warning"
    assert result["message"]["text"] == "odd\nhint: mend it"
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "a%20b.ipynb"
    assert "c = " in NOTEBOOK.splitlines()[physical["region"]["startLine"] - 1]
    assert result["locations"][0]["logicalLocations"][0]["name"] == "cell 2"
    assert result["properties"] == {"cell": 2, "line": 3, "column": 1, "step": "fit"}


def test_rules_carry_the_documentation_and_results_point_to_them(folder: Path) -> None:
    place = Location(notebook="a b.ipynb", position=1)
    log = _log(
        folder,
        Diagnostic(code="NB999", severity=Severity.ERROR, message="a", location=place),
        Diagnostic(code="NB514", severity=Severity.INFO, message="b", location=place),
    )
    assert log["version"] == "2.1.0"
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["NB514", "NB999"]
    assert rules[0]["shortDescription"]["text"]
    levels = {each["ruleId"]: (each["ruleIndex"], each["level"]) for each in log["runs"][0]["results"]}
    assert levels == {"NB514": (0, "note"), "NB999": (1, "error")}


def test_a_place_that_the_file_does_not_have_is_left_out(folder: Path) -> None:
    log = _log(
        folder,
        Diagnostic(
            code="NB101",
            severity=Severity.ERROR,
            message="a",
            location=Location(notebook="a b.ipynb", position=9, line=4),
            related=(("there", Location(notebook="a b.ipynb", position=2, line=1)),),
        ),
        text=NOTEBOOK,
    )
    result = log["runs"][0]["results"][0]
    assert "region" not in result["locations"][0]["physicalLocation"]
    assert result["relatedLocations"][0]["message"]["text"] == "there"
    assert "region" in result["relatedLocations"][0]["physicalLocation"]


def test_a_report_without_problems_is_a_log_without_results(folder: Path) -> None:
    log = _log(folder)
    assert log["runs"][0]["results"] == []
