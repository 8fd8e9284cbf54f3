"""What a step's program and the notebook that it runs tell each other: values, folders, and how it ended.

The program makes a folder that only its user can enter, and names it by a variable. Values go through a pipe in it, so
that secrets never lie on a disk, and never stand in the notebook.
"""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "NB2PIPE_NOTEBOOK"
"""The variable that names the folder; the notebook takes it away."""

_VALUES, _TOLD, _PROCESS = "values", "told.json", "process"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a notebook is asked for.

    Attributes:
        folder: The folder between the two.
        given: The values of parameters.
        values: The folders of values, as `Folders` has them; `url` and `run` where they go through a store.
        seed: The initial random state, if it is given.
        environment: Variables as they are to be for the author's code; None for those that are not there.
    """

    folder: Path
    given: Mapping[str, object] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    environment: Mapping[str, str | None] = field(default_factory=dict)

    def serve(self) -> None:
        """Waits for the notebook beside this thread, and gives it all that."""
        pipe = self.folder / _VALUES
        os.mkfifo(pipe, 0o600)
        told = {
            "given": dict(self.given),
            "values": dict(self.values),
            "seed": self.seed,
            "environment": dict(self.environment),
        }
        text = json.dumps(told, default=list)  # a set goes as a list, and the parameter's type makes it one again

        def give() -> None:
            with suppress(OSError):  # the notebook has ended meanwhile
                pipe.write_text(text, encoding="utf-8")

        threading.Thread(target=give, daemon=True).start()

    def told(self) -> dict[str, Any]:
        """What the notebook told of its end; empty where it did not come so far."""
        try:
            return dict(json.loads((self.folder / _TOLD).read_bytes()))
        except (OSError, ValueError):
            return {}

    def process(self) -> int | None:
        """The notebook's process; None where it has not begun."""
        try:
            return int((self.folder / _PROCESS).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def tell(self, content: Mapping[str, Any]) -> None:
        """Tells the program how the notebook ended; the first word counts."""
        with suppress(FileExistsError, FileNotFoundError), (self.folder / _TOLD).open("x", encoding="utf-8") as stream:
            stream.write(json.dumps(dict(content)))


def taken() -> Asked | None:
    """What this notebook is asked for by the program that runs it; None where plain papermill, or a person, does."""
    folder = Path(os.environ.pop(VARIABLE, ""))
    if not (folder / _VALUES).is_fifo():
        return None
    told = json.loads((folder / _VALUES).read_text(encoding="utf-8"))
    (folder / _PROCESS).write_text(str(os.getpid()), encoding="ascii")
    for name, value in told["environment"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return Asked(folder=folder, **told)
