"""The state of `logging`: the levels and handlers of all loggers that cells have set up."""

from __future__ import annotations

import logging
import sys

from nb2pipe.runtime.kinds import Kind, Options


def _read() -> Options:
    found: Options = {"disable": logging.root.manager.disable}
    for name in ("", *list(logging.root.manager.loggerDict)):
        logger = logging.getLogger(name) if name == "" or _is_made(name) else None
        if logger is not None and (state := _state(logger)) != _UNTOUCHED:
            found[f"logger {name}"] = state
    return found


_UNTOUCHED: Options = {"level": 0, "propagate": True, "disabled": False, "handlers": [], "filters": 0}


def _is_made(name: str) -> bool:
    """Whether somebody asked for the logger itself, and not only for one below it."""
    return isinstance(logging.root.manager.loggerDict.get(name), logging.Logger)


def _state(logger: logging.Logger) -> Options:
    return {
        "level": logger.level,
        "propagate": logger.propagate,
        "disabled": logger.disabled,
        "handlers": [_described(one) for one in logger.handlers if not isinstance(one, logging.NullHandler)],
        "filters": len(logger.filters),
    }


def _lacks(options: Options) -> str | None:
    """Why loggers would not be made again as they were; None where they would be."""
    for name, state in options.items():
        logger = name.removeprefix("logger ") or "root"
        if name == "disable" or logger.partition(".")[0] in sys.modules:  # a library sets up its own logger again
            continue
        if state["filters"]:
            return f"the logger `{logger}` has a filter"
        for handler in state["handlers"]:
            if "class" in handler:
                return f"the logger `{logger}` has a handler of the class `{handler['class']}`"
    return None


def _described(handler: logging.Handler) -> Options:
    """What makes a handler again, or the class of one that cannot be made again."""
    plain = type(handler.formatter) in (logging.Formatter, type(None)) and not handler.filters
    if type(handler) is logging.FileHandler and plain:
        target: Options = {"file": handler.baseFilename}
    elif type(handler) is logging.StreamHandler and plain and handler.stream in (sys.stdout, sys.stderr):
        target = {"stream": "stdout" if handler.stream is sys.stdout else "stderr"}
    else:
        return {"class": f"{type(handler).__module__}.{type(handler).__qualname__}"}
    formatter = handler.formatter
    if formatter is not None:
        target |= {"format": formatter._fmt, "dates": formatter.datefmt, "style": _style_of(formatter)}  # noqa: SLF001  # there is no other way to read it
    return target | {"level": handler.level}


def _style_of(formatter: logging.Formatter) -> str:
    styles = {"StrFormatStyle": "{", "StringTemplateStyle": "$"}
    return styles.get(type(formatter._style).__name__, "%")  # noqa: SLF001  # there is no other way to read it


def _write(options: Options, unset: list[str]) -> None:
    if "disable" in options:
        logging.disable(options["disable"])
    states = {name: state for name, state in options.items() if name.startswith("logger ")}
    for name, state in (states | dict.fromkeys(unset, _UNTOUCHED)).items():
        logger = logging.getLogger(name.removeprefix("logger ") or None)
        logger.setLevel(state["level"])
        logger.propagate, logger.disabled = state["propagate"], state["disabled"]
        if state["handlers"] != _state(logger)["handlers"]:
            _replace_handlers(logger, state["handlers"])


def _replace_handlers(logger: logging.Logger, wanted: list[Options]) -> None:
    for handler in tuple(logger.handlers):
        if "class" not in _described(handler):
            logger.removeHandler(handler)
    for described in wanted:
        if "class" not in described:
            logger.addHandler(_handler(described))


def _handler(described: Options) -> logging.Handler:
    if "file" in described:
        handler: logging.Handler = logging.FileHandler(described["file"])
    else:
        handler = logging.StreamHandler(getattr(sys, described["stream"]))
    handler.setLevel(described["level"])
    if "style" in described:
        handler.setFormatter(logging.Formatter(described["format"], described["dates"], style=described["style"]))
    return handler


LOGGING = Kind("logging", _read, _write, lacks=_lacks)
