"""Whether a pipeline run computes what the notebook computes when it is run from top to bottom."""
