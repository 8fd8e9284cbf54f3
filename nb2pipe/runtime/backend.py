"""A backend of matplotlib for steps that nobody watches: figures can be saved, `plt.show()` closes them.

Matplotlib imports it, by its name; so it is there.
"""

from __future__ import annotations

from typing import Any

from matplotlib._pylab_helpers import Gcf  # noqa: TID253  # see above
from matplotlib.backend_bases import FigureManagerBase  # noqa: TID253
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: TID253


class FigureManager(FigureManagerBase):
    """The manager of a figure that is not shown."""

    @classmethod
    def pyplot_show(cls, **_arguments: Any) -> None:
        """Closes all figures, as showing them in a notebook does."""
        Gcf.destroy_all()


class FigureCanvas(FigureCanvasAgg):  # type: ignore[misc]  # as above
    """A canvas that is drawn only to be saved."""

    manager_class = FigureManager
