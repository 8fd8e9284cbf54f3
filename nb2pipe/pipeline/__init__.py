"""Stage 3: a Dataflow becomes a Pipeline."""
