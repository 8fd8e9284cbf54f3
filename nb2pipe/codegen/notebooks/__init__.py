"""Notebooks of steps, and the whole notebook of a run."""
