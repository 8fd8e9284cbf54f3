"""Checks of tags, magics, settings and nested notebooks; one file a check, whose docstring is its documentation."""
