"""Imports, functions and classes of `tour.ipynb` that its steps share."""

# ruff: noqa: F401

from nb2pipe.runtime.modules import stand_for_notebook

stand_for_notebook(globals())
# fmt: off

# %% cell 3
def scaled(values, factor):
    """Each value times a factor."""
    return [value * factor for value in values]
