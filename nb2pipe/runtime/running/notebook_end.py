"""How a notebook ends that a step's program runs: its errors, told to the program and recorded."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import Nb2pipeError
from nb2pipe.records.events import Failure
from nb2pipe.runtime.frames import Cells, describe
from nb2pipe.runtime.session import file_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.runtime.handover import Handover
    from nb2pipe.runtime.running.asked import Asked

_BUG = 70


class End:
    """Looks at each cell that has run, and tells of the first that failed.

    Args:
        asked: What the program asks for.
        step: The step's name.
        bundle: The folder of the bundle.
        tolerates: Tells whether the cell may raise.
    """

    def __init__(self, asked: Asked, step: str, bundle: Path, tolerates: Callable[[], bool]) -> None:
        self._asked = asked
        self._step = step
        self._cells = _cells(bundle / "notebooks" / f"{step.replace('/', '.')}.ipynb")
        self._tolerates = tolerates
        self.handover: Handover | None = None

    def watch(self) -> None:
        """From now on each cell is looked at, this one included."""
        from IPython.core.getipython import get_ipython  # only in a kernel

        shell = get_ipython()
        if shell is not None:
            shell.events.register("post_run_cell", self)

    def __call__(self, result: Any) -> None:
        """A cell has run."""
        error = result.error_before_exec or result.error_in_exec
        if error is None or self._tolerates():
            return
        told = self._told(error)
        if self.handover is not None:
            failure = told.get("failure")
            known = Failure(step=self._step, **failure) if failure and _is_recorded(error) else None
            for sentence in self.handover.fail(known):
                print(f"nb2pipe: {sentence}", file=sys.stderr)  # noqa: T201  # the notebook shows it
            self._tell_secrets()
        self._asked.tell(told)

    def done(self) -> None:
        """The step has left all that it leaves."""
        assert self.handover is not None
        self._tell_secrets()
        session = self.handover.session
        shown = session.journal.last | session.journal.metrics | session.metrics
        metrics = {**session.journal.metrics, **session.metrics}
        self._asked.tell({"done": True, "metrics": metrics, "shown": shown})

    def _told(self, error: BaseException) -> dict[str, Any]:
        part = describe(error, Cells(self._cells, file_names), str(Path.cwd()))[-1]
        own = next((frame for frame in part["frames"] if "cell" in frame), None)
        if own is not None:
            place = {"cell": own["cell"], "line": own["line"]}
            return {"failure": {**place, "kind": part["kind"], "message": part["message"]}}
        if isinstance(error, KeyboardInterrupt):
            return {"failure": {"cell": None, "line": None, "kind": part["kind"], "message": ""}}
        hint = error.hint if isinstance(error, Nb2pipeError) else None
        code = error.exit_code if isinstance(error, Nb2pipeError) else _BUG
        return {"error": {"message": part["message"], "hint": hint, "exit_code": code}}

    def _tell_secrets(self) -> None:
        """The program masks them in the notebook."""
        assert self.handover is not None
        secrets, namespace = self.handover.session.secrets, self.handover.session.namespace
        if secrets is not None:
            secrets.look()
            for name, value in list(namespace.items()):
                if isinstance(value, str):
                    secrets.take(name, value)


def _is_recorded(error: BaseException) -> bool:
    return not isinstance(error, KeyboardInterrupt)


def _cells(file: Path) -> list[tuple[int, str]]:
    """The author's cells of the notebook: the position of each, and its text."""
    cells: list[Mapping[str, Any]] = json.loads(file.read_bytes())["cells"]
    own = ((cell["metadata"].get("nb2pipe", {}).get("cell"), cell["source"]) for cell in cells)
    return [(position, "".join(source)) for position, source in own if position is not None]
