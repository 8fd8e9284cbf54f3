"""Diagnostics of the records: one file a code."""
