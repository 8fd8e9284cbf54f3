"""Hidden state other than random generators: what a step sets beside its variables is handed on to later steps.

Each kind of it is read as a mapping of options. What differs from the state that the kernel, or the library as it was
imported, began with is what is handed on.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.imports import after_import
from nb2pipe.serializers.groups import UnstorableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nb2pipe.runtime.keeping import Keeper

Options = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of hidden state.

    Attributes:
        name: Its name in a call's state.
        read: All options.
        write: Sets the options of the first argument, and takes those of the second away.
        module: The module that has to be imported before it exists.
        plain: The options are JSON; otherwise they are stored as variables are.
    """

    name: str
    read: Callable[[], Options]
    write: Callable[[Options, list[str]], None]
    module: str = "sys"
    plain: bool = True


class Hidden:
    """The hidden state of a kernel.

    Args:
        keeper: Brings values into the store and back.
        given: What earlier steps left: digests in the store by kind.

    Attributes:
        lost: The kinds that cannot be handed on, with the reason.
    """

    def __init__(self, keeper: Keeper, given: Mapping[str, str]) -> None:
        self._keeper = keeper
        self._given = given
        self._original: dict[str, Options] = {}
        self._begun: dict[str, Options] = {}
        self.lost: dict[str, str] = {}

    def begin(self) -> None:
        """Sets what earlier steps left; what belongs to a library once that is imported."""
        for kind in ALL:
            after_import(kind.module, lambda kind=kind: self._begin(kind))  # type: ignore[misc]  # mypy cannot infer the default

    def settle(self) -> None:
        """Sets it again, and takes that as what the step begins with: repeated imports may have set something."""
        for kind in ALL:
            if kind.name in self._begun:
                self._restore(kind)
                self._begun[kind.name] = kind.read()

    def changed(self) -> dict[str, str]:
        """What the step set: digests in the store by kind."""
        found: dict[str, str] = {}
        for kind in ALL:
            if kind.name not in self._begun:
                continue
            try:
                digest = self._change(kind)
            except UnstorableError as error:
                self.lost[kind.name] = str(error)
            else:
                found |= {kind.name: digest} if digest else {}
        return found

    def _begin(self, kind: Kind) -> None:
        # The user's own `import` must not fail because a library of another version keeps its options elsewhere.
        try:
            self._original[kind.name] = kind.read()
            self._restore(kind)
            self._begun[kind.name] = kind.read()
        except Exception as error:  # noqa: BLE001
            self._begun.pop(kind.name, None)
            self.lost[kind.name] = f"{type(error).__name__}: {error}"

    def _restore(self, kind: Kind) -> None:
        digest = self._given.get(kind.name)
        if digest is None:
            return
        state = json.loads(self._keeper.get(digest)) if kind.plain else self._keeper.get_value(digest)
        kind.write(state["set"], state["unset"])

    def _change(self, kind: Kind) -> str | None:
        """The digest of a kind that the step set; None if it did not."""
        options = kind.read()
        if options == self._begun[kind.name]:
            return None
        original = self._original[kind.name]
        changes = {name: value for name, value in options.items() if name not in original or original[name] != value}
        state = {"set": changes, "unset": sorted(original.keys() - options.keys())}
        if kind.plain:
            return self._keeper.put(json.dumps(state, sort_keys=True).encode())
        return self._keeper.put_value(state)


def _read_directory() -> Options:
    try:
        return {"path": os.getcwd()}  # noqa: PTH109  # a string is what is kept
    except OSError:  # the step took its own folder away
        return {}


def _write_directory(options: Options, _unset: list[str]) -> None:
    if "path" in options:
        os.chdir(options["path"])


def _read_environment() -> Options:
    return dict(os.environ)


def _write_environment(options: Options, unset: list[str]) -> None:
    os.environ.update(options)
    for name in unset:
        os.environ.pop(name, None)


def _read_path() -> Options:
    return {"path": list(map(str, sys.path))}


def _write_path(options: Options, _unset: list[str]) -> None:
    if "path" in options:
        sys.path[:] = options["path"]


def _read_warnings() -> Options:
    return {"filters": list(warnings.filters)}


def _write_warnings(options: Options, _unset: list[str]) -> None:
    filters = options.get("filters", [])
    if list(warnings.filters) != filters:
        warnings.filters[:] = filters  # type: ignore[index]  # it is a list, which typeshed does not promise
        warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001  # as `warnings` itself does


def _read_logging() -> Options:
    root = logging.getLogger()
    handlers = [described for handler in root.handlers if (described := _described(handler))]
    return {"level": root.level, "disable": root.manager.disable, "handlers": handlers}


