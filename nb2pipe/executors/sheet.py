"""The notebook of a step that runs as a module: what is printed gets into its cells; what happens becomes events."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nb2pipe.codegen.notebooks.step_notebook import step_notebook, without_secrets
from nb2pipe.executors.failures import clean
from nb2pipe.executors.marks import Mark, MarkedStream
from nb2pipe.executors.outputs import merged, write_notebook
from nb2pipe.executors.watch import position, role
from nb2pipe.records.events import CellFinished, CellStarted, OutputWritten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nbformat import NotebookNode

    from nb2pipe.execution.model import StepCall
    from nb2pipe.records.events import Event, Failure
    from nb2pipe.runtime.spec import StepSpec

_SAVE_EVERY = 2.0
"""Seconds between two versions of the notebook on disk while the step runs."""


_WORDS = 4000
"""Characters of a process's last words that are kept."""
_LATEST = 0.2
"""Seconds that one stream waits for the mark of a cell's begin to arrive on the other one too."""


@dataclass(slots=True)
class _Stream:
    """One stream of the process.

    Attributes:
        parts: What arrived and was not yet taken.
        between: It is past the end of the cell that runs.
        held: What was printed since then: it is the cell's if another cell follows, and ours else.
        behind: The cells that began without a mark on this stream, which the author may have led elsewhere.
        closed: Nothing more arrives.
    """

    name: str
    marks: MarkedStream
    parts: deque[str | Mark] = field(default_factory=deque)
    between: bool = True
    held: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    closed: bool = False

    @property
    def begins(self) -> str | None:
        """The cell that begins next here, if that is known."""
        first = self.parts[0] if self.parts else None
        return first.rest if isinstance(first, Mark) and first.word == "begin" else None

    @property
    def is_late(self) -> bool:
        """Whether the mark that the other stream has may still come."""
        return self.begins is None and not self.closed and not self.behind


