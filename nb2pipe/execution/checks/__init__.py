"""Diagnostics of a run: one file a code."""
