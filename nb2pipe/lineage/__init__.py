"""Lineage: what a file, an artifact or a model came from, and what was made from it."""