class Sheet:
    """The step's notebook while the step runs.

    Args:
        call: The step.
        spec: What it is told.
        token: The secret that marks begin with.
        path: Where the notebook is kept.
        emit: Takes events.
    """

    def __init__(
        self, call: StepCall, spec: StepSpec, *, token: str, path: Path, emit: Callable[[Event], None]
    ) -> None:
        self._call = call
        self._path = path
        self._emit = emit
        self._notebook = _without_ours(step_notebook(call, spec, kernel=call.surroundings.kernel))
        self._streams = {name: _Stream(name, MarkedStream(token)) for name in ("stdout", "stderr")}
        self._run: tuple[int, bool] | None = None
        """The cell that runs: its position, and whether only definitions of it do."""
        self._waits: float | None = None
        self._open: int | None = None
        self._told: set[int] = set()
        self._saved = time.monotonic()
        self._words: deque[str] = deque(maxlen=_WORDS)
        self.save()

    @property
    def cell(self) -> int | None:
        """The cell that ran last; None where the author's code was not reached."""
        return self._run[0] if self._run else None

    @property
    def last_words(self) -> str:
        """What stands last on the error stream, where a process that dies says why."""
        return "".join(self._words).strip()

    def feed(self, stream: str, data: bytes, *, last: bool = False) -> None:
        """Takes what the process wrote."""
        source = self._streams[stream]
        source.parts.extend(source.marks.feed(data, last=last))
        source.closed = source.closed or last
        self.tick()

    def tick(self) -> None:
        """Goes on with what arrived; called now and then too, since one stream waits for the other only so long."""
        self._advance()
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Writes the notebook as it stands."""
        for cell in self._notebook["cells"]:
            cell["outputs"] = merged(cell["outputs"])
        write_notebook(
            without_secrets(self._notebook, self._call.parameters, self._call.surroundings.masking), self._path
        )
        self._saved = time.monotonic()

    def complete(self) -> None:
        """All cells ran: those too of which nothing but definitions stood in them."""
        self._finish()
        self._pass_over(None)
        self._number(None)
        self.save()

    def fail(self, failure: Failure | None) -> None:
        """The step ended early; the error stands in its cell."""
        place = failure.cell if failure is not None else None
        node = self._node(place, definitions=False) if place is not None else None
        if failure is not None and node is not None:
            lines = (failure.traceback or f"{failure.kind}: {failure.message}").splitlines()
            self._append(node, _error(failure.kind, failure.message, lines))
        self._finish()
        self._number(self.cell or place or 0)
        self.save()

    # -- marks

    def _advance(self) -> None:
        """Takes what both streams hold, cell by cell: a cell begins where both have its mark."""
        while True:
            for source in self._streams.values():
                self._take(source)
            begun = next((each.begins for each in self._streams.values() if each.begins is not None), None)
            if begun is None or self._has_to_wait():
                return
            self._waits = None
            self._begin(begun)

    def _has_to_wait(self) -> bool:
        if not any(each.is_late for each in self._streams.values()):
            return False
        self._waits = self._waits or time.monotonic()
        return time.monotonic() - self._waits < _LATEST

    def _take(self, source: _Stream) -> None:
        """Takes what a stream holds up to the next cell's begin."""
        while source.parts and (source.begins is None or source.begins in source.behind):
            match source.parts.popleft():
                case Mark(word="begin", rest=late):
                    del source.behind[: source.behind.index(late) + 1]
                case Mark(word="end"):
                    source.between = True
                case Mark(word="error", rest=data) if self.cell is not None:
                    self._error(self.cell, data)
                case str(text):
                    self._text(source, text)
                case _:
                    pass

    def _text(self, source: _Stream, text: str) -> None:
        if source.name == "stderr":
            self._words.extend(text[-_WORDS:])
        if source.between:
            source.held.append(text)
        else:
            self._print(source, text)

    def _begin(self, begun: str) -> None:
        for source in self._streams.values():
            for text in source.held:
                self._print(source, text)
            source.held.clear()
        for source in self._streams.values():
            if source.begins == begun:
                source.parts.popleft()
                source.behind.clear()
            else:
                source.behind.append(begun)
            source.between = False
        number, _, kind = begun.partition(" ")
        if number.isdecimal():
            self._run = (int(number), kind == "definitions")
            self._start(*self._run)

    def _start(self, cell: int, definitions: bool) -> None:  # noqa: FBT001  # a run's two parts
        if definitions or cell == self._open or cell not in self._call.step.cells:
            return
        self._finish()
        self._pass_over(cell)
        self._told.add(cell)
        self._open = cell
        self._emit(CellStarted(step=self._call.step.name, cell=cell, time=time.time()))

    def _pass_over(self, until: int | None) -> None:
        """Tells of the step's cells above one that have nothing to run any more: their definitions are made."""
        for cell in self._call.step.cells:
            if cell not in self._told and (until is None or cell < until):
                self._told.add(cell)
                self._open = cell
                self._emit(CellStarted(step=self._call.step.name, cell=cell, time=time.time()))
                self._finish()

    def _finish(self) -> None:
        if self._open is None:
            return
        node = self._node(self._open, definitions=False)
        if node is not None:
            node["outputs"] = merged(node["outputs"])
        outputs = tuple(node["outputs"]) if node is not None else ()
        self._emit(CellFinished(step=self._call.step.name, cell=self._open, time=time.time(), outputs=outputs))
        self._open = None

    # -- outputs

    def _print(self, source: _Stream, text: str) -> None:
        if self._run is None:
            return
        cell, definitions = self._run
        node = self._node(cell, definitions=definitions)
        if node is None:
            return
        self._append(node, {"output_type": "stream", "name": source.name, "text": text})
        if cell in self._call.step.cells:
            self._emit(OutputWritten(step=self._call.step.name, cell=cell, stream=source.name, text=text))

    def _error(self, cell: int, data: str) -> None:
        """An error of a cell that may raise."""
        node = self._node(cell, definitions=False)
        told: Any = json.loads(data)
        if node is not None:
            lines = [clean(str(line)) for line in told["traceback"]]
            self._append(node, _error(str(told["ename"]), clean(str(told["evalue"])), lines))

    def _append(self, node: NotebookNode, output: dict[str, Any]) -> None:
        from nbformat import from_dict  # noqa: PLC0415  # heavy

        node["outputs"].append(from_dict(output))

    def _node(self, cell: int, *, definitions: bool) -> NotebookNode | None:
        """The cell of the notebook that a position means; of several that are cut from it, the author's own code."""
        nodes = [node for node in self._notebook["cells"] if position(node) == cell]
        own = [node for node in nodes if (role(node) == "code") != definitions]
        return next(iter([*own, *nodes]), None)

    def _number(self, until: int | None) -> None:
        """Numbers the author's cells that ran, up to one, as a kernel would have."""
        number = 0
        for cell in self._notebook["cells"]:
            place = position(cell)
            if until is not None and place is not None and place > until:
                return
            if place is not None:
                number += 1
                cell["execution_count"] = number


def _without_ours(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells that only a kernel runs."""
    notebook["cells"] = [cell for cell in notebook["cells"] if role(cell) not in {"enter", "leave"}]
    notebook["metadata"].pop("language_info")  # only a kernel tells it in full; the author's own stays
    return notebook


def _error(kind: str, message: str, lines: list[str]) -> dict[str, Any]:
    return {"output_type": "error", "ename": kind, "evalue": message, "traceback": lines}
