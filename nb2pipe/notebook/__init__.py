"""Stage 1: bytes become a Notebook."""
