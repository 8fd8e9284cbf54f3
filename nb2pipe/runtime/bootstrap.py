"""The first code of ours in a step's process: brings nb2pipe in from its folder. `sys.path` stays as it is.

It is run as a file of its own, and by any Python; so nothing here may be newer than Python 3.6.
"""

import importlib.util
import os
import sys

OLDEST = (3, 11)


def enter(spec: dict) -> None:  # type: ignore[type-arg]  # `dict[str, object]` does not exist everywhere
    """Begins the step that `spec` describes; a kernel calls it."""
    bring()
    from nb2pipe.runtime import session  # noqa: PLC0415  # it is importable only now

    session.enter(spec)


def bring() -> None:
    """Makes nb2pipe importable."""
    if sys.version_info < OLDEST:
        found = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise RuntimeError(f"the kernel's Python is {found}; nb2pipe needs 3.11 or newer in it")
    if "nb2pipe" in sys.modules:
        return
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    origin = os.path.join(folder, "__init__.py")  # noqa: PTH118
    spec = importlib.util.spec_from_file_location("nb2pipe", origin, submodule_search_locations=[folder])
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # a file has a spec
    sys.modules["nb2pipe"] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]  # and a loader
