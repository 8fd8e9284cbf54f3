"""Diagnostics as SARIF 2.1.0, for code scanning and editors.

A notebook's cells are lines of a JSON file; a finding names that line of the file, and cell and line beside it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from nb2pipe import __version__
from nb2pipe.cli.codes import documented_codes
from nb2pipe.cli.diagnostics import place
from nb2pipe.cli.output import relative_path
from nb2pipe.diagnostics import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nb2pipe.diagnostics import Diagnostic, Location, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]')

Lines = dict[int, list[int]]
"""For each cell, by position, the line of the file that holds each of its lines."""


def as_sarif(report: Report, notebook: Path) -> dict[str, object]:
    """The report as a SARIF log with one run.

    Args:
        report: The diagnostics.
        notebook: The file they are of; paths are relative to the working directory.
    """
    lines = _lines_of(notebook)
    codes = sorted({diagnostic.code for diagnostic in report})
    known = {item.code: item for item in documented_codes()}
    driver = {
        "name": "nb2pipe",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            _rule(code, known[code].title, known[code].text) if code in known else {"id": code} for code in codes
        ],
    }
    results = [_result(diagnostic, codes, notebook, lines) for diagnostic in report]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def cell_lines(text: str) -> Lines:
    r"""Where the lines of a notebook's cells stand in its file.

    Args:
        text: The JSON of the notebook.

    >>> cell_lines('{"cells": [\n{"source": [\n"a\\n",\n"b"]}, {"source": "c\\nd"}]}')
    {1: [3, 4], 2: [4, 4]}
    """
    lines: Lines = {}
    stack: list[list[object]] = []  # the open objects and arrays, each with the key or index where we are
    line, seen = 1, 0
    for found in _TOKEN.finditer(text):
        line += text.count("\n", seen, found.start())
        seen = found.start()
        match found[0], stack:
            case ("{" | "[") as opened, _:
                stack.append([opened, None if opened == "{" else 0])
            case "}" | "]", _:
                del stack[-1:]
            case ",", _:
                _next(stack)
            case key, [*_, ["{", None]]:
                stack[-1][1] = json.loads(key, strict=False)
            case value, _:
                _take(lines, [key for _, key in stack], value, line)
    return lines


def _next(stack: list[list[object]]) -> None:
    if stack:
        key = stack[-1][1]
        stack[-1][1] = key + 1 if isinstance(key, int) else None


def _take(lines: Lines, path: Sequence[object], token: str, line: int) -> None:
    """Notes a text of the file, if it is the source of a cell or a line of it."""
    match path:
        case ["cells", int(index), "source"] | ["cells", int(index), "source", int()]:
            count = max(1, len(json.loads(token, strict=False).splitlines()))
            lines.setdefault(index + 1, []).extend([line] * count)
        case _:
            return


def _lines_of(notebook: Path) -> Lines:
    if notebook.suffix != ".ipynb":
        return {}
    try:
        return cell_lines(notebook.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _rule(code: str, title: str, text: str) -> dict[str, object]:
    return {"id": code, "shortDescription": {"text": title}, "help": {"text": text or title}}


def _result(diagnostic: Diagnostic, codes: Sequence[str], notebook: Path, lines: Lines) -> dict[str, object]:
    hint = f"\nhint: {diagnostic.hint}" if diagnostic.hint else ""
    where = diagnostic.location
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message + hint},
        "locations": [_location(where, notebook, lines)],
        "properties": {"cell": where.position, "line": where.line, "column": where.column, "step": where.step},
    }
    if diagnostic.related:
        result["relatedLocations"] = [
            {**_location(other, notebook, lines), "message": {"text": what}} for what, other in diagnostic.related
        ]
    return result


def _location(where: Location, notebook: Path, lines: Lines) -> dict[str, object]:
    physical: dict[str, object] = {"artifactLocation": {"uri": quote(relative_path(notebook).replace("\\", "/"))}}
    region = _region(where, lines)
    if region:
        physical["region"] = region
    location: dict[str, object] = {"physicalLocation": physical}
    if where.position is not None:
        location["logicalLocations"] = [{"name": f"cell {where.position}", "fullyQualifiedName": place(where)}]
    return location


def _region(where: Location, lines: Mapping[int, Sequence[int]]) -> dict[str, object]:
    held = lines.get(where.position or 0, ())
    line = (where.line or 1) - 1
    if not line < len(held):
        return {}
    region: dict[str, object] = {"startLine": held[line]}
    if where.source_line is not None:
        region["snippet"] = {"text": where.source_line}
    return region
