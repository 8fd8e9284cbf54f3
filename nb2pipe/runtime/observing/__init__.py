"""What a step reads and writes outside of its variables, seen while it runs.

`observer` listens to Python's audit events, and `acts` says what they mean; `places` says which files count; `wrapped`
watches calls of libraries that open files without Python, `variables` the environment, `spawned` processes that are
started anew. `seen` holds what was found, and `contents` says by it which content files had. What is found tells later
runs whether the step has to run again, and lineages what it used.
"""
