"""Cells of the step `scale`, run by `steps/scale.py`."""

# ruff: noqa: F401, F403, F405, F811, F821, F841
# mypy: ignore-errors
# fmt: off

# %% cell 13
big = scaled(numbers, factor)

# %% cell 14 (may raise)
big.index(-1)  # not there: the cell may raise, and the step goes on
