"""The steps of the pipeline `digits`, one module each."""