def _described(handler: logging.Handler) -> Options | None:
    """What `logging.basicConfig` makes; None for a handler of another kind, which cannot be made again."""
    if type(handler) is logging.FileHandler:
        target: Options = {"file": handler.baseFilename}
    elif type(handler) is logging.StreamHandler and handler.stream in (sys.stdout, sys.stderr):
        target = {"stream": "stdout" if handler.stream is sys.stdout else "stderr"}
    else:
        return None
    formatter = handler.formatter
    if formatter is not None:
        target |= {"format": formatter._fmt, "dates": formatter.datefmt, "style": _style_of(formatter)}  # noqa: SLF001  # there is no other way to read it
    return target | {"level": handler.level}


def _style_of(formatter: logging.Formatter) -> str:
    styles = {"StrFormatStyle": "{", "StringTemplateStyle": "$"}
    return styles.get(type(formatter._style).__name__, "%")  # noqa: SLF001  # there is no other way to read it


def _write_logging(options: Options, _unset: list[str]) -> None:
    root = logging.getLogger()
    root.setLevel(options.get("level", root.level))
    logging.disable(options.get("disable", root.manager.disable))
    if "handlers" in options and options["handlers"] != _read_logging()["handlers"]:
        for handler in tuple(root.handlers):
            if _described(handler):
                root.removeHandler(handler)
        for described in options["handlers"]:
            root.addHandler(_handler(described))


def _handler(described: Options) -> logging.Handler:
    if "file" in described:
        handler: logging.Handler = logging.FileHandler(described["file"])
    else:
        handler = logging.StreamHandler(getattr(sys, described["stream"]))
    handler.setLevel(described["level"])
    if "style" in described:
        handler.setFormatter(logging.Formatter(described["format"], described["dates"], style=described["style"]))
    return handler


_BACKEND = frozenset({"backend", "backend_fallback", "interactive", "toolbar"})
"""What the kernel decides on, not the author."""


def _read_matplotlib() -> Options:
    parameters = sys.modules["matplotlib"].rcParams
    return {name: dict.__getitem__(parameters, name) for name in list(parameters) if name not in _BACKEND}


def _write_matplotlib(options: Options, _unset: list[str]) -> None:
    sys.modules["matplotlib"].rcParams.update(options)


def _read_numpy() -> Options:
    return dict(sys.modules["numpy"].get_printoptions())


def _write_numpy(options: Options, _unset: list[str]) -> None:
    sys.modules["numpy"].set_printoptions(**options)


def _read_pandas() -> Options:
    found: Options = {}
    _flatten(sys.modules["pandas"].options.d, "", found)
    return found


def _flatten(tree: Mapping[str, Any], prefix: str, found: Options) -> None:
    for name, value in tree.items():
        if isinstance(value, dict):
            _flatten(value, f"{prefix}{name}.", found)
        else:
            found[prefix + name] = value


def _write_pandas(options: Options, _unset: list[str]) -> None:
    for name, value in options.items():
        sys.modules["pandas"].set_option(name, value)


def _read_sklearn() -> Options:
    return dict(sys.modules["sklearn"].get_config())


def _write_sklearn(options: Options, _unset: list[str]) -> None:
    sys.modules["sklearn"].set_config(**options)


def _read_torch() -> Options:
    torch = sys.modules["torch"]
    return {
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "precision": torch.get_float32_matmul_precision(),
    }


def _write_torch(options: Options, _unset: list[str]) -> None:
    torch = sys.modules["torch"]
    setters = {
        "dtype": lambda name: torch.set_default_dtype(getattr(torch, name)),
        "grad": torch.set_grad_enabled,
        "deterministic": torch.use_deterministic_algorithms,
        "precision": torch.set_float32_matmul_precision,
    }
    for name, value in options.items():
        setters[name](value)


ALL = (
    Kind("environ", _read_environment, _write_environment),
    Kind("cwd", _read_directory, _write_directory),
    Kind("sys.path", _read_path, _write_path),
    Kind("warnings", _read_warnings, _write_warnings, plain=False),
    Kind("logging", _read_logging, _write_logging),
    Kind("rcParams", _read_matplotlib, _write_matplotlib, module="matplotlib", plain=False),
    Kind("numpy.printoptions", _read_numpy, _write_numpy, module="numpy", plain=False),
    Kind("pandas.options", _read_pandas, _write_pandas, module="pandas", plain=False),
    Kind("sklearn.config", _read_sklearn, _write_sklearn, module="sklearn"),
    Kind("torch.defaults", _read_torch, _write_torch, module="torch"),
)
