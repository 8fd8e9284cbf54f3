"""One step in a process of its own, as a kernel would run it: what `launch.py` does once nb2pipe is there.

What comes of it goes to the file that the executor named. What is printed goes to the standard streams, with marks
between the cells.
"""

from __future__ import annotations

import os
import re
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field, fields
from json import dumps, loads
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nb2pipe.errors import INTERRUPTED, InternalError
from nb2pipe.runtime import borders, calling
from nb2pipe.runtime.asking import refuse_questions
from nb2pipe.runtime.display import show_tables_as_in_jupyter
from nb2pipe.runtime.figures import close_figures, use_own_backend
from nb2pipe.runtime.frames import describe
from nb2pipe.runtime.given_sources import give_sources
from nb2pipe.runtime.markers import markers_of
from nb2pipe.runtime.modules import bind
from nb2pipe.runtime.session import Session, Telling, write_result
from nb2pipe.runtime.spec import StepSpec
from nb2pipe.runtime.traces import ModulePlaces, is_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.runtime.markers import Place

_FAILED = 5
_PATIENCE = 0.5
"""Seconds that threads and `atexit` functions get after an interrupt."""
_OPEN_FILES = Path("/dev/fd")
_UNBOUND_LOCAL = re.compile(r"'([^']+)'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the executor told.

    Attributes:
        spec: What a kernel is told too.
        folder: The folder that the package lies in.
        package: The package's name.
        module: Path of the step's module below `steps`.
        parameters: The values that were given.
        token: Begins the marks.
        sources: Texts of modules that hold secrets, by the paths of their files in the folder, which have masks.
    """

    spec: StepSpec
    folder: Path
    package: str
    module: str
    parameters: Mapping[str, object]
    token: str
    sources: Mapping[str, str]


@dataclass(slots=True)
class _Marks:
    """Writes where cells begin and end, between what is printed.

    Attributes:
        token: Begins the marks.
        session: Takes metrics.
        places: Tells where an error of a cell that may raise comes from.
        outputs: Copies of the standard streams, which the author's code cannot close.
    """

    token: str
    session: Session
    places: Callable[[], ModulePlaces]
    outputs: tuple[int, ...] = field(default_factory=lambda: tuple(map(os.dup, (1, 2))))

    def begin(self, place: Place) -> None:
        """Marks the begin of a cell."""
        self._mark("begin", place)

    def end(self, place: Place, values: Callable[[], Mapping[str, object]]) -> None:
        """Marks the end of a cell; takes its metrics, and closes its figures."""
        if place.cell in self.session.spec.metrics and not place.definitions:
            self.session.measure(place.cell, values())
        close_figures()
        self._mark("end", place)

    def caught(self, _place: Place, error: BaseException) -> None:
        """Tells of the error of a cell that may raise."""
        told = _described(error, self.places(), self.session.spec.folder)
        lines = [line for part in told for line in _lines(part)]
        data = {"ename": told[-1]["kind"], "evalue": told[-1]["message"], "traceback": lines}
        self._write(f"error {dumps(data)}", self.outputs[:1])

    def _mark(self, word: str, place: Place) -> None:
        self._write(f"{word} {place.cell}{' definitions' if place.definitions else ''}", self.outputs)

    def _write(self, text: str, outputs: tuple[int, ...]) -> None:
        _flush()
        for output in outputs:
            data = f"\x1e{self.token} {text}\n".encode()
            with suppress(OSError):  # nobody listens any more
                while data:
                    data = data[os.write(output, data) :]


def run(file: str) -> int:
    """Runs the step that a file describes; the file is removed, or closed where it has no name any more.

    Args:
        file: JSON: the fields of `StepSpec`, and `package`, `name`, `module`, `parameters`, `token`, `sources`.

    Returns:
        The exit code; what came of the step stands in the result.
    """
    told = _read(Path(file))
    _prepare_process()
    main = ModuleType(f"{told.package}.definitions")
    sys.modules["__main__"] = main
    step = _Step(told, Session(told.spec, vars(main)), main)
    try:
        with Telling(told.spec.result):
            done = step.run()
    except KeyboardInterrupt as error:
        _end_soon()
        write_result(told.spec.result, step.session.failed(step.described(error)))
        return INTERRUPTED
    _flush()
    write_result(told.spec.result, done)
    return 0 if "completed" in done else _FAILED


@dataclass(slots=True)
class _Step:
    """The step that this process runs.

    Attributes:
        told: What the executor told.
        session: The step's session; its namespace is that of `main`.
        main: The module that stands for the notebook.
        function: The name of the step's function, once it is known.
        notebook: The file name of its notebook, where that is a nested one.
    """

    told: _Told
    session: Session
    main: ModuleType
    function: str = ""
    notebook: str | None = None

    def run(self) -> dict[str, Any]:
        """Runs the step; the result for the executor."""
        self.session.begin()
        use_own_backend()
        marks = _Marks(self.told.token, self.session, self._places)
        borders.listen(marks)
        try:
            self._call(self._import())
        except _AuthorsError as raised:
            return self.session.failed(self.described(raised.error))
        finally:
            borders.stop_listening(marks)
        return {"completed": self.session.leave()}

    def described(self, error: BaseException) -> list[dict[str, Any]]:
        """An error as the executor understands it."""
        return _described(error, self._places(), self.told.spec.folder)

    def _import(self) -> Callable[..., Any]:
        """Imports the definitions and the step's module; the step's function."""
        told = self.told
        calling.import_package(told.package, told.folder)
        borders.install(told.package, self.main)
        give_sources(told.folder, told.sources)
        module: ModuleType = _authors(lambda: self._modules(told))
        name = f"{told.package}.steps.{told.module}"
        functions = [
            value for value in vars(module).values() if isinstance(value, FunctionType) and value.__module__ == name
        ]
        if not functions:
            raise InternalError(f"the module `{name}` has no function")
        function = functions[-1]
        self.function = function.__name__
        return function

    def _modules(self, told: _Told) -> ModuleType:
        calling.import_definitions(told.package)
        self._look(told)
        return calling.import_step(told.package, told.module)

    def _look(self, told: _Told) -> None:
        """Finds out of which notebook the step is: its cells say so."""
        parts = told.module.split(".")
        for room in ("cells", "steps"):
            path = told.folder.joinpath(told.package, room, *parts).with_suffix(".py")
            own = [one for one in markers_of(_text(path)) if not one.place.definitions]
            if own:
                self.notebook = own[-1].place.notebook
                return

    def _call(self, function: Callable[..., Any]) -> None:
        """Gives the function what it asks for, and binds what it returns."""
        session, given = self.session, self.told.parameters
        bind(session.namespace, given)
        file = calling.cells_file(sys.modules[function.__module__])
        if file is not None:
            calling.run_early(file, session, _authors)
        session.load(frozenset(name for group in session.spec.inputs for name in group.names))
        loaded = {name: session.namespace[name] for group in session.spec.inputs for name in group.take}
        arguments = calling.arguments_for(calling.asked_by(function), {**loaded, **given})
        result = _authors(lambda: calling.call(function, arguments, as_in_kernel=True))
        bind(session.namespace, calling.fields_of(result))

    def _places(self) -> ModulePlaces:
        return ModulePlaces(self.told.folder / self.told.package, self.function, self.notebook)


class _AuthorsError(Exception):
    """The author's code raised.

    Attributes:
        error: What it raised.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(type(error)))
        self.error = error


