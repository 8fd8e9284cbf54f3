"""The steps of the pipeline `tour`, one module each."""
