"""Checks of the pipeline; one file a check, whose docstring is its documentation."""