def _authors(work: Callable[[], Any]) -> Any:
    """Does what runs the author's code; what that raises is told apart from what ours does."""
    try:
        return work()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if is_ours(error):
            raise
        raise _AuthorsError(error) from error


def _read(file: Path) -> _Told:
    data = loads(file.read_text(encoding="utf-8"))
    if file.parent == _OPEN_FILES:
        os.close(int(file.name))
    else:
        file.unlink()
    known = {each.name: data[each.name] for each in fields(StepSpec)}
    known["inputs"] = [
        {"names": tuple(group["names"]), "digest": group["digest"], "take": tuple(group["take"])}
        for group in data["inputs"]
    ]
    known |= {name: tuple(data[name]) for name in ("outputs", "required", "patched", "reads")}
    known["metrics"] = {int(cell): tuple(names) for cell, names in data["metrics"].items()}
    return _Told(
        spec=StepSpec.read(known),
        folder=Path(data["package"]),
        package=data["name"],
        module=data.get("module") or ".".join(data["step"].replace("-", "_").split("/")),
        parameters={name: eval(text, {}) for name, text in data["parameters"].items()},  # noqa: S307  # our own text
        token=data["token"],
        sources=data.get("sources", {}),
    )


def _prepare_process() -> None:
    """Makes the process what a kernel is."""
    sys.argv = [""]
    sys.path.insert(0, "")
    show_tables_as_in_jupyter()
    refuse_questions()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def _described(error: BaseException, places: ModulePlaces, folder: str) -> list[dict[str, Any]]:
    """What `describe` gives. A variable of a step's function is one of the notebook: that is what its error says."""
    found = describe(error, places, folder)
    for part in found:
        is_local = part["kind"] == "UnboundLocalError" and part["frames"] and part["frames"][-1]["name"] == "<module>"
        name = _UNBOUND_LOCAL.search(part["message"]) if is_local else None
        if name:
            part |= {"kind": "NameError", "message": f"name '{name[1]}' is not defined"}
    return found


def _lines(part: Mapping[str, Any]) -> list[str]:
    """An error for people, without the notebook at hand."""
    frames = [
        (f"cell {frame['cell']}" if "cell" in frame else frame["file"])
        + f", line {frame['line']}"
        + ("" if frame["name"] == "<module>" else f", in {frame['name']}")
        for frame in part["frames"]
    ]
    text = f"{part['kind']}: {part['message']}" if part["message"] else part["kind"]
    return [*frames, text]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the author may have put anything there
            stream.flush()


def _end_soon() -> None:
    """Threads of the author's do not keep an interrupted process alive."""
    timer = threading.Timer(_PATIENCE, os._exit, [INTERRUPTED])
    timer.daemon = True
    timer.start()
