"""Stage 4a: steps become step notebooks."""
