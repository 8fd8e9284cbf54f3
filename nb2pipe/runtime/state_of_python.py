"""Hidden state of Python and its standard library: what there is of it, how it is read and set again."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from typing import Any

from nb2pipe.runtime.kinds import Kind, Options


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


def _read_recursion() -> Options:
    return {"limit": sys.getrecursionlimit()}


def _write_recursion(options: Options, _unset: list[str]) -> None:
    for limit in options.values():
        sys.setrecursionlimit(limit)


def _read_collection() -> Options:
    return {"enabled": gc.isenabled(), "threshold": list(gc.get_threshold())}


def _write_collection(options: Options, _unset: list[str]) -> None:
    if "enabled" in options:
        (gc.enable if options["enabled"] else gc.disable)()
    if "threshold" in options:
        gc.set_threshold(*options["threshold"])


def _read_mask() -> Options:
    mask = os.umask(0o077)  # it can only be read by setting it
    os.umask(mask)
    return {"mask": mask}


def _write_mask(options: Options, _unset: list[str]) -> None:
    for mask in options.values():
        os.umask(mask)


def _read_timezone() -> Options:
    time = sys.modules["time"]
    return {"names": list(time.tzname), "offset": time.timezone}


def _write_timezone(options: Options, _unset: list[str]) -> None:
    if options:
        sys.modules["time"].tzset()  # what `TZ` says: the environment has been set before


def _read_decimal() -> Options:
    context = sys.modules["decimal"].getcontext()
    names = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")
    traps = sorted(signal.__name__ for signal, is_set in context.traps.items() if is_set)
    return {name: getattr(context, name) for name in names} | {"traps": traps}


def _write_decimal(options: Options, _unset: list[str]) -> None:
    decimal = sys.modules["decimal"]
    context = decimal.getcontext()
    for name, value in options.items():
        if name == "traps":
            for signal in context.traps:
                context.traps[signal] = signal.__name__ in value
        else:
            setattr(context, name, value)


_LOCALES = ("LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME")


def _read_locale() -> Options:
    locale = sys.modules["locale"]
    return {name: locale.setlocale(getattr(locale, name)) for name in _LOCALES if hasattr(locale, name)}


def _write_locale(options: Options, _unset: list[str]) -> None:
    locale = sys.modules["locale"]
    for name, value in options.items():
        locale.setlocale(getattr(locale, name), value)


def _read_sockets() -> Options:
    return {"timeout": sys.modules["socket"].getdefaulttimeout()}


def _write_sockets(options: Options, _unset: list[str]) -> None:
    for seconds in options.values():
        sys.modules["socket"].setdefaulttimeout(seconds)


_DIALECT = (
    *("delimiter", "quotechar", "escapechar", "doublequote"),
    *("skipinitialspace", "lineterminator", "quoting", "strict"),
)


def _read_dialects() -> Options:
    csv = sys.modules["csv"]
    found: Options = {}
    for name in csv.list_dialects():
        dialect = csv.get_dialect(name)
        found[name] = {key: getattr(dialect, key) for key in _DIALECT}
    return found


def _write_dialects(options: Options, unset: list[str]) -> None:
    csv = sys.modules["csv"]
    for name, dialect in options.items():
        csv.register_dialect(name, **dialect)
    for name in unset:
        csv.unregister_dialect(name)


def _read_media_types() -> Options:
    mimetypes = sys.modules["mimetypes"]
    if not mimetypes.inited:
        mimetypes.init()
    return dict(mimetypes.types_map)


def _write_media_types(options: Options, _unset: list[str]) -> None:
    mimetypes = sys.modules["mimetypes"]
    for ending, kind in options.items():
        mimetypes.add_type(kind, ending)


def _read_picklers() -> Options:
    table: dict[Any, Any] = sys.modules["copyreg"].dispatch_table
    return {f"{kind.__module__}.{kind.__qualname__}": (kind, reduce) for kind, reduce in table.items()}


def _write_picklers(options: Options, _unset: list[str]) -> None:
    for kind, reduce in options.values():
        sys.modules["copyreg"].pickle(kind, reduce)


KINDS = (
    Kind("environ", _read_environment, _write_environment),
    Kind("cwd", _read_directory, _write_directory),
    Kind("sys.path", _read_path, _write_path),
    Kind("warnings", _read_warnings, _write_warnings, plain=False),
    Kind("recursion", _read_recursion, _write_recursion),
    Kind("gc", _read_collection, _write_collection),
    Kind("umask", _read_mask, _write_mask),
    Kind("time", _read_timezone, _write_timezone),
    Kind("decimal", _read_decimal, _write_decimal, module="decimal"),
    Kind("locale", _read_locale, _write_locale, module="locale"),
    Kind("socket", _read_sockets, _write_sockets, module="socket"),
    Kind("csv", _read_dialects, _write_dialects, module="csv"),
    Kind("mimetypes", _read_media_types, _write_media_types, module="mimetypes"),
    Kind("copyreg", _read_picklers, _write_picklers, module="copyreg", plain=False),
)
"""The order is the one in which they are set."""
