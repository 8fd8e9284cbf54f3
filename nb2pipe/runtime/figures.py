"""Figures that a step is given are shown as in the notebook, also where the step itself does not use pyplot."""

from __future__ import annotations

import os
import sys

from nb2pipe.runtime.imports import after_import

_BACKEND = "module://nb2pipe.runtime.backend"


def prepare_figures() -> None:
    """Chooses matplotlib's backend, as pyplot did for the first figure; from then on Jupyter draws figures."""
    # What the step was given holds a figure only if this module is there.
    if "matplotlib.figure" not in sys.modules or "matplotlib_inline.backend_inline" in sys.modules:
        return
    try:
        from matplotlib import pyplot as plt  # heavy

        plt.switch_backend(plt.get_backend())
    except (ImportError, RuntimeError, ValueError):  # no such backend here: a figure is then shown as text
        return


def use_own_backend() -> None:
    """Lets steps that run as modules plot without a screen, unless somebody chose a backend."""
    if "MPLBACKEND" not in os.environ:
        after_import("matplotlib", _choose)


def _choose() -> None:
    # An environment variable would reach the programs that a step starts, which may not have our backend.
    sys.modules["matplotlib"].use(_BACKEND)


def close_figures() -> None:
    """Closes the figures of a cell that ended, as Jupyter does."""
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None and helpers.Gcf.figs:
        helpers.Gcf.destroy_all()
