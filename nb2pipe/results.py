"""What a run left, for Python and Jupyter: its record, its series, its values out of the store."""

from __future__ import annotations

import contextlib
import html
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe import plugins
from nb2pipe.digest import Digest
from nb2pipe.errors import StoreError, UsageError
from nb2pipe.execution.home import Home
from nb2pipe.execution.run import STORE
from nb2pipe.execution.shared import Shared
from nb2pipe.records.files import read_series
from nb2pipe.records.series import Points
from nb2pipe.serializers.groups import Group
from nb2pipe.serializers.groups import load as load_group
from nb2pipe.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from nb2pipe.records.events import Failure, RunStatus
    from nb2pipe.records.files import RunRecord, StepRecord
    from nb2pipe.store.base import Store


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """A run, as its record and the store tell of it.

    Attributes:
        record: All that is recorded.
        folder: `runs/RUN` in the home.
    """

    record: RunRecord
    folder: Path

    @property
    def run(self) -> str:
        """The id."""
        return self.record.run

    @property
    def name(self) -> str | None:
        """The name that the user gave it."""
        return self.record.name

    @property
    def status(self) -> RunStatus:
        """How it ended: `succeeded`, `failed` or `interrupted`."""
        return self.record.status

    @property
    def steps(self) -> tuple[StepRecord, ...]:
        """Its steps in notebook order: `name`, `status`, `seconds` and more."""
        return self.record.steps

    @property
    def parameters(self) -> dict[str, object]:
        """The values of the parameters; secret ones are masked."""
        return dict(self.record.parameters)

    @property
    def metrics(self) -> dict[str, float]:
        """The numbers that it made."""
        return dict(self.record.metrics)

    @property
    def error(self) -> Failure | None:
        """Why it failed: `step`, `cell`, `line`, `kind`, `message`."""
        return self.record.failure

    @property
    def notebook(self) -> Path:
        """The executed notebook, all cells in order."""
        return self.folder / "notebook.ipynb"

    def series(self, name: str) -> pd.Series[float]:
        """The points of a series, by their index.

        Raises:
            UsageError: There is none of that name, or pandas is not installed.
            RecordsError: The points cannot be read.
        """
        found = read_series(self.folder)
        if name not in found:
            raise _unknown("series", name, self.run, list(found))
        points = found[name]
        if isinstance(points, Points):
            values, places = points.values, points.indices  # noqa: PD011  # it is none of pandas
        else:
            values, places = [value for _, value in points], [place for place, _ in points]
        series: pd.Series[float] = pandas_here().Series(values, index=places, name=name, dtype=float)
        return series

    def value(self, name: str, *, step: str | None = None) -> Any:
        """A variable as the run left it, out of the store, in a namespace of its own.

        Classes and functions of the notebook come with it; modules beside the notebook are imported.

        Args:
            name: The variable.
            step: The step whose version is wanted; by default the last one.

        Raises:
            UsageError: No step of the run has left it.
            StoreError: The store does not hold it any more, or it cannot be loaded here.
        """
        group = self._group(name, step)
        home = Home(self.folder.parent.parent)
        url = self.record.surroundings.get(STORE)
        try:
            return self._loaded(group, LocalStore(home.store))[name]
        except StoreError:
            if not isinstance(url, str):
                raise
        return self._loaded(group, Shared(home, url).store)[name]

    def _loaded(self, group: Group, store: Store) -> dict[str, object]:
        with _importable(Path(self.record.notebook).parent):
            return load_group(group, store=store, namespace={"__name__": "__main__"})

    def _group(self, name: str, step: str | None) -> Group:
        """The last version of a variable; those of nested pipelines are their own."""
        versions = [
            (each.names, each.digest)
            for record in self.record.steps
            if record.finished and (record.name == step if step else "/" not in record.name)
            for each in record.outputs
        ]
        for names, digest in reversed(versions):
            if name in names:
                return Group(names=names, digest=Digest(digest))
        known = sorted({each for names, _ in versions for each in names})
        raise _unknown("variable", name, f"{self.run}, step {step}" if step else self.run, known)

    def __repr__(self) -> str:
        """One short line; all that is recorded would fill screens."""
        return f"<{type(self).__name__} {self.run} of {self.record.pipeline!r}: {self.status}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows: a table of steps, times and metrics."""
        return _summary(self.record)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RunResult(Run):
    """A run that has just ended."""


def pandas_here() -> Any:
    """pandas, imported now.

    Raises:
        UsageError: It is not installed.
    """
    try:
        import pandas as pd  # heavy
    except ImportError as error:
        raise UsageError("pandas is not installed", hint="pip install pandas") from error
    return pd


def _unknown(kind: str, name: str, run: str, known: Sequence[str]) -> UsageError:
    close = plugins.suggestion(name, list(known))
    hint = f"did you mean `{close}`?" if close else f"there are: {', '.join(known) or 'none'}"
    return UsageError(f"there is no {kind} `{name}` in run {run}", hint=hint)


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Modules beside the notebook can be imported, as its kernel could."""
    place = str(folder)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(place)


def _summary(record: RunRecord) -> str:
    """A run as a small table; every text is escaped."""
    title = " ".join(filter(None, (record.run, record.name and f"({record.name})", record.status.value)))
    steps = [
        (step.name, step.status.value, "" if step.seconds is None else f"{step.seconds:.1f} s") for step in record.steps
    ]
    rows = [("step", "status", "time"), *steps]
    parts = [f"<p><b>{html.escape(title)}</b>, {record.seconds:.1f} s</p>", _table(rows)]
    if record.metrics:
        parts.append(_table([("metric", "value"), *((name, f"{value:g}") for name, value in record.metrics.items())]))
    if record.failure is not None:
        parts.append(f"<pre>{html.escape(f'{record.failure.kind}: {record.failure.message}')}</pre>")
    return "<div>" + "".join(parts) + "</div>"


def _table(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    cells = "".join(f"<th>{html.escape(text)}</th>" for text in head)
    lines = ("".join(f"<td>{html.escape(text)}</td>" for text in row) for row in body)
    lower = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lower}</tbody></table>"
