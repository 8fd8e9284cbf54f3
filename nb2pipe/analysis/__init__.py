"""Stage 2: a Notebook becomes a Dataflow."""
