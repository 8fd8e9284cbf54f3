"""The options of libraries: what there is of them, how they are read and set again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from nb2pipe.runtime.kinds import Kind, Options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def _read_errors() -> Options:
    return dict(sys.modules["numpy"].geterr())


def _write_errors(options: Options, _unset: list[str]) -> None:
    sys.modules["numpy"].seterr(**options)


def _read_torch() -> Options:
    torch = sys.modules["torch"]
    options = {name: read() for name, (read, _) in _torch_switches(torch).items()}
    printing = vars(torch._tensor_str.PRINT_OPTS)  # noqa: SLF001  # there is no other way to read them
    return options | {f"print {name}": value for name, value in printing.items()}


def _write_torch(options: Options, _unset: list[str]) -> None:
    torch = sys.modules["torch"]
    switches = _torch_switches(torch)
    for name, value in options.items():
        if name in switches:
            switches[name][1](value)
        else:
            setattr(torch._tensor_str.PRINT_OPTS, name.removeprefix("print "), value)  # noqa: SLF001  # as above


def _torch_switches(torch: Any) -> dict[str, tuple[Callable[[], Any], Callable[[Any], object]]]:
    """How each of torch's options is read and set."""
    switches: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
        "dtype": (
            lambda: str(torch.get_default_dtype()).removeprefix("torch."),
            lambda name: torch.set_default_dtype(getattr(torch, name)),
        ),
        "grad": (torch.is_grad_enabled, torch.set_grad_enabled),
        "deterministic": (torch.get_deterministic_debug_mode, torch.set_deterministic_debug_mode),
        "precision": (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision),
        "threads": (torch.get_num_threads, torch.set_num_threads),
        "anomaly": (torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
        "cudnn.benchmark": _attribute(torch.backends.cudnn, "benchmark"),
        "cudnn.deterministic": _attribute(torch.backends.cudnn, "deterministic"),
    }
    if hasattr(torch, "get_default_device"):
        switches["device"] = (lambda: str(torch.get_default_device()), torch.set_default_device)
    return switches


def _attribute(owner: Any, name: str) -> tuple[Callable[[], Any], Callable[[Any], object]]:
    return lambda: getattr(owner, name), lambda value: setattr(owner, name, value)


KINDS = (
    Kind("rcParams", _read_matplotlib, _write_matplotlib, module="matplotlib", plain=False),
    Kind("numpy.printoptions", _read_numpy, _write_numpy, module="numpy", plain=False),
    Kind("numpy.errors", _read_errors, _write_errors, module="numpy"),
    Kind("pandas.options", _read_pandas, _write_pandas, module="pandas", plain=False),
    Kind("sklearn.config", _read_sklearn, _write_sklearn, module="sklearn"),
    Kind("torch.defaults", _read_torch, _write_torch, module="torch"),
)
