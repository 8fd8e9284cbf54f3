"""Sinks for what happens in a run: one file each, an entry point `nb2pipe.trackers` each.

The module of a tracker is imported in a process of its own, so that it neither slows a run nor ends it.
"""
