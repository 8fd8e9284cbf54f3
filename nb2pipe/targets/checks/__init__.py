"""What targets and bundles find; one file a diagnostic, whose docstring is its documentation."""
