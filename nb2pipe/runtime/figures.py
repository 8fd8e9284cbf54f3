"""Figures that a step is given are shown as in the notebook, also where the step itself does not use pyplot."""

from __future__ import annotations

import sys


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
