"""Copies, in the home, of the records in a store that others use too: laid out as the home's own."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from nb2pipe.errors import RecordsError, StoreError
from nb2pipe.records.events import RunStatus
from nb2pipe.records.files import DIFFERENCE, POINTS, RUN_FILE, STEPS, read_run, read_step, safe_name, write_atomically
from nb2pipe.records.series import SERIES, is_recorded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nb2pipe.store.remote import Remote

_MOST = 20
"""Earlier runs of one key that are looked at, the newest first."""
_WHOLE = ".whole"
"""Stands in the copy of a run whose steps are all here."""
_DEEPEST = 20
_AT_ONCE = 8
"""Runs that are brought at a time; most of that is waiting for answers."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,130}")
_RUN = re.compile(r"[0-9A-Za-z_][0-9A-Za-z_.-]{0,100}")


def key_folder(key: str) -> str:
    """Where the runs that had a key are noted: a file each, since several may note one at once."""
    return f"keys/{key[:2]}/{key[2:]}"


def key_path(key: str, run: str, step: str) -> str:
    """The file that says that a step of a run had a key; its content is `RUN STEP`."""
    return f"{key_folder(key)}/{run}.{hashlib.sha256(step.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


class Mirror:
    """Brings records here, as they are wanted.

    Args:
        folder: Where the copies lie.
        remote: Where the records are.
    """

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.folder = folder
        self.runs = folder / "runs"
        self.keys = folder / "keys"
        self._remote = remote

    def bring_key(self, key: str) -> None:
        """Brings what others' runs recorded of the steps that had a key.

        Raises:
            StoreError: The place cannot be reached, or refuses; or nothing can be written here.
        """
        folder = key_folder(key)
        names = self._remote.names(folder)[-_MOST:]
        entries = self._remote.read_all([f"{folder}/{name}" for name in names])
        lines = [text.decode("utf-8", "replace").strip() for _, text in sorted(entries.items())]
        known = [(run, step) for run, _, step in (line.partition(" ") for line in lines) if _is_sound(run, step)]
        for run, step in known:
            self._bring_step(run, step)
        text = "".join(f"{run} {step}\n" for run, step in known)
        self._write(self.keys / key[:2] / key[2:], text.encode())

    def bring_runs(self) -> None:
        """Brings the records of all runs, but for the steps; one that succeeded does not change any more.

        Raises:
            StoreError: The place cannot be reached, or refuses; or nothing can be written here.
        """
        names = [name for name in self._remote.names("runs") if _RUN.fullmatch(name)]
        wanted = [f"runs/{name}/{RUN_FILE}" for name in names if not self._is_final(name)]
        for path, content in self._remote.read_all(wanted).items():
            self._write(self.folder / path, content)
        with suppress(OSError):
            for folder in list(self.runs.iterdir()):
                if folder.name not in names:
                    (folder / RUN_FILE).unlink(missing_ok=True)

    def bring_all(self) -> None:
        """Brings the records of all runs with those of their steps; what does not change any more is brought once.

        Raises:
            StoreError: The place cannot be reached, or refuses; or nothing can be written here.
        """
        known = [name for name in self._remote.names("runs") if _RUN.fullmatch(name)]
        wanted = [run for run in known if not ((self.runs / run / _WHOLE).exists() and self._is_final(run))]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in threads.map(self._bring_steps, wanted):
                pass  # what one of them raised is raised here
        self.bring_runs()

    def _bring_steps(self, run: str) -> None:
        """Brings a run's steps, and then its own record, whose time tells the index to look at the steps too."""
        paths = list(self._step_files(f"runs/{run}/{STEPS}"))
        paths += [f"runs/{run}/{name}" for name in (DIFFERENCE, RUN_FILE)]
        for path, content in sorted(self._remote.read_all(paths).items(), key=lambda file: file[0].endswith(RUN_FILE)):
            self._write(self.folder / path, content)
        if self._is_final(run):
            self._write(self.runs / run / _WHOLE, b"")

    def _step_files(self, folder: str, depth: int = 0) -> Iterator[str]:
        """The records of steps in a folder and, for those of nested pipelines, in the folders in it."""
        for name in self._remote.names(folder):
            if name.endswith(".json") and _NAME.fullmatch(name):
                yield f"{folder}/{name}"
            elif _RUN.fullmatch(name) and "." not in name and depth < _DEEPEST:
                yield from self._step_files(f"{folder}/{name}", depth + 1)

    def _is_final(self, run: str) -> bool:
        try:
            return read_run(self.runs / run).status is RunStatus.SUCCEEDED
        except RecordsError:
            return False

    def _bring_step(self, run: str, step: str) -> None:
        base = f"runs/{run}/{STEPS}/{safe_name(step)}"
        wanted = [f"{base}.json", f"{base}.ipynb"]
        if not (self.runs / run / RUN_FILE).exists():
            wanted.append(f"runs/{run}/{RUN_FILE}")
        for path, content in self._remote.read_all(wanted).items():
            self._write(self.folder / path, content)
        with suppress(RecordsError):
            record = read_step(self.runs / run, step)
            if record is not None and (record.series or record.checkpoints):
                path = f"runs/{run}/{POINTS}"
                self._write(self.folder / path, self._remote.read(path) or b"")
                self._bring_recorded(f"runs/{run}/{SERIES}/{safe_name(step)}")

    def _bring_recorded(self, folder: str) -> None:
        """Brings what was recorded of a step's training."""
        wanted = [f"{folder}/{name}" for name in self._remote.names(folder) if is_recorded(name)]
        for path, content in self._remote.read_all(wanted).items():
            self._write(self.folder / path, content)

    def _write(self, path: Path, content: bytes) -> None:
        try:
            write_atomically(path, content, durable=False)
        except OSError as error:
            hint = "look at the space on the disk and the permissions of the home"
            raise StoreError(f"cannot write {path}: {error.strerror or error}", hint=hint) from error


def _is_sound(run: str, step: str) -> bool:
    """Whether it can be the name of a run, and of a step: others may write there what they like."""
    return _RUN.fullmatch(run) is not None and bool(step)
