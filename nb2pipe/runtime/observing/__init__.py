"""What a step reads and writes outside of its variables, seen while it runs.

`observer` listens to Python's audit events; `places` says which files count; `wrapped` watches calls of libraries that
open files without Python. What is found tells later runs whether the step has to run again.
"""
