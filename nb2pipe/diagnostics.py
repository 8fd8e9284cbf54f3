"""Diagnostics: problems of a notebook as values, with a place and a hint. No colors here; rendering is cli's."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Severity(StrEnum):
    """How bad it is: an `error` stops every command, a `warning` may hurt, an `info` is good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a notebook.

    Attributes:
        notebook: The notebook's path as the user gave it.
        cell: The cell's id, or None for the notebook as a whole.
        position: The cell as the eye counts it in Jupyter: from 1, all cells counted.
        line: The line within the cell, from 1.
        column: The column, from 1.
        end_column: The column after the last character.
        source_line: The text of that line.
        step: The step the cell belongs to, where that is known.
    """

    notebook: str
    cell: str | None = None
    position: int | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    source_line: str | None = None
    step: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """A problem, with a place and a hint.

    Attributes:
        code: `NB` and three digits; `nb2pipe explain CODE` prints its documentation.
        related: Other places that belong to it, each with what it is.
    """

    code: str
    severity: Severity
    message: str
    location: Location
    hint: str | None = None
    related: tuple[tuple[str, Location], ...] = ()

    @property
    def sort_key(self) -> tuple[int, int, int, str, str]:
        """Notebook order, then code."""
        place = self.location
        return (place.position or 0, place.line or 0, place.column or 0, self.code, self.message)


@dataclass(frozen=True, slots=True)
class Report:
    """All diagnostics of a notebook, in notebook order, each once."""

    diagnostics: tuple[Diagnostic, ...] = field(default=())

    @classmethod
    def of(cls, *sources: Iterable[Diagnostic]) -> Report:
        """One report out of several lists."""
        unique = {diagnostic: None for source in sources for diagnostic in source}
        return cls(tuple(sorted(unique, key=lambda diagnostic: diagnostic.sort_key)))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.diagnostics)

    def __len__(self) -> int:
        return len(self.diagnostics)

    def of_severity(self, severity: Severity) -> tuple[Diagnostic, ...]:
        """The diagnostics of one severity."""
        return tuple(diagnostic for diagnostic in self.diagnostics if diagnostic.severity is severity)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What stops every command."""
        return self.of_severity(Severity.ERROR)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What may hurt."""
        return self.of_severity(Severity.WARNING)
