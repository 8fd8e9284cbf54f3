"""What runs inside a step: light, without nbformat, papermill or jinja."""
