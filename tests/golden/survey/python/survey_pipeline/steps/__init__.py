"""The steps of the pipeline `survey`, one module each."""
