"""Checks of a notebook's code; one file a check, whose docstring is its documentation."""
